"""What the phone's window reports becomes calls: its own agent's, once, as long as they were."""

import datetime as dt
import json
import uuid

import pytest
from django.test import Client

from calls import services
from calls.models import CallLog
from calls.providers.webphone import outcome
from calls.telephony import stale_calls
from common.instants import now, to_ms
from tests.support.doors import client_of
from tests.support.webphones import make_account, make_line
from webphone.tasks import end_silent_parts

pytestmark = pytest.mark.engines
CALL = (
    ("connecting", 0, {}),
    ("progress", 1000, {}),
    ("accepted", 6000, {}),
    ("hold", 16000, {"originator": "local"}),
    ("unhold", 26000, {"originator": "local"}),
    ("ended", 66000, {"cause": "Terminated", "originator": "remote"}),
)


@pytest.fixture
def account(db):
    return make_account("wss://sip.example.org:8443/ws", display="{name} (Acme)")


@pytest.fixture
def alice(people, account):
    make_line(people.alice, account)
    return client_of(people.alice)


@pytest.fixture
def bob(people, account):
    make_line(people.bob, account)
    return client_of(people.bob)


def said(began, session="d1@host", steps=CALL, **more):
    """Events as the window keeps them, of a call that began at `began` (ms of its clock)."""
    common = {"session": session, "direction": "outbound", "number": "+50687654321", **more}
    return [
        {**common, "event": event, "n": place, "at": began + after, **own}
        for place, (event, after, own) in enumerate(steps)
    ]


def report(client, events, **more):
    body = {"events": events, "sent_at": to_ms(now()), "offset": 0, **more}
    return client.post("/phone/events/", json.dumps(body), "application/json")


def lengths(call):
    return call.status, call.ring_seconds, call.talk_seconds, call.hold_seconds


def minutes_ago(minutes):
    return to_ms(now()) - minutes * 60_000


def test_a_call_however_often_and_in_whatever_order(alice, people):
    events = said(minutes_ago(5))
    for part in (events[3:], events, list(reversed(events))):
        answer = report(alice, part)
        assert (answer.status_code, answer.json()) == (200, {"refused": []})
    (call,) = CallLog.objects.all()
    assert lengths(call) == ("COMPLETED", 6, 50, 10)
    assert (call.user, call.provider, call.evidence) == (people.alice, "phone", "B")
    assert (call.end_reason, call.missing, call.contact_phone) == (
        "remote_hangup",
        "",
        "+50687654321",
    )
    assert call.events.count() == len(CALL)


def test_an_event_that_is_lost_shows(alice):
    events = said(minutes_ago(5))
    report(alice, events[:3] + events[4:])
    assert CallLog.objects.get().missing == "events"


def test_who_reports_can_only_mean_their_own_part(alice, bob, people):
    began = minutes_ago(5)
    report(alice, said(began)[:3])
    report(bob, said(began, steps=[("ended", 9000, {"cause": "Terminated"})]))
    mine, theirs = CallLog.objects.get(user=people.alice), CallLog.objects.get(user=people.bob)
    assert mine.end_time is None and theirs.end_time is not None
    assert mine.conversation == theirs.conversation  # both ends of one dialogue are ours


def test_a_click_and_its_call_are_one_by_its_id(alice, people):
    clicks = [services.start_call(people.alice, contact_phone="22223333")[0] for _ in range(2)]
    began = minutes_ago(0)
    report(alice, said(began - 70_000, number="100", call_id=str(clicks[0].call_id)))
    (linked,) = CallLog.objects.filter(account__isnull=False)
    assert linked.call_id == clicks[0].call_id and linked.status == "COMPLETED"
    foreign, _ = services.start_call(people.carol)
    report(alice, said(began - 70_000, session="d2", call_id=str(foreign.call_id)))
    foreign.refresh_from_db()
    assert foreign.account is None
    assert CallLog.objects.filter(user=people.alice).count() == 3


def test_a_wrong_clock_is_corrected_and_all_of_a_call_alike(alice):
    wrong = 7_200_000
    began = minutes_ago(5) + wrong
    events = said(began)
    report(alice, events[:3], sent_at=to_ms(now()) + wrong - 400, offset=-wrong)
    report(alice, events[3:], sent_at=to_ms(now()) + wrong + 300, offset=-wrong)
    call = CallLog.objects.get()
    assert to_ms(call.start_time) == began - wrong
    assert to_ms(call.end_time) - to_ms(call.answered_time) == 60_000
    report(alice, said(began, session="d2"), sent_at=to_ms(now()) + wrong, offset=0)
    other = CallLog.objects.exclude(pk=call.pk).get()  # such an offset is not believed
    assert abs(to_ms(other.start_time) - (began - wrong)) < 60_000


