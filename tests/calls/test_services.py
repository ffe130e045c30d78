"""The one door for every change of a call: each service, twice, wrongly, and late."""

import datetime as dt
import re
import uuid
from dataclasses import replace

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from calls import services, timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.models import CallEvent, CallLog, Contact, Disposition, ProviderAccount
from calls.services import ReportedTime
from calls.services.recording import add_facts, fact
from common.instants import isoformat, now
from tests.support.announcements import listening
from tests.support.api import Api
from tests.support.people import make_call
from tests.support.processes import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def at(base, seconds):
    return ReportedTime(base + dt.timedelta(seconds=seconds), explicit=True)


def kinds(call):
    return list(call.events.values_list("kind", flat=True))


@pytest.fixture
def begun():
    return now() - dt.timedelta(hours=1)


def test_a_call_to_nobody_known_is_still_a_call(people):
    call, made = services.start_call(people.alice)
    assert made and call.is_active and call.who == ""
    assert kinds(call) == ["started"]


def test_an_unknown_contact_is_kept_as_given(people):
    call, _ = services.start_call(people.alice, contact_ref="contact_123")
    assert (call.contact, call.contact_ref, call.public_contact_id) == (
        None,
        "contact_123",
        "contact_123",
    )


def test_a_contact_is_found_by_reference_or_by_number(people):
    ana = Contact.objects.create(name="Ana", phone="5123 4567", external_id="crm-7")
    by_reference, _ = services.start_call(people.alice, contact_ref="crm-7")
    by_number, _ = services.start_call(people.alice, contact_phone="+506-5123-4567")
    assert by_reference.contact == by_number.contact == ana
    assert by_reference.contact_phone == "+50651234567"
    assert by_number.contact_phone == "+506-5123-4567"  # as it was given


def test_another_teams_contact_is_not_found(people):
    Contact.objects.create(name="Ana", phone="51234567", external_id="crm-7", team=people.blue)
    call, _ = services.start_call(people.alice, contact_ref="crm-7")
    assert call.contact is None


def test_a_start_sent_twice_is_one_call(people):
    call_id = uuid.uuid4()
    first, made = services.start_call(people.alice, call_id=call_id)
    second, again = services.start_call(people.alice, call_id=call_id)
    assert (made, again, first.pk) == (True, False, second.pk)
    assert CallEvent.objects.count() == 1


def test_another_persons_call_id_is_not_taken_over(people):
    call, _ = services.start_call(people.alice)
    with pytest.raises(CallNotFound):
        services.start_call(people.bob, call_id=call.call_id)


def test_two_calls_run_at_once(people):
    services.start_call(people.alice)
    services.start_call(people.alice)
    assert CallLog.objects.active().count() == 2


