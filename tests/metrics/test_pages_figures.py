"""Periods, saved views, where figures come from, plots, comparisons and an agent's page."""

import datetime as dt
import re
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from calls import services, timeline
from calls.models import CallLog
from common.instants import day_start, now, today
from metrics.dashboard.audit import sum_calls
from metrics.definitions import ON_CARDS, PLOTTED
from metrics.models import DailyMetrics, SavedView
from metrics.rollups.daily import sums_of
from tests.support.people import People, make_call, make_user

pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]

PART = {"HX-Request": "true"}
DAY = 86_400


def signed_in(user: User, **headers: str) -> Client:
    client = Client(headers={"Accept-Language": "en"} | headers)
    client.force_login(user)
    return client


def get(user: User, url: str, status: int = 200, **headers: str) -> Any:
    response = signed_in(user, **headers).get(url)
    assert response.status_code == status
    return response


def text_of(user: User, url: str, status: int = 200, **headers: str) -> str:
    return get(user, url, status, **headers).content.decode()


# --- The period bar ------------------------------------------------------------------------------

PAGES = [
    ("alice", "/"),
    ("sue", "/team/"),
    ("ada", "/organization/"),
    ("alice", "/agents/{alice}/"),
    ("alice", "/plots/"),
    ("alice", "/figures/calls_made/"),
]


@pytest.mark.parametrize(("who", "url"), PAGES)
def test_every_page_shows_the_period_of_its_address(people, who, url):
    for ago in (3600, DAY, DAY, 3 * DAY):
        make_call(people.alice, ago=ago)
    url, person = url.format(alice=people.alice.pk), getattr(people, who)
    for query, made in (
        ("", 1),
        ("period=yesterday", 2),
        (f"period=range&from={today() - dt.timedelta(days=3)}&to={today()}", 4),
    ):
        page = get(person, f"{url}?{query}")
        assert page.context["figures"].sums.calls_made == made
        marked = re.findall(r'href="([^"]*)" aria-current="true"', page.content.decode())
        assert marked == ([] if "range" in query else [f"{url}?{query or 'period=today'}"])


@pytest.mark.parametrize(("who", "url"), PAGES)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("period=fortnight", "There is no such period"),
        ("period=range&from=2026-02-30&to=2026-03-01", "Write a date as YYYY-MM-DD."),
        ("period=range&from=2026-03-02&to=2026-03-01", "The first day is after the last day."),
    ],
)
def test_a_period_that_cannot_be_read_is_said_and_never_ignored(people, who, url, query, words):
    url = f"{url.format(alice=people.alice.pk)}?{query}"
    assert words in text_of(getattr(people, who), url, status=400)


def test_the_bar_keeps_what_else_the_address_says(people):
    page = text_of(people.sue, f"/team/?team={people.red.pk}&sort=-calls_made&period=week")
    query = re.search(r'href="/team/\?([^"]*period=month)"', page)[1].replace("&amp;", "&")
    assert parse_qs(query) == {
        "team": [str(people.red.pk)],
        "sort": ["-calls_made"],
        "period": ["month"],
    }
    assert '<input type="hidden" name="sort" value="-calls_made">' in page


def test_cards_tell_the_change_against_the_period_before(people):
    for ago in (3600, 3000, 2000):
        make_call(people.alice, 60, ago=ago)
    make_call(people.alice, 120, ago=DAY + 3600)
    make_call(people.alice, 0, ago=DAY + 3600, status=timeline.FAILED)
    cards = text_of(people.alice, "/cards/", **PART)
    found = dict(re.findall(r'id="card_(\w+)".*?class="change ([^"]*)">', cards, re.DOTALL))
    assert (
        found.items()
        >= {
            "calls_made": "change-up ",
            "calls_success": "change-up change-good",
            "calls_failed": "change-down change-good",
            "avg_call_duration": "change-same ",
            "total_talk_time": "change-up ",
            "success_rate": "change-up change-good",
        }.items()
    )
    assert (
        "+50.0%" in cards
        and "+50.0 points" in cards
        and re.search(r"vs. yesterday until \d\d:\d\d: 2</span>", cards)
    )


def test_what_is_many_times_as_large_as_before_is_told_in_times(people):
    for ago in range(1000, 1012):
        make_call(people.alice, 60, ago=ago)
    make_call(people.alice, 60, ago=DAY + 3600)
    assert "×12 <" in text_of(people.alice, "/cards/", **PART)


def test_without_a_call_before_there_is_nothing_to_compare(people):
    make_call(people.alice)
    cards = text_of(people.alice, "/cards/", **PART)
    assert cards.count("Nothing to compare with") == len(ON_CARDS)
    assert "change-up" not in cards


