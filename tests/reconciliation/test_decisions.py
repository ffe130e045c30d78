"""What somebody decides where a record and a call differ, and what nobody's record knows."""

import datetime as dt

import pytest

from calls import timeline
from calls.errors import CallError
from calls.models import CallEvent, CallLog
from common.instants import from_ms
from metrics.rollups.rebuild import each_difference
from reconciliation.imports import decisions
from reconciliation.matching import reasons
from reconciliation.matching.unrecorded import calls_without_record, likely_reason
from reconciliation.models import ProviderRecord
from tests.support.people import make_pbx
from tests.support.records import T, clicked, heard, line, taken_in, undone

pytestmark = pytest.mark.engines


@pytest.fixture
def pbx(people):
    return make_pbx(people, "generic", timezone="UTC")


def only_record():
    return ProviderRecord.objects.get(outcome="different")


def test_both_sides_of_a_difference_are_told_with_the_reason(pbx):
    heard(pbx, "one")
    taken_in(pbx, line("one", end=65))
    (found,) = reasons.differences_of(only_record())
    assert found == ("end", from_ms(T + 25_000), from_ms(T + 65_000), ("end",))
    assert str(reasons.SENTENCES["end"])


def test_an_accepted_record_corrects_the_call_and_confirms_it_once(pbx, people):
    call = heard(pbx, "one")
    what = taken_in(pbx, line("one", end=65))
    decisions.accept(only_record(), people.ada)
    call.refresh_from_db()
    assert (call.evidence, call.duration_seconds, call.talk_seconds) == ("A", 65, 60)
    assert call.events.get(kind=timeline.CORRECTED).actor == people.ada
    lines = CallEvent.objects.count()
    record = ProviderRecord.objects.get()
    assert decisions.accept(record, people.ada).outcome == "accepted"
    assert CallEvent.objects.count() == lines and list(each_difference()) == []
    with pytest.raises(CallError, match="nothing to decide"):
        decisions.keep(record, people.ada, "no")

    undone(what)
    call.refresh_from_db()
    assert (call.evidence, call.duration_seconds, call.talk_seconds) == ("B", 25, 20)
    with pytest.raises(CallError, match="taken back"):
        decisions.accept(ProviderRecord.objects.get(), people.ada)


def test_an_accepted_record_may_say_that_nobody_answered(pbx, people):
    call = heard(pbx, "one")
    taken_in(pbx, line("one", answered=None))
    decisions.accept(only_record(), people.ada)
    call.refresh_from_db()
    assert (call.status, call.answered_time, call.talk_seconds) == ("NO_ANSWER", None, 0)


def test_what_is_kept_stays_as_it_is_and_says_why(pbx, people):
    call = heard(pbx, "one")
    taken_in(pbx, line("one", end=65))
    before = CallEvent.objects.count()
    with pytest.raises(CallError, match="Say why"):
        decisions.keep(only_record(), people.ada, " ")
    record = decisions.keep(only_record(), people.ada, "the PBX was restarted")
    assert (record.outcome, record.note) == ("kept", "the PBX was restarted")
    call.refresh_from_db()
    assert (CallEvent.objects.count(), call.evidence) == (before, "B")
    assert decisions.accept(record, people.ada).outcome == "accepted"  # a change of mind


def test_all_of_a_kind_are_accepted_at_once_and_again_nothing_is_left(pbx, people):
    for place in range(4):
        heard(pbx, f"call{place}", place * 100, place * 100 + 5, place * 100 + 25)
    taken_in(pbx, *[line(f"call{p}", p * 100, p * 100 + 5, p * 100 + 45) for p in range(3)])
    taken_in(pbx, line("call3", 300, None, 325))
    ends = ProviderRecord.objects.filter(reasons__0="end")
    assert decisions.accept_all(ends, people.ada) == 3
    assert decisions.accept_all(ends, people.ada) == 0
    assert ProviderRecord.objects.get(outcome="different").call.provider_call_id == "call3"
    assert list(each_difference()) == []


def test_the_calls_that_no_record_knows_have_a_likely_reason(pbx, people):
    heard(pbx, "first", -7200, -7195, -7100)
    known = heard(pbx, "known")
    mobile = clicked(people.alice, 1000, 1100, "+50688882222")
    short = heard(pbx, "short", 2000, None, 2001, number="+50688883333")
    heard(pbx, "last", 7200, 7205, 7300)
    outside = clicked(people.alice, 90_000, 90_060)
    carol = clicked(people.carol, 1200, 1260)  # has no phone there
    taken_in(
        pbx,
        *[line("first", -7200, -7195, -7100), line("known"), line("last", 7200, 7205, 7300)],
    )
    day = dt.timedelta(days=2)
    found = calls_without_record(pbx, from_ms(T) - day, from_ms(T) + day, people.ada)
    assert set(found) == {mobile, short}
    assert not {known, outside, carol} & set(found)
    assert "another phone" in likely_reason(mobile) and "hardly any time" in likely_reason(short)
    assert set(calls_without_record(None, from_ms(T), from_ms(T) + day, people.ada)) == set(found)
    assert not calls_without_record(pbx, from_ms(T) - day, from_ms(T) + day, people.carol).exists()
    assert CallLog.objects.count() == 7
