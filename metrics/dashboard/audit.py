"""Recomputes figures from the ledger itself: every call folded anew, then added up.

Slow on purpose: it trusts neither the stored calls nor the stored sums. Bounded by MOST_CALLS.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.db.models import QuerySet

from calls import timeline
from calls.models import CallEvent, CallLog
from common.instants import day_range
from common.periods import Period
from metrics.dashboard.selection import Selection
from metrics.definitions import SUM_FIELDS, Sums
from metrics.rollups.daily import own_sums, sums_of
from metrics.rollups.shared_calls import counted_twice, parts_of

MOST_CALLS: Final = 5000
MOST_SHOWN: Final = 20


@dataclass(frozen=True)
class Doubt:
    """A call whose stored row is not what its ledger says."""

    call: CallLog
    fields: list[str]


@dataclass(frozen=True)
class Proof:
    """What is stored, what the ledgers say, and which calls differ. `calls`: how many were read."""

    calls: int
    stored: Sums
    ledger: Sums
    doubts: list[Doubt]

    @property
    def agrees(self) -> bool:
        return self.stored == self.ledger and not self.doubts

    @property
    def wrong_sums(self) -> list[tuple[str, int, int]]:
        """(column, stored, by the ledger) where the sums differ."""
        pairs = ((n, getattr(self.stored, n), getattr(self.ledger, n)) for n in SUM_FIELDS)
        return [pair for pair in pairs if pair[1] != pair[2]]


class TooManyCalls(Exception):
    """More than MOST_CALLS; `count` of them."""

    def __init__(self, count: int):
        super().__init__(count)
        self.count = count


def prove(chosen: Selection, period: Period) -> Proof:
    """Folds the ledger of every call of the selection in `period`. Raises TooManyCalls."""
    days = (period.first, period.last)
    if chosen.agent is not None:
        stored, twice = own_sums(chosen.agent, *days), Sums()
    else:
        stored = sums_of(chosen.people, *days)
        twice = counted_twice(parts_of(chosen.people, *days))
    count = stored.calls_made + stored.calls_unconfirmed
    if count > MOST_CALLS:
        raise TooManyCalls(count)
    begin, end = day_range(period.first, period.last)
    calls = CallLog.objects.filter(user__in=chosen.people).started_between(begin, end).ended()
    known = {call.pk: call for call in calls.order_by()[: MOST_CALLS + 1]}
    if len(known) > MOST_CALLS:
        raise TooManyCalls(len(known))
    doubts = [
        Doubt(known[pk], fields)
        for pk, state in _folded(CallEvent.objects.filter(call__in=calls.order_by()))
        if pk in known and (fields := known[pk].apply(state))
    ]
    return Proof(len(known), stored, sum_calls(known.values()) - twice, doubts)


def _folded(events: QuerySet[CallEvent]) -> Iterator[tuple[int, timeline.CallState]]:
    by_call = groupby(events.order_by("call_id", "pk").iterator(), lambda event: event.call_id)
    for call_id, its_events in by_call:
        yield call_id, timeline.fold(event.as_fact() for event in its_events)


def sum_calls(calls: Iterable[CallLog]) -> Sums:
    """What services.CALL_SUMS adds up in the database, said in Python."""
    return sum(map(sums_of_call, calls), Sums())


def sums_of_call(call: CallLog) -> Sums:
    """One call's part in every sum; nothing of a running one."""
    if call.is_active:
        return Sums()
    if not call.is_counted:
        return Sums(calls_unconfirmed=1)
    talk = call.talk_seconds or 0
    answered = call.answered_time is not None or call.status in (
        timeline.COMPLETED,
        timeline.DROPPED,
    )
    return Sums(
        calls_success=int(call.status == timeline.COMPLETED),
        calls_dropped=int(call.status == timeline.DROPPED),
        calls_error=int(call.status == timeline.FAILED),
        calls_no_answer=int(call.status == timeline.NO_ANSWER),
        calls_answered=int(answered),
        total_talk_time=talk,
        talk_squares=talk * talk,
        answered_time=(talk + call.hold_seconds + call.wrap_up_seconds) if answered else 0,
        total_duration=call.duration_seconds or 0,
        ring_time=call.ring_seconds or 0,
        hold_time=call.hold_seconds,
        wrap_up_time=call.wrap_up_seconds,
    )