@pytest.mark.parametrize("url", ["/", "/team/", "/organization/", "/reports/?period=today"])
def test_a_page_says_up_to_when_it_compares(people, url):
    who = people.alice if url == "/" else people.ada
    page = text_of(who, url, **{"Accept-Language": "es"})
    assert re.search(r">\s*Cambios frente a ayer hasta las \d\d:\d\d\s*<", page)


# --- Saved views ---------------------------------------------------------------------------------


def save(user: User, **fields: str) -> Any:
    given = {"name": "Red", "path": "/team/", "query": "period=week"}
    return signed_in(user).post("/views/", given | fields)


def test_a_view_is_saved_opened_renamed_and_deleted(people):
    save(people.sue, query="period=week&sort=-calls_made&cursor=xyz")
    view = SavedView.objects.get()
    client = signed_in(people.sue)
    assert client.get(f"/views/{view.pk}/")["Location"] == "/team/?period=week&sort=-calls_made"
    client.post(f"/views/{view.pk}/rename/", {"name": "Mondays"})
    assert ">Mondays</a>" in client.get("/views/").content.decode()
    client.post(f"/views/{view.pk}/delete/")
    assert not SavedView.objects.exists()


BARS = ["/", "/team/", "/organization/", "/calls/", "/reports/", "/plots/", "/figures/calls_made/"]


@pytest.mark.parametrize("url", BARS)
def test_every_page_with_a_bar_can_be_saved(people, url):
    assert 'class="period-bar"' in text_of(people.ada, url)
    assert save(people.ada, path=url).status_code == 302


def test_a_view_is_its_owners_alone(people):
    save(people.sue)
    view = SavedView.objects.get()
    other = signed_in(people.sam)
    assert "Red" not in other.get("/views/").content.decode()
    for action in ("rename", "delete"):
        assert other.post(f"/views/{view.pk}/{action}/", {"name": "x"}).status_code == 404
    save(people.sam)  # the same name, another owner
    assert SavedView.objects.filter(name="Red").count() == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "Taken"}, "You have a view of this name already."),
        ({"path": "https://example.com/"}, "This page cannot be saved as a view."),
        ({"path": "//example.com/"}, "This page cannot be saved as a view."),
        ({"path": "/logout/"}, "This page cannot be saved as a view."),
        ({"path": "/nowhere/"}, "This page cannot be saved as a view."),
        ({"query": "q=" + "x" * 2000}, "at most 2000 characters"),
    ],
)
def test_what_cannot_be_saved_is_said(people, fields, words):
    save(people.sue, name="Taken")
    response = save(people.sue, **fields)
    assert response.status_code == 400
    assert words in response.content.decode()
    assert SavedView.objects.count() == 1


def test_a_taken_name_is_refused_on_renaming_too(people):
    save(people.sue, name="One")
    save(people.sue, name="Two")
    two = SavedView.objects.get(name="Two")
    page = signed_in(people.sue).post(f"/views/{two.pk}/rename/", {"name": "One"}, follow=True)
    assert "You have a view of this name already." in page.content.decode()
    assert sorted(SavedView.objects.values_list("name", flat=True)) == ["One", "Two"]


def test_there_is_a_most(people, monkeypatch):
    monkeypatch.setattr("metrics.views.saved.MOST_VIEWS", 2)
    for name in ("One", "Two", "Three"):
        response = save(people.sue, name=name)
    assert "Delete one first." in response.content.decode()


# --- Where a figure comes from -------------------------------------------------------------------


def mixed_calls(people: People) -> None:
    for status, count in (("COMPLETED", 3), ("DROPPED", 2), ("NO_ANSWER", 1), ("FAILED", 1)):
        for number in range(count):
            make_call(people.alice, 60 + number, ago=3600 - 60 * number, status=status)
    begun = now() - dt.timedelta(hours=2)
    services.start_call(people.alice, reported=services.ReportedTime(begun, explicit=True))
    services.close_stale_calls()
    services.start_call(people.alice)


def parts(page: Any, name: str) -> dict[str, int]:
    return {str(part.label).split(":")[0]: part.count for part in page.context[name]}


def test_a_figures_page_says_what_counts_and_what_does_not(people):
    mixed_calls(people)
    page = get(people.alice, "/figures/calls_failed/")
    assert parts(page, "counted") == {"Dropped": 2, "No answer": 1, "Failed": 1}
    assert parts(page, "left_out") == {"Completed": 3, "Unconfirmed": 1, "In progress now": 1}
    assert "2 + 1 + 1 = 4" in page.content.decode()


