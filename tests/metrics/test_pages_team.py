"""The team's and the organisation's pages: who sees whom, and what the figures say."""

import datetime as dt

import pytest
from django.test import Client

from accounts.models import Team, User
from calls import services, timeline
from calls.models import CallLog
from common.instants import day_start, local_now, now, today
from common.periods import named
from metrics.dashboard.wallboard import look_at
from tests.support.people import People, make_call, make_user

pytestmark = [pytest.mark.usefixtures("noon"), pytest.mark.engines]

PART = {"HX-Request": "true"}


def page(user: User, url: str = "/team/", **headers: str) -> str:
    client = Client(headers=headers)
    client.force_login(user)
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def wall_of(*people: User):
    return wall_over(User.objects.filter(pk__in=[person.pk for person in people]))


def wall_over(people):
    return look_at(people, named("today", local_now()))


def test_the_noon_of_these_tests(people):
    assert dt.timedelta(hours=11) < now() - day_start(today()) < dt.timedelta(hours=14)


@pytest.mark.parametrize(
    ("who", "url", "status"),
    [
        ("alice", "/team/", 403),
        ("alice", "/organization/", 403),
        ("sue", "/team/", 200),
        ("sue", "/organization/", 403),
        ("ada", "/team/", 200),
        ("ada", "/team/?team=none", 200),
        ("sue", "/team/?team=none", 404),
        ("sue", "/team/?team=0", 404),
        ("sue", "/team/?team=x%00", 404),
        ("ada", "/organization/", 200),
    ],
)
def test_who_may_open_what(people, client, who, url, status):
    client.force_login(getattr(people, who))
    assert client.get(url).status_code == status


def test_another_supervisors_team_is_not_there(people, client):
    client.force_login(people.sue)
    assert client.get(f"/team/?team={people.red.pk}").status_code == 200
    assert client.get(f"/team/?team={people.blue.pk}").status_code == 404


@pytest.mark.parametrize("url", ["/team/", "/organization/"])
def test_whoever_is_not_signed_in_is_sent_away(people, client, url):
    assert client.get(url).status_code == 302
    assert client.post(url).status_code == 302


def test_a_supervisor_sees_only_the_own_team(people):
    services.start_call(people.alice, contact_phone="8888 1111")
    services.start_call(people.carol, contact_phone="8888 2222")
    seen = page(people.sue)
    assert "8888 1111" in seen
    assert "8888 2222" not in seen
    assert "Carol" not in seen


def test_an_administrator_sees_all_teams_or_one(people):
    services.start_call(people.alice, contact_phone="8888 1111")
    services.start_call(people.carol, contact_phone="8888 2222")
    everything, blue = page(people.ada), page(people.ada, f"/team/?team={people.blue.pk}")
    assert ("8888 1111" in everything, "8888 2222" in everything) == (True, True)
    assert ("8888 1111" in blue, "8888 2222" in blue) == (False, True)


def test_of_those_without_a_team_only_who_calls_is_among_all(people):
    assert "Sam" not in page(people.ada)
    assert "Sam" in page(people.ada, "/team/?team=none")
    services.start_call(people.sam)
    assert "Sam" in page(people.ada)


def test_the_wall_says_who_talks_who_is_free_and_who_has_not_called(people):
    talking, _ = services.start_call(people.alice, contact_phone="8888 1111")
    services.step(talking.call_id, people.alice, "answer")
    last = make_call(people.bob, 60, ago=900)
    make_call(people.bob, 10, ago=1200)
    before = now()
    wall = wall_of(people.alice, people.bob, people.carol)
    after = now()
    assert [shown.running.call.pk for shown in wall.on_call] == [talking.pk]
    assert wall.on_call[0].running.call.activity == "talking"
    assert [(free.user.pk, free.since) for free in wall.free] == [(people.bob.pk, last.end_time)]
    assert before <= last.end_time + dt.timedelta(milliseconds=wall.free[0].idle_ms) <= after
    assert [free.user.pk for free in wall.silent] == [people.carol.pk]


def test_a_call_of_yesterday_does_not_make_today_s_idle_time(people):
    make_call(people.bob, 60, ago=20 * 3600)
    assert [free.user.pk for free in wall_of(people.bob).silent] == [people.bob.pk]


def test_a_long_call_stands_out(people, settings):
    settings.LONG_CALL_SECONDS = 600
    services.start_call(
        people.alice, reported=services.ReportedTime(now() - dt.timedelta(seconds=601))
    )
    services.start_call(
        people.bob, reported=services.ReportedTime(now() - dt.timedelta(seconds=500))
    )
    assert [shown.is_long for shown in wall_of(people.alice, people.bob).on_call] == [True, False]
    assert page(people.sue).count("wall-long") == 1


def test_the_clock_of_a_paused_call_stands(people):
    call, _ = services.start_call(people.alice)
    services.step(call.call_id, people.alice, "pause")
    assert 'data-running="0"' in page(people.sue)


