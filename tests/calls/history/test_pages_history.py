"""The history and the page of one call: whose, filtered how, in pages, corrected by whom."""

import datetime as dt
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.utils.timezone import localtime

from accounts.models import User
from calls import services, timeline
from calls.history.columns import COLUMNS
from calls.models import CallLog, Contact
from common.instants import now
from tests.api.test_queries import Statements
from tests.support.people import make_call

pytestmark = pytest.mark.engines

PART = {"HX-Request": "true"}
ENGLISH = {"Accept-Language": "en"}


def signed_in(user: User) -> Client:
    client = Client(headers=ENGLISH)
    client.force_login(user)
    return client


def found(user: User, query: str = "") -> list[CallLog]:
    """The calls that the history shows `user` for a query string."""
    response = signed_in(user).get(f"/calls/{query}")
    assert response.status_code == 200
    return response.context["calls"]


def estimated_call(user: User) -> CallLog:
    """A call that the watchdog closed."""
    call, _ = services.start_call(
        user, reported=services.ReportedTime(now() - dt.timedelta(hours=1))
    )
    assert services.close_stale_calls() == 1
    return CallLog.objects.get(pk=call.pk)


# --- The list -------------------------------------------------------------------------------------
def test_everybody_sees_the_calls_they_may_see(people):
    mine, bobs, carols = (make_call(p) for p in (people.alice, people.bob, people.carol))
    assert found(people.alice) == [mine]
    assert found(people.sue) == [bobs, mine]
    assert found(people.ada) == [carols, bobs, mine]


def test_whoever_is_not_signed_in_is_sent_away(people, client):
    call = make_call(people.alice)
    assert client.get("/calls/").status_code == 302
    assert client.get(f"/calls/{call.call_id}/").status_code == 302


def test_by_agent_team_and_status(people):
    mine = make_call(people.alice)
    bobs = make_call(people.bob, status=timeline.FAILED)
    carols = make_call(people.carol)
    assert found(people.ada, "?agent=bob") == [bobs]
    assert found(people.ada, f"?agent={people.bob.pk}") == [bobs]
    assert found(people.ada, f"?team={people.red.pk}") == [bobs, mine]
    assert found(people.ada, f"?team={people.blue.pk}&status=COMPLETED") == [carols]
    assert found(people.ada, "?status=FAILED&agent=&team=&start_date=&end_date=") == [bobs]


def test_by_local_days_both_inclusive(people, settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    midnight = dt.datetime(2026, 3, 10, 6, tzinfo=dt.UTC)
    calls = []
    for offset in (-1, 0, -86_401):  # seconds from the beginning of 10 March there
        reported = services.ReportedTime(midnight + dt.timedelta(seconds=offset))
        calls.append(services.start_call(people.alice, reported=reported)[0])
    assert found(people.alice, "?start_date=2026-03-10") == [calls[1]]
    assert found(people.alice, "?start_date=2026-03-09&end_date=2026-03-09") == [calls[0]]
    assert found(people.alice, "?end_date=2026-03-09") == [calls[0], calls[2]]


def test_anothers_calls_are_none_even_when_asked_for(people):
    make_call(people.carol)
    assert found(people.sue, "?agent=carol") == []
    assert found(people.sue, f"?team={people.blue.pk}") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start_date=2026-02-30", "start_date"),
        ("end_date=yesterday", "end_date"),
        ("start_date=2026-03-02&end_date=2026-03-01", "start_date"),
        ("status=LOST", "status"),
        ("team=red", "team"),
        ("team=99999999999999999999999", "team"),
        ("agent=%00", "agent"),
        ("agent=" + "x" * 200, "agent"),
    ],
)
def test_a_filter_that_cannot_be_read_is_said_at_its_field(people, query, field):
    make_call(people.alice)
    for headers, status in (({}, 400), (PART, 200)):
        response = signed_in(people.sue).get(f"/calls/?{query}", headers=headers)
        assert response.status_code == status
        assert response.context["calls"] == []
        assert list(response.context["filter"].errors) == [field]
        text = response.content.decode()
        place = text[text.index(f'id="error_{field}"') :]
        assert "errorlist" in place[: place.index("</div>")]


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "%00", "1" * 5000])
def test_a_cursor_that_is_not_ours_is_refused_in_words(people, cursor):
    response = signed_in(people.alice).get(f"/calls/?cursor={cursor}")
    assert response.status_code == 400
    assert "follow the link" in response.content.decode()


