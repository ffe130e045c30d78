"""The last word counts: within one millisecond, after the clock was set back, and in one ledger of
two."""

import datetime as dt
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from calls import services
from calls.models import CallAlias, CallEvent, CallLog, Disposition
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime, wrap_up
from calls.telephony import assignment, intake
from common.instants import from_ms, now
from tests.support.people import make_call, make_pbx, yesterday_noon

pytestmark = [pytest.mark.django_db, pytest.mark.engines]

NUMBER = "+50651234567"
BACK = -dt.timedelta(hours=1)


@pytest.fixture(params=["stands", "is set back"])
def tick(request):
    """The clock as it goes from one word to the next."""
    with time_machine.travel(now(), tick=False) as clock:
        if request.param == "stands":
            yield lambda: None
        else:
            yield lambda: clock.shift(BACK)


def folds_to_itself(call):
    """Whether what is stored is what the stored ledger says; the call as it is stored."""
    assert services.refold(call) == []
    return CallLog.objects.get(pk=call.pk)


def test_the_note_written_last_is_shown_and_none_is_lost(people, tick):
    call = make_call(people.alice)
    for text in ("one", "two", "three", "two"):
        tick()
        services.add_note(call, people.alice, text)
        assert folds_to_itself(call).notes == text
    kept = call.events.filter(kind="noted").order_by("pk").values_list("data__notes", flat=True)
    assert list(kept) == ["one", "two", "three", "two"]


def test_the_outcome_chosen_last_stands(people, tick):
    for code in ("sale", "later"):
        Disposition.objects.create(code=code, label_es=code, label_en=code)
    call = make_call(people.alice)
    for code in ("sale", "", "later", "sale"):
        tick()
        wrap_up.set_disposition(call, people.alice, code)
        assert folds_to_itself(call).disposition == code


def test_the_outcome_that_comes_with_the_end_follows_the_one_before(people, tick):
    for code in ("sale", "later"):
        Disposition.objects.create(code=code, label_es=code, label_en=code)
    call, _ = services.start_call(people.alice)
    wrap_up.set_disposition(call, people.alice, "sale")
    tick()
    services.end_call(call.call_id, people.alice, disposition="later", notes="with the end")
    assert folds_to_itself(call).disposition == "later"
    services.add_note(call, people.alice, "after it")
    assert folds_to_itself(call).notes == "after it"


def test_the_last_correction_stands(people, tick):
    call = make_call(people.alice)
    for status in ("DROPPED", "FAILED", "NO_ANSWER", "DROPPED"):
        tick()
        services.correct_call(call, people.ada, reason="r", status=status)
        assert folds_to_itself(call).status == status


@pytest.mark.parametrize(
    ("opens", "closes", "since"),
    [("hold", "resume", "held_since"), ("pause", "unpause", "paused_since")],
)
def test_the_last_of_holds_and_their_ends_says_what_is_so(people, tick, opens, closes, since):
    yesterday = ReportedTime(now() - dt.timedelta(days=1), explicit=True)
    call, _ = services.start_call(people.alice, reported=yesterday)
    for action, is_open in ((opens, True), (closes, False)) * 2:
        tick()
        services.step(call.call_id, people.alice, action)
        assert (getattr(folds_to_itself(call), since) is not None) == is_open
    assert call.events.count() == 5


def test_an_answer_and_an_end_just_now_are_never_before_the_start(people, tick):
    call, _ = services.start_call(people.alice)
    tick()
    services.step(call.call_id, people.alice, "answer")
    tick()
    ended = services.end_call(call.call_id, people.alice)
    assert ended.answered_time == ended.end_time == ended.start_time
    assert ended.status == "COMPLETED"


def test_another_call_ends_the_work_after_the_last(people, tick):
    call, _ = services.start_call(people.alice)
    services.end_call(call.call_id, people.alice, wrap_up=True)
    tick()
    services.start_call(people.alice)
    assert folds_to_itself(call).wrap_up_since is None


def test_what_was_written_offline_goes_before_what_was_written_after_it(people):
    started = now() - dt.timedelta(hours=2)
    call, _ = services.start_call(people.alice, reported=ReportedTime(started, explicit=True))
    services.add_note(call, people.sue, "by the supervisor, just now")
    hour_ago = ReportedTime(now() - dt.timedelta(hours=1), offline=True, explicit=True)
    services.end_call(call.call_id, people.alice, notes="an hour ago", reported=hour_ago)
    assert folds_to_itself(call).notes == "by the supervisor, just now"


def heard_and_click(people, pbx):
    """A call that nobody is known to have had, and the click of Carol that asked for it."""
    begun = yesterday_noon()
    more = {"agents": ("1999",), "number": NUMBER, "direction": "outbound"}
    end = {"status": "COMPLETED"}
    facts = [
        ProviderEvent("started", "c", begun, **more),
        ProviderEvent("ended", "c", begun + 9_000, data=end, **more),
    ]
    intake.record(pbx, facts, received=now())
    at = ReportedTime(from_ms(begun), explicit=True)
    click, _ = services.start_call(people.carol, contact_phone=NUMBER, reported=at)
    return CallLog.objects.get(provider_call_id="c"), click


def test_what_was_written_of_two_calls_that_become_one_keeps_its_order(people, tick):
    heard, click = heard_and_click(people, make_pbx(people, "generic"))
    services.add_note(heard, people.ada, "one")
    tick()
    services.add_note(click, people.carol, "two")
    both = assignment.assign(heard, people.carol, people.ada)
    assert folds_to_itself(both).notes == "two"
    said = both.events.filter(data__has_key="notes").values_list("data__notes", flat=True)
    assert sorted(said) == ["one", "two"]
    services.add_note(both, people.ada, "three")
    assert folds_to_itself(both).notes == "three"


@pytest.mark.django_db(transaction=True)
def test_lines_that_were_repeated_before_get_their_places_by_when_they_were_received(live_people):
    migration = import_module("calls.migrations.0017_order_of_ledger_lines")
    one, alone = make_call(live_people.alice), make_call(live_people.bob)
    CallAlias.objects.create(alias=alone.call_id, call=one)
    at = now()
    for call in (one, alone):
        for text, seconds in (("last", 9), ("first", 1), ("between", 5)):
            received = at + dt.timedelta(seconds=seconds)
            fact = {"key": text, "kind": "noted", "source": "agent", "data": {"notes": text}}
            CallEvent.objects.create(call=call, occurred_at=at, received_at=received, **fact)
    with connection.schema_editor() as editor:
        migration.place_repeated_lines(apps, editor)
    numbers = {
        call: [event.number for text in ("first", "between", "last") for event in _of(call, text)]
        for call in (one, alone)
    }
    assert numbers[one] == sorted(numbers[one])
    assert numbers[alone] != sorted(numbers[alone])  # no two ledgers became one there
    services.refold(one)
    assert CallLog.objects.get(pk=one.pk).notes == "last"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        CallEvent.objects.update(repeats=1)


def _of(call, text):
    return CallEvent.objects.filter(call=call, data__notes=text)


def test_a_ledger_tells_the_fold_its_order_however_it_is_read(people):
    call = make_call(people.alice)
    read = {fact.key: fact.number for fact in CallEvent.facts_of(call)}
    assert read == {event.key: event.number for event in call.events.all()}
    assert read == dict(call.events.values_list("key", "pk"))