def test_the_order_is_by_name_whoever_called_first(people):
    make_user("aaron", "Agent", people.red)
    for person in (people.bob, people.alice):
        services.start_call(person)
    wall = wall_over(User.objects.filter(team=people.red))
    assert [row.user.username for row in wall.rows] == ["aaron", "alice", "bob"]
    assert [shown.running.call.user.username for shown in wall.on_call] == ["alice", "bob"]


def test_the_total_is_a_ratio_of_sums(people):
    make_call(people.alice, 100)
    for ago in (3000, 2000, 1000):
        make_call(people.bob, 20, ago=ago)
    make_call(people.bob, 50, ago=500, status=timeline.NO_ANSWER)
    wall = wall_of(people.alice, people.bob)
    figures = [
        (row.sums.calls_made, row.sums.avg_call_duration, row.sums.calls_failed)
        for row in wall.rows
    ]
    assert figures == [(1, 100, 0), (4, 15, 1)]
    total = wall.total
    assert (total.calls_made, total.total_talk_time, total.avg_call_duration) == (5, 160, 32)
    assert total.success_rate == 80.0


def test_unconfirmed_calls_stand_beside_the_figures(people, settings):
    services.start_call(people.alice, reported=services.ReportedTime(now() - dt.timedelta(hours=1)))
    assert services.close_stale_calls() == 1
    seen = page(people.sue, **{"Accept-Language": "en"})
    assert "1 unconfirmed" in seen
    assert wall_of(people.alice).total.calls_made == 0


def test_who_left_is_shown_while_today_has_calls_of_theirs(people):
    make_call(people.bob)
    for person in (people.bob, people.alice):
        person.is_active = False
        person.save()
    assert [row.user.pk for row in wall_over(User.objects.filter(team=people.red)).rows] == [
        people.bob.pk
    ]


def test_htmx_gets_only_the_part_that_changes(people, client):
    for url, part in (("/team/", "team_live"), ("/organization/", "organization_live")):
        client.force_login(people.ada)
        response = client.get(url, headers=PART)
        text = response.content.decode().strip()
        assert text.startswith(f'<div id="{part}"')
        assert "<html" not in text
        assert "HX-Request" in response["Vary"]
        back = client.get(url, headers=PART | {"HX-History-Restore-Request": "true"})
        assert b"<html" in back.content


def test_no_teams_and_an_empty_team_are_said_in_words(people):
    english = {"Accept-Language": "en"}
    User.objects.update(team=None)
    assert "Nobody is in this team yet." in page(people.sue, **english)
    Team.objects.all().delete()
    assert "Without a team" in page(people.ada, "/organization/", **english)


def rows_of(user: User) -> dict[str, tuple[int, int, int]]:
    client = Client()
    client.force_login(user)
    rows = client.get("/organization/").context["rows"]
    return {row.value: (row.people, row.on_call, row.sums.calls_made) for row in rows}


def test_the_organisation_has_a_line_a_team_and_one_for_the_rest(people):
    make_call(people.alice)
    make_call(people.carol)
    make_call(people.sam)
    services.start_call(people.bob)
    red, blue = str(people.red.pk), str(people.blue.pk)
    assert rows_of(people.ada) == {blue: (1, 0, 1), red: (2, 1, 1), "none": (3, 0, 1)}


def test_the_trend_has_every_day_and_counts_today(people, client):
    make_call(people.alice, 30)
    make_call(people.bob, 90, status=timeline.FAILED, ago=100)
    client.force_login(people.ada)
    trend = client.get("/plots/").context["trend"]
    assert len(trend.bars) == 28
    assert trend.bars[0].stretch.first == today() - dt.timedelta(days=27)
    last = trend.bars[-1]
    assert (last.stretch.first, last.stretch.sums.calls_made) == (today(), 2)
    assert (last.all_height, last.good_height, last.failed_height) == (100, 50, 50)
    assert [bar.stretch.sums.calls_made for bar in trend.bars[:-1]] == [0] * 27
    assert [bar.stretch.inside for bar in trend.bars] == [False] * 27 + [True]


def busy_team(people: People, count: int) -> None:
    for number in range(count):
        agent = make_user(f"agent{number}", "Agent", people.red)
        make_call(agent, ago=3000)
        services.start_call(agent, contact_phone=f"8888 00{number:02d}")


@pytest.mark.parametrize(
    ("url", "who"), [("/team/", "sue"), ("/team/", "ada"), ("/organization/", "ada")]
)
def test_the_queries_do_not_grow_with_people_and_calls(
    people, client, url, who, django_assert_max_num_queries
):
    busy_team(people, 12)
    client.force_login(getattr(people, who))
    for headers in ({}, PART):
        with django_assert_max_num_queries(12):
            assert client.get(url, headers=headers).status_code == 200


def test_a_call_over_midnight_counts_as_the_last_one(people):
    """It began yesterday and ended today."""
    midnight = day_start(today())
    begun = services.ReportedTime(midnight - dt.timedelta(minutes=5))
    call, _ = services.start_call(people.bob, reported=begun)
    ended = services.ReportedTime(midnight + dt.timedelta(minutes=5))
    services.end_call(call.call_id, people.bob, reported=ended)
    assert [free.since for free in wall_of(people.bob).free] == [ended.at]
    assert CallLog.objects.count() == 1