def test_pages_follow_each_other_without_gaps_or_repeats(people, monkeypatch):
    monkeypatch.setattr("calls.views.history.CALLS_A_PAGE", 3)
    made = [make_call(people.alice, 5, ago=ago) for ago in range(100, 900, 100)]
    CallLog.objects.filter(pk__in=[call.pk for call in made[2:5]]).update(
        start_time=made[4].start_time
    )
    client, seen, cursor = signed_in(people.alice), [], ""
    for length in (3, 3, 2):
        response = client.get(f"/calls/?status=COMPLETED&cursor={cursor}")
        assert len(response.context["calls"]) == length
        seen += response.context["calls"]
        cursor = response.context["older"]
    assert cursor == ""
    assert seen == list(CallLog.objects.order_by("-start_time", "-pk"))


def test_the_link_to_older_calls_keeps_the_filters(people, monkeypatch):
    monkeypatch.setattr("calls.views.history.CALLS_A_PAGE", 1)
    for ago in (300, 200, 100):
        make_call(people.alice, 5, ago=ago)
    response = signed_in(people.alice).get("/calls/?status=COMPLETED")
    text = response.content.decode()
    assert f"status=COMPLETED&amp;cursor={response.context['older']}" in text.replace("%3A", ":")


def test_empty_says_why(people):
    text = signed_in(people.alice).get("/calls/").content.decode()
    assert "No calls yet." in text
    text = signed_in(people.alice).get("/calls/?status=FAILED").content.decode()
    assert "No call matches these filters." in text
    assert 'href="/calls/">Clear filters' in text


def test_names_notes_and_outcomes_are_text_whatever_is_in_them(people):
    tag = '<b title="x">&\''
    User.objects.filter(pk=people.alice.pk).update(first_name=tag, last_name="")
    type(people.red).objects.filter(pk=people.red.pk).update(name=tag)
    contact = Contact.objects.create(name=tag)
    call = make_call(people.alice)
    CallLog.objects.filter(pk=call.pk).update(
        contact=contact, notes=tag, provider=tag, disposition=tag, end_reason=tag, contact_phone=tag
    )
    columns = ",".join(COLUMNS)
    for query in ("", f"?columns={columns}", "?columns=start,agent,contact"):
        text = signed_in(people.ada).get(f"/calls/{query}").content.decode()
        assert "<b title" not in text
        assert text.count("&lt;b title=&quot;x&quot;&gt;&amp;&#x27;") > 2


def test_the_choice_has_only_people_one_may_see(people):
    assert 'name="agent"' not in signed_in(people.alice).get("/calls/").content.decode()
    agents = signed_in(people.sue).get("/calls/").context["agents"]
    assert agents == [("alice", "Alice"), ("bob", "Bob"), ("sue", "Sue")]
    assert signed_in(people.sue).get("/calls/").context["teams"] == [(str(people.red.pk), "Red")]


def test_htmx_gets_only_the_table(people):
    make_call(people.alice)
    response = signed_in(people.alice).get("/calls/", headers=PART)
    assert response.content.decode().strip().startswith('<section id="calls_table"')
    assert "HX-Request" in response["Vary"]


@pytest.mark.parametrize("who", ["alice", "sue", "ada"])
def test_the_queries_do_not_grow_with_the_calls(people, who):
    contact = Contact.objects.create(name="Zoe", phone="88887777", team=people.red)
    for ago in range(100, 700, 20):
        make_call(people.alice, 5, ago=ago, contact=contact)
        make_call(people.bob, 5, ago=ago)
    client = signed_in(getattr(people, who))
    with Statements(connection) as seen:
        assert len(client.get("/calls/").context["calls"]) >= 30
    assert len(seen.sql) <= 12, "\n".join(seen.sql)


