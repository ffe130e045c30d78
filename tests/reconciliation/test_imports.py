"""Records confirm, complete, differ or make calls; again they change nothing; taken back, they
leave what was there before."""

import io
from dataclasses import replace
from decimal import Decimal

import pytest

from calls import services, timeline
from calls.models import CallEvent, CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.telephony import intake
from common.instants import from_ms, now
from metrics.rollups.rebuild import each_difference
from reconciliation import imports
from reconciliation.call_record import CallRecord
from reconciliation.imports import files
from reconciliation.matching.judging import lacking
from reconciliation.matching.told import Ours, Told
from reconciliation.models import ProviderRecord, RecordImport
from tests.support.people import make_pbx
from tests.support.records import (
    NUMBER,
    T,
    clicked,
    draft,
    heard,
    lies_in,
    line,
    ran,
    taken_in,
    undone,
)

pytestmark = pytest.mark.engines


@pytest.fixture
def pbx(people):
    return make_pbx(people, "generic", timezone="UTC")


def outcomes(what):
    names = ("confirmed", "completed", "different", "created", "repeated", "left_out")
    return {name: getattr(what, name) for name in names if getattr(what, name)}


def state():
    """All that calls say, and all lines of their ledgers."""
    fields = [f.attname for f in CallLog._meta.concrete_fields if f.name != "last_seen_at"]
    return (
        list(CallLog.objects.order_by("pk").values_list(*fields)),
        list(CallEvent.objects.order_by("pk").values_list("call", "key", "data")),
    )


def sums_are_right():
    return list(each_difference()) == []


# --- Equal, lacking, different, missing -----------------------------------------------------------
def test_a_record_that_says_the_same_confirms_the_call_and_changes_none_of_its_times(pbx):
    call = heard(pbx, "one", 0.4, 5.7, 25.9)
    what = taken_in(pbx, line("one"))
    assert (what.state, outcomes(what), what.records) == ("done", {"confirmed": 1}, 1)
    before = (call.start_time, call.answered_time, call.end_time, call.talk_seconds)
    call.refresh_from_db()
    assert call.evidence == "A"
    assert (call.start_time, call.answered_time, call.end_time, call.talk_seconds) == before
    assert call.events.get(kind="summary").data == {}
    assert sums_are_right()


def test_a_click_is_found_by_agent_number_and_time_and_becomes_confirmed(pbx, people):
    call = clicked(people.alice, 0, 27)
    what = taken_in(pbx, line("one", 2, 6, 25))
    call.refresh_from_db()
    # The click does not know when it was answered: the record tells.
    assert outcomes(what) == {"completed": 1}
    assert (call.evidence, call.account, call.talk_seconds) == ("A", pbx, 21)
    assert (call.start_time, call.end_time) == (from_ms(T), from_ms(T + 27_000))
    assert CallLog.objects.count() == 1 and sums_are_right()


def test_of_two_records_the_nearest_is_the_calls_and_the_other_makes_its_own(pbx, people):
    call = clicked(people.alice, 60, 80)
    what = taken_in(pbx, line("one", 30, 31, 79), line("two", 61, 63, 80))
    assert outcomes(what) == {"completed": 1, "created": 1}
    call.refresh_from_db()
    assert call.provider_call_id == "two"


def test_a_record_that_differs_waits_for_a_decision_and_writes_nothing(pbx):
    heard(pbx, "one")
    before = state()
    what = taken_in(pbx, line("one", end=65))
    assert outcomes(what) == {"different": 1} and state() == before
    record = ProviderRecord.objects.get()
    assert (record.outcome, record.reasons, record.event_keys) == ("different", ["end"], [])


def test_a_click_that_ends_much_later_than_the_phone_is_a_difference(pbx, people):
    clicked(people.alice, 0, 45)
    assert outcomes(taken_in(pbx, line("one", 1, 5, 25))) == {"different": 1}


def test_what_the_watchdog_guessed_the_record_knows(pbx):
    call = heard(pbx, "one", end=None)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=call.start_time)
    assert services.close_stale_calls() == 1
    assert outcomes(taken_in(pbx, line("one"))) == {"completed": 1}
    call.refresh_from_db()
    assert (call.status, call.evidence, call.duration_seconds) == ("COMPLETED", "A", 25)
    assert sums_are_right()


