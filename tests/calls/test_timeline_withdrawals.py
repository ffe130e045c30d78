"""Lines of a ledger that were taken back: whatever the order, they count no more."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.timeline import Event, fold
from tests.calls.test_timeline import PBX, T, ended, events_of_a_call, said, started


def withdrawal(*keys, key="back", at=T):
    return Event(key, "noted", at, "admin", {"withdraws": list(keys)})


def test_a_record_that_was_taken_back_confirms_nothing():
    heard = [started(source=PBX), ended(20, source=PBX)]
    record = said("summary", 20, PBX, end=T + 90_000, status="NO_ANSWER")
    confirmed = fold([*heard, record])
    assert (confirmed.evidence, confirmed.status, confirmed.duration) == ("A", "NO_ANSWER", 90_000)
    assert fold([*heard, record, withdrawal(record.key)]) == fold(heard)


def test_an_end_that_only_a_record_told_is_no_end_once_it_is_taken_back():
    record = said("summary", 20, PBX, end=T + 20_000, status="COMPLETED")
    assert fold([started(), record, withdrawal(record.key)]).end is None


def test_a_correction_that_is_taken_back_leaves_what_was_before():
    before = [started(), ended(20)]
    correction = said("corrected", 60, "admin", end=T + 50_000, reason="the record says so")
    assert fold([*before, correction]).duration == 50_000
    assert fold([*before, correction, withdrawal(correction.key)]) == fold(before)


def test_a_key_that_the_ledger_does_not_have_is_no_matter():
    before = [started(), ended(20)]
    assert fold([*before, withdrawal("nothing")]) == fold(before)


def test_what_takes_back_cannot_be_taken_back():
    before = [started(), ended(20)]
    first = withdrawal("summary:1", key="first")
    record = said("summary", 20, PBX, key="summary:1")
    assert fold([*before, record, first, withdrawal("first")]) == fold([*before])
    alone = withdrawal("itself", key="itself")
    assert fold([*before, alone]) == fold(before)


def test_where_nothing_is_left_there_is_no_call():
    record = said("summary", 20, PBX, end=T + 20_000, status="COMPLETED")
    with pytest.raises(ValueError, match="at least one event"):
        fold([record, withdrawal(record.key)])


@settings(max_examples=300)
@given(events_of_a_call(), st.data())
def test_what_is_taken_back_was_never_said_in_any_order(events, data):
    # The start of the person stays: without any fact there is no call.
    keys = sorted({event.key for event in events} - {"started"})
    gone = data.draw(st.sets(st.sampled_from(keys), max_size=5)) if keys else set()
    backs = [withdrawal(key, key=f"back {key}") for key in sorted(gone)]
    twice = data.draw(st.lists(st.sampled_from(backs), max_size=3)) if backs else []
    shuffled = data.draw(st.permutations(events + backs + twice))
    assert fold(shuffled) == fold([event for event in events if event.key not in gone])


@settings(max_examples=100)
@given(events_of_a_call())
def test_a_withdrawal_in_one_line_or_in_several_is_the_same(events):
    keys = sorted({event.key for event in events} - {"started"})[:4]
    one = [withdrawal(*keys)]
    several = [withdrawal(key, key=f"back {key}") for key in keys]
    assert fold(events + one) == fold(events + several)
    later = [replace(event, at=event.at + 5) for event in one]
    assert fold(events + later) == fold(events + several)