# --- One call -------------------------------------------------------------------------------------
def call_page(user: User, call: CallLog) -> str:
    response = signed_in(user).get(f"/calls/{call.call_id}/")
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 200), ("bob", 404), ("carol", 404), ("sue", 200), ("sam", 404), ("ada", 200)],
)
def test_who_may_see_a_call(people, who, status):
    call = make_call(people.alice)
    assert signed_in(getattr(people, who)).get(f"/calls/{call.call_id}/").status_code == status


def test_an_unknown_call_is_not_there(people):
    assert signed_in(people.ada).get(f"/calls/{uuid.uuid4()}/").status_code == 404


def test_the_parts_of_a_call_are_drawn_in_proportion(people):
    begun = now() - dt.timedelta(seconds=1000)

    def reported(second: int) -> services.ReportedTime:
        return services.ReportedTime(begun + dt.timedelta(seconds=second), explicit=True)

    call, _ = services.start_call(people.alice, reported=reported(0))
    for second, action in (
        (100, "answer"),
        (200, "hold"),
        (300, "resume"),
        (600, "pause"),
        (650, "unpause"),
    ):
        services.step(call.call_id, people.alice, action, reported=reported(second))
    services.end_call(call.call_id, people.alice, reported=reported(1000))
    response = signed_in(people.alice).get(f"/calls/{call.call_id}/")
    parts = [(part.kind, part.x, part.width) for part in response.context["parts"]]
    assert parts == [("ring", 0, 100), ("talk", 100, 900), ("hold", 200, 100), ("pause", 600, 50)]


def test_a_call_that_nobody_answered_is_all_ring(people):
    call = make_call(people.alice, status=timeline.NO_ANSWER)
    response = signed_in(people.alice).get(f"/calls/{call.call_id}/")
    assert [(part.kind, part.width) for part in response.context["parts"]] == [("ring", 1000)]


def test_the_ledger_says_who_said_what(people):
    call = make_call(people.alice)
    services.correct_call(call, people.sue, reason="It rang longer", status=timeline.NO_ANSWER)
    text = call_page(people.alice, call)
    assert "It rang longer" in text
    assert "A supervisor or administrator" in text
    assert text.count("<time") == 3


def test_own_notes_can_be_written_and_others_not(people):
    call = make_call(people.alice)
    url = f"/calls/{call.call_id}/note/"
    notes = "Call again\r\ntomorrow"
    assert signed_in(people.alice).post(url, {"notes": notes}).status_code == 302
    call.refresh_from_db()
    assert call.notes == "Call again\r\ntomorrow"
    assert signed_in(people.sue).post(url, {"notes": "no"}).status_code == 404
    assert signed_in(people.bob).post(url, {"notes": "no"}).status_code == 404
    assert signed_in(people.alice).get(url).status_code == 405
    call.refresh_from_db()
    assert call.notes == "Call again\r\ntomorrow"


@pytest.mark.parametrize("notes", ["x" * 10_001, "nul\x00"])
def test_notes_that_cannot_be_kept_are_refused_in_words(people, notes):
    call = make_call(people.alice)
    response = signed_in(people.alice).post(f"/calls/{call.call_id}/note/", {"notes": notes})
    assert response.status_code == 400
    assert "errorlist" in response.content.decode()


def correction(call: CallLog, **changes: str) -> dict[str, str]:
    """What the form sends for `call` with some fields changed."""
    fields = {"start": call.start_time, "answered": call.answered_time, "end": call.end_time}
    sent = {name: f"{localtime(at):%Y-%m-%dT%H:%M:%S}" if at else "" for name, at in fields.items()}
    return sent | {"status": call.status, "reason": "The agent forgot to hang up"} | changes