def test_a_call_that_nobody_tracked_is_made_and_says_where_it_comes_from(pbx, people):
    assert outcomes(taken_in(pbx, line("one"))) == {"created": 1}
    call = CallLog.objects.get()
    assert (call.user, call.evidence, call.talk_seconds) == (people.alice, "A", 20)
    assert [(e.kind, e.source) for e in call.events.all()] == [("summary", "provider:pbx")]
    assert sums_are_right()


def test_an_unknown_agents_call_is_the_accounts_and_nobodys_internal_call_is_left_out(pbx):
    what = taken_in(
        pbx,
        line("one", agent="1099"),
        line("two", agent="1098", number="1099", direction="internal"),
        line("three", agent="", number=""),
    )
    assert outcomes(what) == {"created": 1, "left_out": 2}
    assert CallLog.objects.get().user is None
    notes = ProviderRecord.objects.filter(outcome="left_out").values_list("note", flat=True)
    assert all(notes)


def test_an_extension_means_somebody_in_its_own_account_only(pbx, people):
    other = make_other()
    ProviderIdentity.objects.create(account=other, identity="7001", user=people.carol)
    assert outcomes(taken_in(pbx, line("one", agent="7001"))) == {"created": 1}
    assert CallLog.objects.get().user is None
    heard(other, "theirs", agent="7001")
    assert outcomes(taken_in(pbx, line("theirs", agent="7001"))) == {"left_out": 1}
    assert "other" in ProviderRecord.objects.get(outcome="left_out").note


def make_other():
    return ProviderAccount.objects.create(kind="generic", name="other")


def test_a_skew_over_the_whole_file_is_taken_off(pbx, people):
    for place in range(6):
        heard(pbx, f"call{place}", place * 100, place * 100 + 5, place * 100 + 25)
    lines = [line(f"call{p}", p * 100 + 37, p * 100 + 42, p * 100 + 62) for p in range(6)]
    what = taken_in(pbx, *lines, line("more", 1037, 1042, 1062))
    assert outcomes(what) == {"confirmed": 6, "created": 1}
    assert abs(what.skew_ms - 37_000) < 1_000
    made = CallLog.objects.get(provider_call_id="more")
    assert abs((made.start_time - from_ms(T + 1_000_000)).total_seconds()) < 1


def test_a_skew_shows_by_clicks_alone(pbx, people):
    for place in range(5):
        number = f"+5068888200{place}"
        clicked(people.alice, place * 100, place * 100 + 25, number)
    late = [(p * 100 - 300, p * 100 - 296, p * 100 - 276) for p in range(5)]
    numbers = [f"+5068888200{place}" for place in range(5)]
    lines = [line("", *one, number=number) for one, number in zip(late, numbers, strict=True)]
    what = taken_in(pbx, *lines)
    assert outcomes(what) == {"completed": 5} and abs(what.skew_ms + 300_000) < 2_000


def test_a_rounded_answer_and_ring_within_the_talk_are_named(pbx):
    heard(pbx, "one")
    taken_in(pbx, line("one", answered=0))
    assert ProviderRecord.objects.get().reasons == ["ring_included", "answer"]


def test_whether_anybody_answered_is_a_difference(pbx):
    heard(pbx, "one")
    taken_in(pbx, line("one", answered=None))
    assert ProviderRecord.objects.get().reasons == ["answer"]


# --- Again, and back ------------------------------------------------------------------------------
MIXED = (
    line("one"),
    line("two", 100, 105, 125),
    line("three", 200, 205, 265),
    line("four", 300, 305, 325),
)


@pytest.fixture
def mixed(pbx, people):
    heard(pbx, "one")
    clicked(people.alice, 100, 125)
    heard(pbx, "three", 200, 205, 225)


def test_the_same_file_again_changes_nothing(pbx, mixed):
    first = taken_in(pbx, *MIXED)
    assert outcomes(first) == {"confirmed": 1, "completed": 1, "different": 1, "created": 1}
    before, records = state(), list(ProviderRecord.objects.order_by("pk").values())
    again = taken_in(pbx, *MIXED, MIXED[0])
    assert outcomes(again) == {"repeated": 5}
    assert state() == before
    assert list(ProviderRecord.objects.order_by("pk").values()) == records