def test_its_links_lead_to_exactly_those_calls(people):
    mixed_calls(people)
    make_call(people.bob, 60, status="DROPPED")
    make_call(people.alice, 60, ago=DAY, status="DROPPED")
    page = get(people.sue, f"/figures/calls_made/?agent={people.alice.pk}")
    assert parts(page, "counted") == {"Completed": 3, "Dropped": 2, "No answer": 1, "Failed": 1}
    for part in page.context["counted"]:
        listed = get(people.sue, f"/calls/?{part.query}").context["calls"]
        assert len(listed) == part.count + part.others
        assert {call.user for call in listed} == {people.alice}


def test_the_ledger_agrees(people):
    mixed_calls(people)
    page = get(people.alice, "/figures/avg_call_duration/check/")
    assert page.context["proof"].agrees
    assert "It agrees: 8 calls" in page.content.decode()
    part = text_of(people.alice, "/figures/avg_call_duration/check/", **PART)
    assert part.strip().startswith('<div id="figure_check"')


def test_the_ledger_differs_from_a_wrong_sum_and_from_a_wrong_call(people):
    call = make_call(people.alice, 60)
    DailyMetrics.objects.update(total_talk_time=999)
    proof = get(people.alice, "/figures/total_talk_time/check/").context["proof"]
    assert proof.wrong_sums == [("total_talk_time", 999, 60)]
    CallLog.objects.filter(pk=call.pk).update(talk_seconds=61)
    page = get(people.alice, "/figures/total_talk_time/check/")
    assert [(doubt.call.pk, doubt.fields) for doubt in page.context["proof"].doubts] == [
        (call.pk, ["talk_seconds"])
    ]
    assert "It differs" in page.content.decode()


def test_a_period_that_is_too_large_is_refused_with_a_reason(people, monkeypatch):
    monkeypatch.setattr("metrics.dashboard.audit.MOST_CALLS", 2)
    for _ in range(3):
        make_call(people.alice)
    assert "This period has 3 calls" in text_of(people.alice, "/figures/calls_made/check/")


def test_calls_add_up_in_python_as_they_do_in_the_database(people):
    mixed_calls(people)
    call, _ = services.start_call(
        people.alice,
        reported=services.ReportedTime(now() - dt.timedelta(seconds=90), explicit=True),
    )
    for action, ago in (("answer", 80), ("hold", 50), ("resume", 30)):
        at = services.ReportedTime(now() - dt.timedelta(seconds=ago), explicit=True)
        services.step(call.call_id, people.alice, action, reported=at)
    services.end_call(call.call_id, people.alice)
    calls = CallLog.objects.filter(user=people.alice)
    day = today()
    summed = sum_calls(calls)
    assert (summed.calls_made, summed.hold_time) == (8, 20)
    assert summed == sums_of([people.alice.pk], day, day)


def test_an_unknown_figure_is_not_there(people):
    get(people.alice, "/figures/happiness/", status=404)


# --- Plots ---------------------------------------------------------------------------------------


def test_plots_draw_what_the_figures_say(people):
    begun = day_start(today()) + dt.timedelta(hours=10)
    for seconds, status in ((90, "COMPLETED"), (200, "COMPLETED"), (20, "NO_ANSWER")):
        call, _ = services.start_call(
            people.alice, reported=services.ReportedTime(begun, explicit=True)
        )
        ended = services.ReportedTime(begun + dt.timedelta(seconds=seconds), explicit=True)
        services.end_call(call.call_id, people.alice, status=status, reported=ended)
    page = get(people.alice, "/plots/")
    assert [(s.kind, s.value) for s in page.context["status_shares"]] == [
        ("completed", 2),
        ("no-answer", 1),
        ("dropped", 0),
        ("failed", 0),
    ]
    assert sum(share.width for share in page.context["status_shares"]) == 1000
    assert [(s.kind, s.value) for s in page.context["time_shares"]] == [
        ("talk", 290),
        ("ring", 20),
        ("hold", 0),
        ("wrap-up", 0),
    ]
    counts = {one.label: one.count for one in page.context["length_classes"] if one.count}
    assert counts == {"no talk": 1, "01:00–02:00": 1, "03:00–05:00": 1}
    cells = [cell for row in page.context["heat_map"].weekdays for cell in row.cells if cell.count]
    assert [(cell.count, cell.level) for cell in cells] == [(3, 5)]