def correct(user: User, call: CallLog, **changes: str):
    client = signed_in(user)
    return client.post(f"/calls/{call.call_id}/correct/", correction(call, **changes))


def test_a_correction_changes_only_what_was_changed(people):
    call = make_call(people.alice, 60.5)
    begun = call.start_time
    end = begun.replace(microsecond=0) + dt.timedelta(seconds=41)
    assert correct(people.sue, call, end=f"{localtime(end):%Y-%m-%dT%H:%M:%S}").status_code == 302
    call.refresh_from_db()
    assert (call.start_time, call.end_time, call.status) == (begun, end, timeline.COMPLETED)
    said = call.events.get(kind=timeline.CORRECTED)
    assert set(said.data) == {"end", "reason"}
    assert said.actor == people.sue


def test_times_are_entered_in_the_organisations_zone(people, settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    call = make_call(people.alice, 60)
    local = call.start_time - dt.timedelta(hours=6)
    sent = {
        "start": f"{local:%Y-%m-%dT%H:%M:%S}",
        "answered": f"{local + dt.timedelta(seconds=10):%Y-%m-%dT%H:%M:%S}",
        "end": f"{call.end_time - dt.timedelta(hours=6):%Y-%m-%dT%H:%M:%S}",
    }
    assert correct(people.sue, call, **sent).status_code == 302
    call.refresh_from_db()
    answered = call.start_time.replace(microsecond=0) + dt.timedelta(seconds=10)
    assert call.answered_time == answered


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": "2001-01-01T00:00:00"}, "end"),
        ({"end": "2999-01-01T00:00:00"}, "end"),
        ({"end": ""}, "end"),
        ({"start": "soon"}, "start"),
        ({"answered": "2001-01-01T00:00:00"}, "answered"),
        ({"status": "IN_PROGRESS"}, "status"),
        ({"reason": "   "}, "reason"),
        ({"reason": "nul\x00"}, "reason"),
    ],
)
def test_an_impossible_correction_says_so_at_its_field(people, changes, field):
    call = make_call(people.alice)
    response = correct(people.sue, call, **changes)
    assert response.status_code == 400
    assert list(response.context["correction"].errors) == [field]
    assert not call.events.filter(kind=timeline.CORRECTED).exists()


def test_who_may_correct(people):
    call = make_call(people.alice)
    assert correct(people.alice, call).status_code == 403
    assert correct(people.sam, call).status_code == 404
    assert "Correct this call" not in call_page(people.alice, call)
    assert "Correct this call" in call_page(people.sue, call)


def test_a_running_call_cannot_be_corrected(people):
    call, _ = services.start_call(people.alice)
    assert "Correct this call" not in call_page(people.sue, call)
    sent = {"start": "2026-01-01T00:00", "end": "2026-01-01T00:01", "status": "COMPLETED"}
    url = f"/calls/{call.call_id}/correct/"
    response = signed_in(people.sue).post(url, sent | {"reason": "x"})
    assert response.status_code == 400
    assert "end it first" in response.content.decode()


def test_an_estimated_call_is_confirmed_as_it_stands(people):
    call = estimated_call(people.alice)
    assert "Confirm as it stands" in call_page(people.sue, call)
    url = f"/calls/{call.call_id}/accept/"
    assert signed_in(people.alice).post(url).status_code == 403
    assert signed_in(people.sam).post(url).status_code == 404
    assert signed_in(people.sue).post(url).status_code == 302
    confirmed = CallLog.objects.get(pk=call.pk)
    assert (confirmed.evidence, confirmed.end_time) == (timeline.CLICK, call.end_time)
    assert "Confirm as it stands" not in call_page(people.sue, call)


def test_the_call_page_asks_nine_queries_at_most(people, django_assert_max_num_queries):
    call = make_call(people.alice)
    for number in range(12):
        services.add_note(call, people.alice, f"note {number}")
    client = signed_in(people.sue)
    with django_assert_max_num_queries(9):
        assert client.get(f"/calls/{call.call_id}/").status_code == 200