def test_steps_are_timed_and_saying_them_again_adds_nothing(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    call_id = call.call_id
    for seconds, action in [(9, "answer"), (40, "hold"), (52.5, "resume"), (60, "pause")]:
        services.step(call_id, people.alice, action, reported=at(begun, seconds))
    services.step(call_id, people.alice, "pause")
    services.step(call_id, people.alice, "hold", reported=at(begun, 40))  # a late repetition
    services.step(call_id, people.alice, "unpause", reported=at(begun, 70))
    call = services.end_call(call_id, people.alice, reported=at(begun, 110.4))
    assert (call.ring_seconds, call.hold_seconds, call.paused_seconds) == (9, 12, 10)
    assert (call.duration_seconds, call.talk_seconds) == (100, 78)
    assert len(kinds(call)) == 7


def test_a_step_before_the_start_or_after_the_end_is_refused(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    with pytest.raises(BadCallData):
        services.step(call.call_id, people.alice, "hold", reported=at(begun, -1))
    services.end_call(call.call_id, people.alice)
    with pytest.raises(CallConflict):
        services.step(call.call_id, people.alice, "hold")
    assert kinds(call) == ["started", "ended"]


def test_an_end_sent_twice_counts_once_and_another_status_is_refused(people, begun):
    call = make_call(people.alice, 61.9)
    again = services.end_call(call.call_id, people.alice)
    assert (again.duration_seconds, kinds(call)) == (61, ["started", "ended"])
    with pytest.raises(CallConflict, match="COMPLETED"):
        services.end_call(call.call_id, people.alice, status="FAILED")


def test_a_repeated_end_is_still_the_same_after_a_correction(people):
    call = make_call(people.alice)
    services.correct_call(call, people.sue, reason="voicemail", status="NO_ANSWER")
    again = services.end_call(call.call_id, people.alice, status="COMPLETED")
    assert again.status == "NO_ANSWER"


@pytest.mark.parametrize("status", ["IN_PROGRESS", "DONE", "", "completed"])
def test_an_unknown_status_is_refused(people, status):
    call, _ = services.start_call(people.alice)
    with pytest.raises(BadCallData):
        services.end_call(call.call_id, people.alice, status=status)
    assert CallLog.objects.active().count() == 1


def test_another_agents_call_cannot_be_touched(people):
    call, _ = services.start_call(people.alice)
    for attempt in (
        lambda: services.end_call(call.call_id, people.bob),
        lambda: services.step(call.call_id, people.bob, "hold"),
        lambda: services.heartbeat(call.call_id, people.bob),
    ):
        with pytest.raises(CallNotFound):
            attempt()


def test_an_end_before_the_start_is_refused(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    with pytest.raises(BadCallData):
        services.end_call(call.call_id, people.alice, reported=at(begun, -0.001))


def test_a_clients_clock_is_corrected_by_sent_at():
    arrived = now()
    wrong = dt.timedelta(days=-400)  # the client's clock is more than a year behind
    reported = services.settle_instant(
        arrived + wrong - dt.timedelta(seconds=90), arrived + wrong, "started_at", arrived
    )
    assert reported == ReportedTime(arrived - dt.timedelta(seconds=90), offline=True, explicit=True)


@pytest.mark.parametrize(("days", "word"), [(0.01, "future"), (-3.01, "long ago")])
def test_impossible_instants_are_refused(days, word):
    arrived = now()
    with pytest.raises(BadCallData, match=word):
        services.settle_instant(arrived + dt.timedelta(days=days), None, "started_at", arrived)


def test_an_instant_out_of_any_calendar_is_refused():
    far = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    with pytest.raises(BadCallData):
        services.settle_instant(far, dt.datetime(1, 1, 2, tzinfo=dt.UTC), "started_at", now())


# --- Corrections ---


def test_a_correction_needs_a_reason_and_an_ended_call(people):
    running, _ = services.start_call(people.alice)
    with pytest.raises(CallConflict):
        services.correct_call(running, people.ada, reason="x", status="FAILED")
    with pytest.raises(BadCallData, match="reason"):
        services.correct_call(make_call(people.alice), people.ada, reason="  ", status="FAILED")


def test_a_correction_changes_what_it_names_and_stays_in_the_ledger(people):
    call = make_call(people.alice, 60)
    assert call.end_time is not None
    shorter = call.end_time - dt.timedelta(seconds=20)
    call = services.correct_call(call, people.ada, reason="hung up earlier", end=shorter)
    assert (call.duration_seconds, call.status) == (40, "COMPLETED")
    last = call.events.get(kind="corrected")
    assert (last.actor, last.source, last.data["reason"]) == (
        people.ada,
        "admin",
        "hung up earlier",
    )


@pytest.mark.parametrize(
    ("name", "second", "said"),
    [
        ("end", -0.001, "cannot end before it started"),
        ("start", 60.001, "cannot end before it started"),
        ("end", 7200, "in the future"),
        ("answered", -0.001, "between start and end"),
        ("answered", 60.001, "between start and end"),
    ],
)
def test_an_impossible_correction_is_refused(people, name, second, said):
    call = make_call(people.alice, 60, ago=3600)
    instant = call.start_time + dt.timedelta(seconds=second)
    with pytest.raises(BadCallData, match=said):
        services.correct_call(call, people.ada, reason="r", **{name: instant})
    assert kinds(call) == ["started", "ended"]


def test_notes_are_replaced_and_what_stood_there_stays_in_the_ledger(people):
    call = make_call(people.alice)
    services.add_note(call, people.alice, "first")
    call = services.add_note(call, people.alice, "second")
    assert call.notes == "second"
    assert kinds(call).count("noted") == 2


# --- The watchdog ---


def stale_call(user, seconds):
    call, _ = services.start_call(
        user, reported=ReportedTime(now() - dt.timedelta(seconds=seconds))
    )
    return call


def test_a_stale_call_is_closed_at_its_last_sign_of_life(people):
    call = stale_call(people.alice, 1000)
    alive = call.start_time + dt.timedelta(seconds=400)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=alive)
    assert services.close_stale_calls() == 1
    call.refresh_from_db()
    assert (call.status, call.evidence, call.end_time) == ("DROPPED", "E", alive)
    assert services.close_stale_calls() == 0


def test_a_call_with_a_heartbeat_lives_until_the_hard_limit(people, settings):
    stale_call(people.alice, 1000)
    services.heartbeat_all(people.alice)
    assert services.close_stale_calls() == 0
    settings.MAX_CALL_SECONDS = 900
    assert services.close_stale_calls() == 1


def test_the_late_truth_replaces_the_estimate(people):
    call = stale_call(people.alice, 1000)
    services.close_stale_calls()
    call = services.end_call(call.call_id, people.alice, reported=at(call.start_time, 1000))
    assert (call.status, call.evidence, call.duration_seconds) == ("COMPLETED", "C", 1000)


def test_an_estimate_can_be_confirmed(people):
    call = stale_call(people.alice, 1000)
    services.close_stale_calls()
    call = services.correct_call(call, people.sue, reason="it was so")
    assert (call.evidence, call.is_counted) == ("C", True)


# --- The law in the database ---


def test_the_ledger_cannot_be_rewritten(people):
    call = make_call(people.alice)
    event = call.events.first()
    event.kind = "noted"
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CallEvent.objects.filter(pk=event.pk).update(kind="noted")


@pytest.mark.parametrize(
    "change",
    [
        {"end_time": None},
        {"status": "IN_PROGRESS"},
        {"status": "DONE"},
        {"end_time": dt.datetime(2001, 1, 1, tzinfo=dt.UTC)},
        {"answered_time": dt.datetime(2001, 1, 1, tzinfo=dt.UTC)},
        {"duration_seconds": None},
        {"talk_seconds": -1},
    ],
)
def test_the_database_refuses_an_impossible_call(people, change):
    call = make_call(people.alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        CallLog.objects.filter(pk=call.pk).update(**change)


def test_every_stored_call_is_the_fold_of_its_events(people):
    call = make_call(people.alice, 90)
    services.correct_call(call, people.ada, reason="r", status="DROPPED")
    assert services.refold(call) == []
    CallLog.objects.filter(pk=call.pk).update(talk_seconds=1)
    assert services.refold(call) == ["talk_seconds"]


# --- To the millisecond, and who said so ---

MOMENT = dt.timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("ago", "settled", "offline"),
    [
        (dt.timedelta(seconds=-2), dt.timedelta(0), False),  # as far ahead as clocks may be
        (dt.timedelta(0), dt.timedelta(0), False),
        (dt.timedelta(seconds=10), dt.timedelta(seconds=10), False),
        (dt.timedelta(seconds=10) + MOMENT, dt.timedelta(seconds=10) + MOMENT, True),
        (dt.timedelta(hours=72), dt.timedelta(hours=72), True),
    ],
)
def test_an_instant_is_taken_as_told_within_its_bounds(ago, settled, offline):
    arrived = now()
    reported = services.settle_instant(arrived - ago, None, "occurred_at", arrived)
    assert reported == ReportedTime(arrived - settled, offline=offline, explicit=True)


@pytest.mark.parametrize(
    ("ago", "message"),
    [
        (-dt.timedelta(seconds=2) - MOMENT, "in the future"),
        (dt.timedelta(hours=72) + MOMENT, "at most 72 hours"),
    ],
)
def test_a_millisecond_beyond_them_it_is_refused_and_the_field_named(ago, message):
    arrived = now()
    with pytest.raises(BadCallData, match=message) as refusal:
        services.settle_instant(arrived - ago, None, "occurred_at", arrived)
    assert refusal.value.field == "occurred_at"


def test_what_is_told_without_an_instant_happened_when_it_arrived():
    arrived = now()
    assert services.settle_instant(None, None, "occurred_at", arrived) == ReportedTime(arrived)
    assert services.settle_instant(None, arrived - MOMENT, "x", arrived) == ReportedTime(arrived)


@pytest.fixture
def heard():
    with listening() as announcements:
        yield announcements


def test_each_change_is_announced_once_and_what_changes_nothing_is_not(people, begun, heard):
    call_id = uuid.uuid4()
    call, _ = services.start_call(people.alice, call_id=call_id, reported=at(begun, 0))

    assert heard == [("call_started", call)]
    heard.clear()
    services.start_call(people.alice, call_id=call_id)
    assert heard.take() == []
    services.step(call_id, people.alice, "answer", reported=at(begun, 5))
    assert heard.take() == ["call_changed"]
    services.step(call_id, people.alice, "answer")
    services.heartbeat(call_id, people.alice)
    assert heard.take() == []
    services.end_call(call_id, people.alice, reported=at(begun, 60))
    assert heard.take() == ["call_ended"]
    services.end_call(call_id, people.alice)
    assert heard.take() == []
    services.add_note(call, people.alice, "n")
    services.correct_call(call, people.sue, reason="r", status="DROPPED")
    assert heard.take() == ["call_changed", "call_changed"]
    services.add_note(call, people.alice, "n")
    assert heard.take() == []


def test_an_outcome_that_is_told_after_the_end_is_announced_once(people, heard):
    Disposition.objects.get_or_create(code="sale")
    call = make_call(people.alice)
    heard.clear()
    services.end_call(call.call_id, people.alice, disposition="sale")
    assert heard.take() == ["call_changed"]
    services.end_call(call.call_id, people.alice, disposition="sale")
    assert heard.take() == []


def test_a_stale_calls_end_is_announced_as_an_end(people, heard):
    stale_call(people.alice, 1000)
    heard.clear()
    services.close_stale_calls()
    assert heard.take() == ["call_ended"]
    services.end_call(CallLog.objects.get().call_id, people.alice)  # the late truth, another end
    assert heard.take() == ["call_ended"]


def test_the_ledger_says_who_said_what_when_and_by_which_door(people, begun):
    def by_client(seconds):
        return replace(at(begun, seconds), source="client")

    call, _ = services.start_call(people.alice, reported=by_client(0))
    call_id = call.call_id
    services.step(call_id, people.alice, "hold", reported=by_client(9))
    services.end_call(call_id, people.alice, reported=by_client(60), notes="hello")
    services.add_note(call, people.alice, "by herself")
    services.add_note(call, people.sue, "by another")
    services.correct_call(call, people.alice, reason=" mine ", status="DROPPED")
    lines = [
        (event.key.partition(":")[0], event.source, event.actor, event.data)
        for event in call.events.order_by("pk")
    ]
    assert lines == [
        ("started", "client", people.alice, {}),
        ("held", "client", people.alice, {}),
        ("ended", "client", people.alice, {"status": "COMPLETED", "notes": "hello"}),
        ("noted", "agent", people.alice, {"notes": "by herself"}),
        ("noted", "admin", people.sue, {"notes": "by another"}),
        ("corrected", "agent", people.alice, {"status": "DROPPED", "reason": "mine"}),
    ]
    occurred = [event.occurred_at for event in call.events.order_by("pk")[:3]]
    assert occurred == [at(begun, seconds).at for seconds in (0, 9, 60)]


@pytest.mark.parametrize("ago", [None, 60])
def test_the_ledger_of_a_programs_call_says_that_a_program_told_of_it(people, ago):
    when = {} if ago is None else {"started_at": isoformat(now() - dt.timedelta(seconds=ago))}
    assert Api(people.alice).post("calls/start/", when).status_code == 201
    assert CallEvent.objects.get().source == "client"


def test_a_start_keeps_all_that_it_is_told(people, begun):
    ana = Contact.objects.create(name="Ana", phone="51234567", external_id="crm-7")
    call, _ = services.start_call(
        people.alice,
        contact=ana,
        contact_ref="seen in the crm",
        direction="inbound",
        provider="desk phone",
        reported=at(begun, 0),
    )
    call = CallLog.objects.get(pk=call.pk)
    assert (call.user, call.contact, call.contact_ref) == (people.alice, ana, "seen in the crm")
    assert (call.contact_phone, call.phone_e164) == ("+50651234567", "+50651234567")
    assert (call.direction, call.provider) == ("inbound", "desk phone")
    assert call.start_time == call.last_seen_at == at(begun, 0).at
    assert services.start_call(people.alice)[0].direction == "outbound"


def test_a_number_that_was_given_goes_before_the_contacts(people):
    ana = Contact.objects.create(name="Ana", phone="51234567")
    call, _ = services.start_call(people.alice, contact=ana, contact_phone="8765 4321")
    assert (call.contact, call.contact_phone, call.phone_e164) == (ana, "8765 4321", "+50687654321")


def test_a_known_id_of_another_is_refused_with_the_field(people):
    call, _ = services.start_call(people.alice)
    with pytest.raises(CallNotFound, match="belongs to another call") as refusal:
        services.start_call(people.bob, call_id=call.call_id)
    assert refusal.value.field == "call_id"


@pytest.mark.parametrize("action", ["answer", "hold", "resume", "pause", "unpause"])
def test_a_click_that_says_what_is_so_already_adds_no_line(people, action):
    before = {"resume": ["hold", "resume"], "unpause": ["pause", "unpause"]}.get(action, [action])
    call, _ = services.start_call(
        people.alice, reported=ReportedTime(now() - dt.timedelta(seconds=9))
    )
    for earlier in before:
        services.step(call.call_id, people.alice, earlier)
    lines = ["started", *(services.STEPS[earlier] for earlier in before)]
    assert kinds(call) == lines
    services.step(call.call_id, people.alice, action)
    assert kinds(call) == lines


def test_a_step_that_is_reported_again_after_the_end_changes_nothing(people, begun):
    def at(seconds):
        return ReportedTime(begun + dt.timedelta(seconds=seconds), explicit=True)

    call, _ = services.start_call(people.alice, reported=at(0))
    services.step(call.call_id, people.alice, "hold", reported=at(20))
    ended = services.end_call(call.call_id, people.alice, reported=at(50))
    again = services.step(call.call_id, people.alice, "hold", reported=at(20))
    assert again.hold_seconds == ended.hold_seconds == 30
    assert call.events.count() == 3


def test_a_step_is_of_the_call_that_it_names(people):
    one, _ = services.start_call(people.alice)
    other, _ = services.start_call(people.alice)
    for call in (other, one):
        assert services.step(call.call_id, people.alice, "hold").pk == call.pk
        assert kinds(call) == ["started", "held"]


def test_what_was_never_begun_is_not_ended_by_a_click(people):
    call, _ = services.start_call(people.alice)
    for action in ("resume", "unpause"):
        services.step(call.call_id, people.alice, action)
    assert kinds(call) == ["started"]


def test_a_step_may_be_at_the_very_start_and_names_the_field_before_it(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    services.step(call.call_id, people.alice, "answer", reported=at(begun, 0))
    assert kinds(call) == ["started", "answered"]
    with pytest.raises(BadCallData) as refusal:
        services.step(call.call_id, people.alice, "hold", reported=at(begun, -0.001))
    assert refusal.value.field == "occurred_at"


def test_what_is_told_late_counts_only_where_the_watchdog_alone_ended_the_call(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    services.close_stale_calls()
    with pytest.raises(CallConflict):
        services.step(call.call_id, people.alice, "answer")
    services.step(call.call_id, people.alice, "answer", reported=at(begun, 0))
    call = services.end_call(call.call_id, people.alice, reported=at(begun, 60))
    assert (call.answered_time, call.duration_seconds) == (at(begun, 0).at, 60)
    with pytest.raises(CallConflict):
        services.step(call.call_id, people.alice, "hold", reported=at(begun, 30))


def test_refusals_of_an_end_name_the_field(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    for wrong, field in (
        ({"status": "DONE"}, "status"),
        ({"reported": at(begun, -1)}, "ended_at"),
        ({"disposition": "never heard of"}, "disposition"),
    ):
        with pytest.raises(BadCallData) as refusal:
            services.end_call(call.call_id, people.alice, **wrong)
        assert refusal.value.field == field
    with pytest.raises(BadCallData, match="COMPLETED, DROPPED, NO_ANSWER, FAILED"):
        services.end_call(call.call_id, people.alice, status="DONE")
    assert (
        services.end_call(call.call_id, people.alice, reported=at(begun, 0)).duration_seconds == 0
    )


def test_a_click_never_ends_a_call_before_its_start(people):
    """The start may come from a clock a little ahead of ours."""
    ahead = ReportedTime(now() + dt.timedelta(hours=1), explicit=True)
    call, _ = services.start_call(people.alice, reported=ahead)
    call = services.end_call(call.call_id, people.alice)
    assert (call.end_time, call.duration_seconds) == (call.start_time, 0)
    assert call.events.get(kind="ended").occurred_at == call.start_time


def test_a_heartbeat_is_of_ones_own_running_call_alone(people, begun):
    running, _ = services.start_call(people.alice, reported=at(begun, 0))
    other, _ = services.start_call(people.bob, reported=at(begun, 0))
    ended = make_call(people.alice, 5, ago=3600)
    before = now()
    assert services.heartbeat(running.call_id, people.alice).last_seen_at >= before
    services.heartbeat_all(people.bob)
    for call in (ended, running, other):
        call.refresh_from_db()
    assert min(running.last_seen_at, other.last_seen_at) >= before
    assert ended.last_seen_at < before
    with pytest.raises(CallConflict, match="ended"):
        services.heartbeat(ended.call_id, people.alice)


@pytest.mark.parametrize(
    "change",
    [{"answered": 0}, {"answered": 60}, {"end": 0}, {"start": 60}],
    ids=["answered at once", "answered at the end", "no length, by its end", "by its start"],
)
def test_a_correction_may_reach_the_very_bounds_of_a_call(people, begun, change):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    services.end_call(call.call_id, people.alice, reported=at(begun, 60))
    instants = {name: at(begun, seconds).at for name, seconds in change.items()}
    call = services.correct_call(call, people.sue, reason="r", **instants)
    for name, instant in instants.items():
        assert getattr(call, f"{name}_time") == instant


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "IN_PROGRESS"}, "status"),
        ({"end": dt.timedelta(days=1)}, "end"),
        ({"start": dt.timedelta(seconds=60) + MOMENT}, "end"),
        ({"answered": -MOMENT}, "answered"),
        ({"answered": dt.timedelta(seconds=60) + MOMENT}, "answered"),
    ],
)
def test_a_refused_correction_names_the_field(people, begun, change, field):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    services.end_call(call.call_id, people.alice, reported=at(begun, 60))
    changed = {
        name: value if isinstance(value, str) else at(begun, 0).at + value
        for name, value in change.items()
    }
    with pytest.raises(BadCallData) as refusal:
        services.correct_call(call, people.sue, reason="r", **changed)
    assert refusal.value.field == field
    with pytest.raises(BadCallData) as refusal:
        services.correct_call(call, people.sue, reason=" ")
    assert refusal.value.field == "reason"


def test_an_answer_that_was_told_must_lie_within_the_corrected_call(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    services.step(call.call_id, people.alice, "answer", reported=at(begun, 9))
    services.end_call(call.call_id, people.alice, reported=at(begun, 60))
    with pytest.raises(BadCallData) as refusal:
        services.correct_call(call, people.sue, reason="r", end=at(begun, 8).at)
    assert refusal.value.field == "answered"


# --- Refused by the phone system ---


def test_a_refused_click_fails_with_what_the_phone_system_said(people, begun, heard):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    services.not_dialled(call.call_id, people.alice, "no such extension" + "." * 400)
    services.not_dialled(call.call_id, people.alice, "again")
    call.refresh_from_db()
    assert (call.status, call.end_reason, call.ended_by) == ("FAILED", "not_dialled", "dialler")
    line = call.events.get(kind="ended")
    assert (line.key, line.actor, line.source) == ("ended:dialler", None, "dialler")
    assert len(line.data["said"]) == 300
    assert line.data["said"].startswith("no such extension")
    assert heard.take() == ["call_started", "call_ended"]
    with pytest.raises(CallNotFound):
        services.not_dialled(call.call_id, people.bob, "not his")


def test_a_refusal_never_ends_a_call_before_its_start(people):
    ahead = ReportedTime(now() + dt.timedelta(hours=1), explicit=True)
    call, _ = services.start_call(people.alice, reported=ahead)
    assert services.not_dialled(call.call_id, people.alice, "no").duration_seconds == 0


def test_a_refusal_says_nothing_of_a_call_that_the_phone_system_told_of(people):
    call, _ = services.start_call(people.alice)
    account = ProviderAccount.objects.create(kind="generic", name="pbx")
    CallLog.objects.update(account=account)
    assert services.not_dialled(call.call_id, people.alice, "no").is_active


def test_a_corrected_end_may_be_this_very_moment(people, held_clock):
    call = make_call(people.alice)
    with pytest.raises(BadCallData, match="in the future"):
        services.correct_call(
            call, people.ada, reason="r", end=now() + dt.timedelta(milliseconds=1)
        )
    assert services.correct_call(call, people.ada, reason="r", end=now()).end_time == now()


# --- When a call is stale ---


@pytest.fixture
def held_clock():
    """The clock stands until the test shifts it."""
    with time_machine.travel(now(), tick=False) as clock:
        yield clock


def running_call(user, since, seen, **more):
    call, _ = services.start_call(user, reported=ReportedTime(now() - dt.timedelta(seconds=since)))
    last = None if seen is None else now() - dt.timedelta(seconds=seen)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=last, **more)
    return call


@pytest.mark.parametrize(
    ("since", "seen", "closed"),
    [
        (1000, 100, 0),
        (1000, 301, 1),
        (100, None, 0),  # never seen: since its start
        (301, None, 1),
        (14_000, 1, 0),
        (14_401, 1, 1),
    ],
)
def test_silence_and_length_make_a_call_stale(people, since, seen, closed):
    running_call(people.alice, since, seen)
    assert services.close_stale_calls() == closed


@pytest.mark.parametrize(("since", "seen"), [(1000, 300), (14_400, 1)])
def test_a_call_is_stale_a_millisecond_after_its_limit_and_not_at_it(
    people, held_clock, since, seen
):
    running_call(people.alice, since, seen)
    assert services.close_stale_calls() == 0
    held_clock.shift(0.001)
    assert services.close_stale_calls() == 1


@pytest.mark.parametrize(
    ("since", "answer", "closed"),
    [
        (1000, "", 0),
        (1000, services.GONE, 1),
        (1000, services.GOES_ON, 0),
        (14_401, "", 1),
        (14_401, services.GOES_ON, 0),
    ],
)
def test_a_phone_systems_call_is_stale_when_it_says_so_or_at_the_limit(
    people, since, answer, closed
):
    account = ProviderAccount.objects.create(kind="generic", name="pbx")
    call = running_call(people.alice, since, 900, account=account)
    assert services.close_stale_calls(answers={call.pk: answer} if answer else None) == closed


def test_an_answer_about_a_call_of_no_phone_system_means_nothing(people):
    call = running_call(people.alice, 100, 1)
    assert services.close_stale_calls(answers={call.pk: services.GONE}) == 0


def test_only_the_calls_that_are_asked_about_are_closed(people):
    one, other = running_call(people.alice, 1000, 900), running_call(people.bob, 1000, 900)
    assert services.close_stale_calls(CallLog.objects.filter(pk=one.pk)) == 1
    assert list(CallLog.objects.active()) == [other]


def test_the_watchdogs_line_says_that_it_is_an_estimate(people):
    call = running_call(people.alice, 1000, 900)
    services.close_stale_calls()
    call.refresh_from_db()
    line = call.events.get(kind="ended")
    assert (line.key, line.source, line.actor) == ("ended:watchdog", "watchdog", None)
    assert (call.ended_by, call.end_reason) == ("watchdog", "watchdog")
    assert call.end_time == line.occurred_at == call.last_seen_at


def test_a_sign_of_life_before_the_start_ends_the_call_at_its_start(people):
    running_call(people.alice, 1000, 2000)
    services.close_stale_calls()
    call = CallLog.objects.get()
    assert (call.end_time, call.duration_seconds) == (call.start_time, 0)


def test_a_refold_writes_what_the_ledger_proves_and_nothing_else(people):
    call, _other = make_call(people.alice, 90), make_call(people.bob, 30)
    CallLog.objects.filter(pk=call.pk).update(talk_seconds=1, contact_ref="kept")
    services.refold(call)
    call.refresh_from_db()
    assert (call.talk_seconds, call.contact_ref) == (90, "kept")
    assert services.refold(call) == []


# --- Races, refusals and neighbours ---


def test_a_start_that_another_request_was_quicker_with_is_that_call(people):
    """The other one starts the call right after this one has looked for it in vain."""
    call_id, quicker = uuid.uuid4(), []

    def race(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if "calls_callalias" in sql and not quicker:
            quicker.append(None)
            quicker[0] = services.start_call(people.alice, call_id=call_id)[0]
            services.start_call(people.alice)  # and a call that is nobody's repetition
        return result

    with connection.execute_wrapper(race):
        call, made = services.start_call(people.alice, call_id=call_id)
    assert (call, made) == (quicker[0], False)
    assert CallEvent.objects.count() == 2


def test_what_the_database_refuses_is_not_taken_for_a_repetition(people):
    services.start_call(people.alice)
    with pytest.raises(IntegrityError):
        services.start_call(people.alice, direction=None)


def test_an_instant_out_of_any_calendar_is_refused_with_the_field():
    far = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
    with pytest.raises(BadCallData, match="out of range") as refusal:
        services.settle_instant(far, dt.datetime(1, 1, 2, tzinfo=dt.UTC), "started_at", now())
    assert refusal.value.field == "started_at"


def test_what_nobody_said_stays_empty(people):
    call, _ = services.start_call(people.alice)
    assert (call.provider, services.end_call(call.call_id, people.alice).notes) == ("", "")


def test_refusals_say_why(people, begun):
    call, _ = services.start_call(people.alice, reported=at(begun, 0))
    with pytest.raises(BadCallData, match="before the start"):
        services.step(call.call_id, people.alice, "hold", reported=at(begun, -1))
    with pytest.raises(BadCallData, match="cannot end before"):
        services.end_call(call.call_id, people.alice, reported=at(begun, -1))
    with pytest.raises(CallConflict, match="still running"):
        services.correct_call(call, people.sue, reason="r")
    with pytest.raises(CallNotFound, match="no such call"):
        services.heartbeat(call.call_id, people.bob)
    services.end_call(call.call_id, people.alice)
    with pytest.raises(CallConflict, match="has ended"):
        services.step(call.call_id, people.alice, "hold")
    with pytest.raises(BadCallData, match="how the call ended"):
        services.correct_call(call, people.sue, reason="r", status="IN_PROGRESS")


def test_what_is_done_to_one_call_leaves_the_others_alone(people, begun):
    one, other = make_call(people.alice), make_call(people.alice, ago=1800)
    services.add_note(one, people.alice, "n")
    services.correct_call(one, people.sue, reason="r", status="FAILED")
    assert kinds(other) == ["started", "ended"]
    refused, _ = services.start_call(people.alice, reported=at(begun, 0))
    later, _ = services.start_call(people.alice)
    assert services.not_dialled(refused.call_id, people.alice, "no").pk == refused.pk
    silent, _ = services.start_call(people.bob, reported=at(begun, 0))
    services.heartbeat_all(people.alice)
    silent.refresh_from_db()
    assert silent.last_seen_at == at(begun, 0).at
    assert later.is_active


def test_a_correction_is_later_than_other_corrections_alone(people):
    call = make_call(people.alice)
    ahead = ReportedTime(now() + dt.timedelta(days=1))
    add_facts(call, [fact(timeline.NOTED, ahead, data={"notes": "n"})], actor=people.alice)
    services.correct_call(call, people.sue, reason="r", status="FAILED")
    assert call.events.get(kind="corrected").occurred_at <= now()


# --- One way of writing ---


def test_of_two_lines_with_one_key_the_ledger_takes_the_first(people):
    call = make_call(people.alice)
    said = [fact(timeline.NOTED, ReportedTime(now()), key="k", data={"notes": n}) for n in "ab"]
    add_facts(call, said, actor=people.alice)
    assert (call.events.get(key="k").data, call.notes) == ({"notes": "a"}, "a")


def test_a_new_call_is_inserted_once_and_nothing_else_is_written_of_it(people):
    with CaptureQueriesContext(connection) as asked:
        services.start_call(people.alice)
    writing = [one["sql"] for one in asked if '"calls_calllog"' in one["sql"].split("(")[0]]
    assert [sql.split()[0] for sql in writing if not sql.startswith("SELECT")] == ["INSERT"]


def test_whatever_is_told_of_a_running_call_is_a_sign_of_life(people):
    call = running_call(people.alice, 1000, 900)
    services.step(call.call_id, people.alice, "hold")
    call.refresh_from_db()
    assert now() - call.last_seen_at < dt.timedelta(seconds=800)


def test_a_call_that_was_deleted_meanwhile_is_not_found(people):
    call = make_call(people.alice)
    CallLog.objects.filter(pk=call.pk).delete()
    with pytest.raises(CallNotFound, match="no such call"):
        services.add_note(call, people.alice, "n")


WRITING = re.compile(
    r"signals\.call_(?!moved)\w+\.send|\.send\(CallLog|CallEvent\.objects\.(bulk_)?create"
)


def test_all_that_writes_a_call_passes_through_one_function():
    """So that the next law of writing is added once."""
    writers = {
        str(path.relative_to(ROOT))
        for app in ("calls", "metrics", "accounts", "callmanager")
        for path in (ROOT / app).rglob("*.py")
        if WRITING.search(path.read_text())
    }
    assert writers == {"calls/services/recording.py"}