def test_what_cannot_be_recorded_is_named_and_the_rest_taken(alice, settings):
    old = said(minutes_ago(60 * 24 * 4), session="old")
    odd = [{"event": "levitated", "session": "x", "n": 0, "at": 1}, "nothing", {}]
    answer = report(alice, [*old, *said(minutes_ago(5)), *odd])
    assert answer.status_code == 200 and len(answer.json()["refused"]) == len(old) + len(odd)
    assert CallLog.objects.get().status == "COMPLETED"
    future = report(alice, said(to_ms(now()) + 3_600_000, session="f", steps=CALL[:1]))
    assert future.json() == {"refused": []}
    assert CallLog.objects.get(status="IN_PROGRESS").start_time <= now()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[]", 400),
        ('{"events": 1, "sent_at": 1}', 400),
        ('{"events": []}', 400),
        ("[" * 60_000, 400),
        (" " * 70_000, 413),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(alice, body, status):
    answer = alice.post("/phone/events/", body, "application/json")
    assert answer.status_code == status and answer.json()["error"]


def test_only_a_page_of_ours_may_report(people, account):
    make_line(people.alice, account)
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.alice)
    assert report(client, said(minutes_ago(5))).status_code == 403
    assert not CallLog.objects.exists()


def test_a_line_that_is_switched_off_reports_nothing(alice, people):
    line = people.alice.phone_line
    line.is_active = False
    line.save()
    assert report(alice, said(minutes_ago(5))).status_code == 404


def test_a_window_that_is_silent_for_too_long_has_died(alice, people):
    report(alice, said(minutes_ago(20))[:4])
    calls = CallLog.objects.all()
    seen = now() - dt.timedelta(minutes=12)
    calls.update(last_seen_at=seen)
    report(alice, [], alive=["d1@host", "d2@host"])
    assert stale_calls.ask_and_close() == 0
    calls.update(last_seen_at=seen)
    alice.get("/timer/")  # another page of the person is open
    services.heartbeat_all(people.alice)
    assert stale_calls.ask_and_close() == 1
    call = calls.get()
    assert (call.status, call.evidence, call.end_time) == ("DROPPED", "E", seen)
    lost = said(minutes_ago(12), steps=[("lost", 500, {})])
    report(alice, [{**lost[0], "n": 4}])
    call.refresh_from_db()
    assert (call.status, call.evidence, call.end_reason) == ("DROPPED", "B", "page_closed")
    assert call.missing == ""


def test_the_other_sides_end_is_that_of_a_window_that_died(alice, bob, people):
    """Until its own word comes, if that still does."""
    began = minutes_ago(10)
    report(alice, said(began)[:3])
    report(bob, said(began))
    own = CallLog.objects.get(user=people.alice)
    assert end_silent_parts.call_local() is None  # it may still say so itself
    CallLog.objects.filter(pk=own.pk).update(last_seen_at=now() - dt.timedelta(minutes=3))
    end_silent_parts.call_local()
    own.refresh_from_db()
    assert (own.status, own.evidence) == ("COMPLETED", "B")
    assert own.end_time == CallLog.objects.get(user=people.bob).end_time
    lost = said(began, steps=[("lost", 65_000, {})])[0]
    report(alice, [{**lost, "n": 3}])
    own.refresh_from_db()
    assert own.status == "DROPPED"


@pytest.mark.parametrize(
    ("event", "cause", "by", "expected"),
    [
        ("ended", "Terminated", "local", ("COMPLETED", "agent_hangup")),
        ("ended", "Terminated", "remote", ("COMPLETED", "remote_hangup")),
        ("ended", "RTP Timeout", "system", ("DROPPED", "media_timeout")),
        ("ended", "Connection Error", "system", ("DROPPED", "network")),
        ("ended", "Internal Error", "system", ("DROPPED", "network")),
        ("failed", "Busy", "remote", ("NO_ANSWER", "busy")),
        ("failed", "No Answer", "local", ("NO_ANSWER", "")),
        ("failed", "Rejected", "remote", ("NO_ANSWER", "rejected")),
        ("failed", "Canceled", "local", ("NO_ANSWER", "cancelled")),
        ("failed", "Unavailable", "remote", ("NO_ANSWER", "")),
        ("failed", "Not Found", "remote", ("FAILED", "invalid_number")),
        ("failed", "User Denied Media Access", "local", ("FAILED", "")),
        ("lost", "", "", ("DROPPED", "page_closed")),
    ],
)
def test_each_cause_has_its_status(event, cause, by, expected):
    assert outcome(event, cause, by) == expected


def test_an_id_that_is_none_is_refused(alice):
    events = said(minutes_ago(5), call_id="no-id")
    assert len(report(alice, events).json()["refused"]) == len(events)
    assert report(alice, said(minutes_ago(5), call_id=str(uuid.uuid4()))).json() == {"refused": []}
