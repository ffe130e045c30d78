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
from metrics.definitions import COLUMNS, Sums
from metrics.rollups.daily import own_sums, sums_of
from metrics.rollups.shared_calls import counted_twice, shared_parts_of

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
        pairs = ((n, getattr(self.stored, n), getattr(self.ledger, n)) for n in COLUMNS)
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
        twice = counted_twice(shared_parts_of(chosen.people, *days))
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
    """What daily.CALL_SUMS makes of them in the database, in Python."""
    return sum(map(Sums.of_call, calls), Sums())