def test_an_import_is_taken_back_as_if_it_had_never_been_and_can_come_again(pbx, mixed):
    def shown():
        fields = ("pk", "start_time", "answered_time", "end_time", "status", "evidence", "account")
        more = ("provider", "provider_call_id", "conversation", "talk_seconds", "missing", "user")
        return list(CallLog.objects.order_by("pk").values_list(*fields, *more))

    before = shown()
    what = undone(taken_in(pbx, *MIXED))
    assert what.state == "undone" and shown() == before and sums_are_right()
    assert ProviderRecord.objects.filter(is_withdrawn=False).count() == 0
    assert undone(what).state == "undone"
    again = taken_in(pbx, *MIXED)
    assert outcomes(again) == {"confirmed": 1, "completed": 1, "different": 1, "created": 1}
    undone(again)
    assert shown() == before and sums_are_right()


def test_what_was_left_out_comes_in_once_its_agent_is_known(pbx, people):
    internal = line("one", agent="1098", number="1099", direction="internal")
    assert outcomes(taken_in(pbx, internal)) == {"left_out": 1}
    assert outcomes(taken_in(pbx, internal)) == {"repeated": 1}
    ProviderIdentity.objects.create(account=pbx, identity="1098", user=people.carol)
    assert outcomes(taken_in(pbx, internal)) == {"created": 1}
    assert CallLog.objects.get().user == people.carol


# --- Drafts ---------------------------------------------------------------------------------------
def test_a_look_says_what_would_come_of_it_and_writes_nothing(pbx, mixed):
    what = draft(pbx, *MIXED)
    before = state()
    imports.examine(what)
    what.refresh_from_db()
    found = {name: what.plan[name] for name in ("confirmed", "completed", "different", "created")}
    assert (what.state, what.plan["state"]) == ("draft", "done")
    assert found == {"confirmed": 1, "completed": 1, "different": 1, "created": 1}
    assert state() == before and not ProviderRecord.objects.exists()
    imports.take_in(what)
    imports.take_in(what)
    assert outcomes(ran(what)) == found
    assert lies_in(files.folder()) == []  # the file holds numbers: it goes when it is taken in


def test_nothing_is_taken_in_of_a_file_with_lines_that_cannot_be_read(pbx):
    bad = line("two") | {"start": "yesterday"}
    what = taken_in(pbx, line("one"), bad)
    assert (what.state, CallLog.objects.count()) == ("failed", 0)
    assert what.message and [line for line, _why in what.faults] == [3]
    what = draft(pbx, line("one"), bad)
    imports.set_reading(what, "table", {**what.reading, "skip_bad": True})
    imports.take_in(what)
    assert (ran(what).state, what.created, what.unreadable) == ("done", 1, 1)
    assert what.faults[0][0] == 3


def test_a_waiting_import_is_a_draft_again_when_it_is_cancelled(pbx):
    what = draft(pbx, line("one"))
    imports.take_in(what)
    imports.cancel(what)
    assert what.state == "draft" and ran(what).state == "draft"
    imports.remove_draft(what)
    assert not RecordImport.objects.exists()


def test_one_import_of_an_account_runs_at_a_time(pbx):
    running = draft(pbx, line("one"))
    RecordImport.objects.filter(pk=running.pk).update(state="running", runner="x", touched_at=now())
    second = draft(pbx, line("two"))
    imports.take_in(second)
    assert ran(second).state == "waiting"
    RecordImport.objects.filter(pk=running.pk).update(state="done")
    assert ran(second).state == "done"


def test_a_number_that_two_calls_fit_is_doubtful(pbx, people):
    clicked(people.alice, 0, 20)
    services.start_call(people.alice, contact_phone=NUMBER, reported=_at(1.5))
    taken_in(pbx, line("", 1, 5, 20))
    assert ProviderRecord.objects.get().note


def _at(seconds):
    return services.ReportedTime(from_ms(T + round(seconds * 1000)), explicit=True)