@pytest.mark.parametrize("url", ["/plots/", "/plots/?period=month"])
def test_every_plot_has_its_numbers_as_a_table(people, url):
    make_call(people.alice)
    page = text_of(people.alice, url)
    plots = re.findall(r'<svg class="plot[^>]*>', page)
    assert len(plots) == 5 + len(PLOTTED)
    assert all('role="img"' in plot and "aria-label=" in plot for plot in plots)
    assert page.count("<table") == 5  # the plots over time share one
    assert "style=" not in page and "<script>" not in page


def test_long_periods_are_drawn_by_weeks_and_months(people):
    """Ending on a Wednesday: 62 days, 120 days of 18 weeks, 900 days of 30 months."""
    last = dt.date(2026, 3, 18)
    reported = services.ReportedTime(day_start(last) + dt.timedelta(hours=10), explicit=True)
    call, _ = services.start_call(people.alice, reported=reported)
    services.end_call(call.call_id, people.alice, reported=reported)
    for days, bars in ((62, 62), (120, 18), (900, 30)):
        url = f"/plots/?from={last - dt.timedelta(days=days - 1)}&to={last}"
        trend = get(people.alice, url).context["trend"]
        assert len(trend.bars) == bars
        assert sum(bar.stretch.sums.calls_made for bar in trend.bars) == 1
        ends = [(bar.stretch.first, bar.stretch.last) for bar in trend.bars]
        steps = pairwise(ends)
        assert all(after[0] - before[1] == dt.timedelta(days=1) for before, after in steps)


# --- Comparison ----------------------------------------------------------------------------------


def order(user: User, url: str) -> list[str]:
    return [line.row.name for line in get(user, url).context["table"].lines]


def test_the_table_is_sorted_by_any_column(people):
    make_call(people.alice, 100)
    make_call(people.bob, 20)
    make_call(people.bob, 30, status="DROPPED")
    assert order(people.sue, "/team/") == ["Alice", "Bob"]
    assert order(people.sue, "/team/?sort=-name") == ["Bob", "Alice"]
    assert order(people.sue, "/team/?sort=-calls_made") == ["Bob", "Alice"]
    assert order(people.sue, "/team/?sort=avg_call_duration") == ["Bob", "Alice"]
    assert order(people.sue, "/team/?sort=-success_rate") == ["Alice", "Bob"]
    assert order(people.ada, "/organization/?sort=-people") == ["Without a team", "Red", "Blue"]
    page = text_of(people.sue, "/team/?sort=-calls_made")
    assert page.count('aria-sort="descending"') == 1
    get(people.sue, "/team/?sort=beauty", status=400)


def daily(user: User, made: int, success: int, seconds: int) -> None:
    """A day's row as if `made` calls of differing lengths had been."""
    DailyMetrics.objects.create(
        user=user,
        day=today(),
        calls_made=made,
        calls_success=success,
        calls_failed=made - success,
        calls_dropped=made - success,
        total_talk_time=made * seconds,
        talk_squares=made * seconds * seconds * 2,
    )


def test_only_sound_differences_are_marked(people):
    dan = make_user("dan", "Agent", people.red)
    daily(people.alice, 400, 390, 100)
    daily(people.bob, 400, 300, 105)
    daily(dan, 20, 1, 500)
    lines = get(people.sue, "/team/").context["table"].lines
    verdicts = {
        line.row.name: (str(line.judgement.rate), str(line.judgement.length)) for line in lines
    }
    assert verdicts == {
        "Alice": ("highest", "same"),
        "Bob": ("lowest", "same"),
        "Dan": ("too few", "too few"),
    }
    page = text_of(people.sue, "/team/")
    assert page.count("too few calls to tell") >= 2
    assert re.search(r'verdict-good">best<', page) and re.search(r'verdict-bad">worst<', page)
    assert "Newcombe" in page and "Bonferroni" in page


def test_very_many_people_are_shown_a_part_at_a_time(people, monkeypatch):
    monkeypatch.setattr("metrics.dashboard.tables.MOST_ROWS", 1)
    assert order(people.sue, "/team/") == ["Alice"]
    page = get(people.sue, "/team/")
    assert page.context["table"].hidden == 1
    assert order(people.sue, f"/team/?{page.context['table'].all_query}") == ["Alice", "Bob"]


def test_of_very_many_calls_the_longest_are_shown_by_name(people, monkeypatch):
    monkeypatch.setattr("metrics.dashboard.wallboard.MOST_SHOWN", 1)
    for person, ago in ((people.alice, 20), (people.bob, 40)):
        begun = now() - dt.timedelta(seconds=ago)
        services.start_call(person, reported=services.ReportedTime(begun, explicit=True))
    page = get(people.sue, "/team/")
    shown = page.context["wall"].shown_calls
    assert [one.running.call.user for one in shown] == [people.bob]
    assert "the longest 1 / 2" in page.content.decode()


