"""The one door for every change of a call: each service, twice, wrongly, and late."""

import datetime as dt
import uuid

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import translation

from calls import services, timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.instants import now
from calls.models import CallEvent, CallLog, Contact
from calls.recording import fact, record
from calls.services import Told
from tests.people import make_call

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def at(base, seconds):
    return Told(base + dt.timedelta(seconds=seconds), explicit=True)


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
    call, _ = services.start_call(people.alice, told=at(begun, 0))
    call_id = call.call_id
    for seconds, action in [(9, "answer"), (40, "hold"), (52.5, "resume"), (60, "pause")]:
        services.step(call_id, people.alice, action, told=at(begun, seconds))
    services.step(call_id, people.alice, "pause")
    services.step(call_id, people.alice, "hold", told=at(begun, 40))  # a late repetition
    services.step(call_id, people.alice, "unpause", told=at(begun, 70))
    call = services.end_call(call_id, people.alice, told=at(begun, 110.4))
    assert (call.ring_seconds, call.hold_seconds, call.paused_seconds) == (9, 12, 10)
    assert (call.duration_seconds, call.talk_seconds) == (100, 78)
    assert len(kinds(call)) == 7


def test_a_step_before_the_start_or_after_the_end_is_refused(people, begun):
    call, _ = services.start_call(people.alice, told=at(begun, 0))
    with pytest.raises(BadCallData):
        services.step(call.call_id, people.alice, "hold", told=at(begun, -1))
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
    call, _ = services.start_call(people.alice, told=at(begun, 0))
    with pytest.raises(BadCallData):
        services.end_call(call.call_id, people.alice, told=at(begun, -0.001))


def test_a_clients_clock_is_corrected_by_sent_at():
    arrived = now()
    wrong = dt.timedelta(days=-400)  # the client's clock is more than a year behind
    told = services.settle_instant(
        arrived + wrong - dt.timedelta(seconds=90), arrived + wrong, "started_at", arrived
    )
    assert told == Told(arrived - dt.timedelta(seconds=90), offline=True, explicit=True)


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


def test_of_corrections_in_the_same_instant_the_last_counts(people):
    """The clock stands at or before the last correction each time: the first lies ahead of it."""
    call = make_call(people.alice)
    ahead, said = now() + dt.timedelta(days=1), {"status": "FAILED", "reason": "r"}
    record(call, [fact(timeline.CORRECTED, Told(ahead), "admin", data=said)], actor=people.ada)
    for number, status in enumerate(("DROPPED", "FAILED", "NO_ANSWER", "DROPPED"), 1):
        call = services.correct_call(call, people.ada, reason="r", status=status)
        assert call.status == status
        instant = ahead + number * dt.timedelta(milliseconds=1)
        assert call.events.filter(kind="corrected", occurred_at=instant).exists()


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


def silent_call(user, seconds):
    call, _ = services.start_call(user, told=Told(now() - dt.timedelta(seconds=seconds)))
    return call


def test_a_silent_call_is_closed_at_its_last_sign_of_life(people):
    call = silent_call(people.alice, 1000)
    alive = call.start_time + dt.timedelta(seconds=400)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=alive)
    assert services.close_stale_calls() == 1
    call.refresh_from_db()
    assert (call.status, call.evidence, call.end_time) == ("DROPPED", "E", alive)
    assert services.close_stale_calls() == 0


def test_a_call_with_a_heartbeat_lives_until_the_hard_limit(people, settings):
    silent_call(people.alice, 1000)
    services.heartbeat_all(people.alice)
    assert services.close_stale_calls() == 0
    settings.MAX_CALL_SECONDS = 900
    assert services.close_stale_calls() == 1


def test_the_late_truth_replaces_the_estimate(people):
    call = silent_call(people.alice, 1000)
    services.close_stale_calls()
    call = services.end_call(call.call_id, people.alice, told=at(call.start_time, 1000))
    assert (call.status, call.evidence, call.duration_seconds) == ("COMPLETED", "C", 1000)


def test_an_estimate_can_be_confirmed(people):
    call = silent_call(people.alice, 1000)
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