# --- Clocks and clicks ----------------------------------------------------------------------------
def test_local_times_over_a_change_of_clocks_are_those_of_the_calls(pbx):
    """Madrid's clocks go forward at 02:00 on 2026-03-29, while the second call lasts."""
    spring = 1_774_742_400  # 2026-03-29 00:00:00 UTC, 01:00 in Madrid
    for call, since in (("early", spring - 600), ("over", spring + 3_590)):
        begun = since - T // 1000
        heard(pbx, call, begun, begun + 2, begun + 30)
    local = {
        "early": ("2026-03-29 00:50:00", "2026-03-29 00:50:02", "2026-03-29 00:50:30"),
        "over": ("2026-03-29 01:59:50", "2026-03-29 01:59:52", "2026-03-29 03:00:20"),
    }
    lines = [
        line(call) | dict(zip(("start", "answered", "end"), told, strict=True))
        for call, told in local.items()
    ]
    what = draft(pbx, *lines)
    imports.set_reading(what, "table", {**what.reading, "time_zone": "Europe/Madrid"})
    imports.take_in(what)
    assert outcomes(ran(what)) == {"confirmed": 2}


def test_a_record_of_the_agents_own_phone_is_no_difference_where_a_click_had_dialled(pbx, people):
    """The click and the phone system's live events are one call; its record counts from the own
    phone's answer."""
    call = clicked(people.alice, 0, None)
    heard(pbx, "one", 4, 9, 30)
    call.refresh_from_db()
    assert call.provider_call_id == "one" and call.answered_time == from_ms(T + 9_000)
    assert outcomes(taken_in(pbx, line("one", 1, 1, 30))) == {"confirmed": 1}
    call.refresh_from_db()
    assert (call.evidence, call.talk_seconds) == ("A", 21)


def test_a_record_of_the_agents_own_phone_is_none_where_another_program_had_dialled(pbx, people):
    """The phone system told of the own phone's ring before that of the other side."""
    ring = ProviderEvent(
        kind=timeline.STARTED,
        call="one",
        at=T + 1_000,
        agents=("1001",),
        number=NUMBER,
        direction="outbound",
        data={"provisional": True},
    )
    intake.record(pbx, [ring], received=now())
    heard(pbx, "one", 4, 9, 30)
    assert outcomes(taken_in(pbx, line("one", 1, 1, 30))) == {"confirmed": 1}


def test_holds_that_were_told_as_they_happened_are_more_exact_than_a_records_sum():
    ours = Told(T, 1)
    call = Ours(ours, ours, ours, "COMPLETED", 5_000, 9_000, True, False, knows_hold=True)
    record = CallRecord(key="one", start=T, end=T + 9_000, answered=T, hold=2_751)
    assert lacking(record, call) == {}
    assert lacking(record, replace(call, knows_hold=False)) == {"hold": 2_751}


# --- What comes late, and what nobody knows -------------------------------------------------------
def test_a_price_that_comes_late_is_filled_in_and_never_lost(pbx):
    heard(pbx, "one")
    unpriced = taken_in(pbx, line("one"))
    for told, kept in (("0.0080", "0.008"), ("0.0340", "0.034"), ("", "0.034")):
        what = priced(pbx, told)
        assert outcomes(what) == {"repeated": 1}
        record = unpriced.held.get()
        assert (record.price, record.currency) == (Decimal(kept), "USD")


def priced(pbx, price):
    said = line("one") | {"price": price, "currency": "USD" if price else ""}
    text = ",".join(said) + "\n" + ",".join(said.values()) + "\n"
    what = imports.start(pbx, None, "records.csv", io.BytesIO(text.encode()), format="table")
    imports.take_in(what)
    return ran(what)


def test_records_of_unknown_agents_are_named(pbx):
    what = taken_in(pbx, line("one", agent="7777"))
    assert outcomes(what) == {"created": 1}
    assert "7777" in what.held.get().note


def test_a_list_that_tells_lengths_alone_is_of_calls_that_came_about(pbx):
    text = "start,duration,agent,number\n2026-01-05 10:00:00,75,1001,+34600000006\n"
    what = imports.start(pbx, None, "bill.csv", io.BytesIO(text.encode()), format="table")
    imports.take_in(what)
    assert outcomes(ran(what)) == {"created": 1}
    call = CallLog.objects.get()
    assert (call.status, call.talk_seconds) == ("COMPLETED", 75)