# --- Down and up again ---------------------------------------------------------------------------


UP = ("/team/", "/organization/")


def links(user: User, url: str) -> set[str]:
    return {
        href.replace("&amp;", "&") for href in re.findall(r'href="([^"]*)"', text_of(user, url))
    }


def test_the_way_down_and_back_keeps_the_period(people):
    call = make_call(people.alice, ago=DAY)
    red, alice, period = people.red.pk, people.alice.pk, "period=yesterday"
    team, agent = f"/team/?team={red}&{period}", f"/agents/{alice}/?{period}"
    assert team in links(people.ada, f"/organization/?{period}")
    assert agent in links(people.ada, team)
    assert f"/organization/?{period}" in links(people.ada, team)
    down = links(people.ada, agent)
    assert f"/calls/{call.call_id}/?{period}" in down
    assert {f"/organization/?{period}", f"/team/?{period}&team={red}"} <= down
    assert f"/agents/{alice}/?{period}" in links(people.ada, f"/calls/{call.call_id}/?{period}")


def test_an_agent_has_no_way_up_to_what_is_not_theirs(people):
    found = {
        who: [url for url in links(who, f"/agents/{people.alice.pk}/") if url.startswith(UP)]
        for who in (people.alice, people.ada)
    }
    assert found[people.alice] == []
    assert found[people.ada] != []


def test_a_long_period_has_no_time_lines_but_a_way_to_its_days(people):
    make_call(people.alice, ago=DAY)
    page = get(people.alice, f"/agents/{people.alice.pk}/?period=last_month")
    assert page.context["refused"] == "long"
    day = today() - dt.timedelta(days=1)
    down = links(people.alice, f"/agents/{people.alice.pk}/?period=today")
    assert any(
        parse_qs(urlsplit(url).query).get("from") == [str(day)] for url in down if url[0] == "?"
    )


def test_too_many_calls_are_not_drawn(people, monkeypatch):
    monkeypatch.setattr("metrics.charts.agent_day.MOST_CALLS", 1)
    make_call(people.alice)
    make_call(people.alice)
    page = get(people.alice, f"/agents/{people.alice.pk}/")
    assert (page.context["refused"], page.context["lines"]) == ("many", [])


# --- The wall ------------------------------------------------------------------------------------


def test_a_tile_keeps_its_place_whatever_its_person_does(people):
    def tiles() -> list[tuple[str, bool]]:
        wall = get(people.sue, "/wall/").context["wall"]
        return [(tile.user.username, bool(tile.calls)) for tile in wall.tiles]

    assert tiles() == [("alice", False), ("bob", False)]
    services.start_call(people.bob)
    assert tiles() == [("alice", False), ("bob", True)]


def test_a_tile_knows_its_teams_thresholds(people):
    people.red.amber_seconds, people.red.red_seconds = 10, 2000
    people.red.save()
    begun = now() - dt.timedelta(seconds=15)
    services.start_call(people.alice, reported=services.ReportedTime(begun, explicit=True))
    page = text_of(people.sue, "/wall/")
    assert "clock-amber" in page and 'data-amber="10" data-red="2000"' in page


def test_the_sound_is_off_at_first(people):
    switch = re.search(r'<input id="wall_sound"[^>]*>', text_of(people.sue, "/wall/"))[0]
    assert "checked" not in switch


# --- Cost ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "url"),
    [
        ("alice", "/?period=month"),
        ("sue", "/team/?period=month"),
        ("sue", "/team/?team={red}&period=last_month"),
        ("ada", "/organization/?period=month"),
        ("sue", "/wall/"),
        ("sue", "/agents/{alice}/?period=week"),
        ("sue", "/plots/?team={red}"),
        ("sue", "/figures/calls_made/?team={red}"),
        ("sue", "/views/"),
    ],
)
def test_no_page_asks_more_than_twelve_times(people, who, url, django_assert_max_num_queries):
    for number in range(4):
        agent = make_user(f"agent{number}", "Agent", people.red)
        make_call(agent, ago=3000)
        services.start_call(agent)
        make_call(people.alice, ago=1000 * number + 500)
    client = signed_in(getattr(people, who))
    with django_assert_max_num_queries(12):
        assert client.get(url.format(red=people.red.pk, alice=people.alice.pk)).status_code == 200
