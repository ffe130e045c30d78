"""Calls that several agents had a part in: each agent has their own part, a team the call once.

A transfer, or a call between two colleagues, is one `CallLog` an agent and one `conversation`. Sums
of people add their parts; what a team or the organisation counts twice is subtracted here. Only
counts are: every agent's time was spent, so the time of all parts stays, and so does the greatest.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

from calls import timeline
from calls.models import CallLog, CallQuerySet
from common.databases.prepared_sql import AN_INSTANT, ANOTHER_INSTANT
from common.instants import day_range, local_day
from metrics.definitions import COLUMNS, Sums
from metrics.rollups.of_people import People, PreparedOfPeople, of_people


@dataclass(frozen=True)
class SharedCallPart:
    """One agent's part of a shared call."""

    user_id: int
    team_id: int | None
    day: dt.date
    conversation: tuple[int | None, str]
    end: dt.datetime
    rank: tuple[int, dt.datetime, int]  # the part that stands for the call sorts first
    counts: Sums  # what it adds to the counts of its agent


# Whether a part counts as one in each of the columns that count calls, by the columns' own rule.
_COUNTS: Final[Mapping[str, Any]] = {
    n: column.calls.sql for n, column in COLUMNS.items() if column.counts_calls
}
_GROUPS: Final[Mapping[str, Callable[[SharedCallPart], Any]]] = {
    "user": lambda part: part.user_id,
    "user__team": lambda part: part.team_id,
    "day": lambda part: part.day,
}


def shared_parts_of(users: People, first: dt.date, last: dt.date) -> list[SharedCallPart]:
    """The counted parts of shared calls that `users` had in the local days first..last; one query,
    by an index of shared calls alone."""
    return [_part(*row) for row in _SHARED_PARTS.values(users, *day_range(first, last))]


def _shared(users: People, begin: dt.datetime, end: dt.datetime) -> CallQuerySet:
    shared = CallLog.objects.filter(is_shared=True).started_between(begin, end)
    # Asked for apart, or SQLite would go through all calls of these people to find the few.
    return of_people(CallLog.objects.filter(pk__in=shared.order_by().values("pk")), users)


def shared_parts_among(calls: CallQuerySet) -> list[SharedCallPart]:
    """The counted parts of shared calls among `calls`."""
    return [_part(*row) for row in _columns(calls)]


def _columns(calls: CallQuerySet) -> QuerySet[Any, Any]:
    return (
        calls.filter(is_shared=True)
        .counted()
        .order_by()
        .values_list(
            *("user_id", "user__team_id", "account_id", "conversation"),
            *("status", "start_time", "end_time", "pk"),
            *_COUNTS.values(),
        )
    )


_SHARED_PARTS: Final = PreparedOfPeople(
    lambda users: _columns(_shared(users, AN_INSTANT, ANOTHER_INSTANT)), AN_INSTANT, ANOTHER_INSTANT
)


def _part(
    user_id: int,
    team_id: int | None,
    account_id: int | None,
    conversation: str,
    status: str,
    start: dt.datetime,
    end: dt.datetime,
    pk: int,
    *counts: bool,
) -> SharedCallPart:
    return SharedCallPart(
        user_id=user_id,
        team_id=team_id,
        day=local_day(start),
        conversation=(account_id, conversation),
        end=end,
        rank=(timeline.TERMINAL.index(status), start, pk),
        counts=Sums(**dict(zip(_COUNTS, map(int, counts), strict=True))),
    )


def counted_twice(parts: Iterable[SharedCallPart]) -> Sums:
    """The counts of all parts but one a call: the part with the best outcome stands for it."""
    calls: dict[tuple[int | None, str], list[SharedCallPart]] = {}
    for part in parts:
        calls.setdefault(part.conversation, []).append(part)
    more = (sorted(own, key=lambda part: part.rank)[1:] for own in calls.values())
    return Sums.together(part.counts for own in more for part in own)


class SumsBy(dict[Any, Sums]):
    """Sums apart by people, teams or days; a key without calls is missing. Totals count a call
    once, which the sum of the values does not where it has parts in several of them."""

    def __init__(self, sums: Mapping[Any, Sums], group: str, parts: list[SharedCallPart]):
        super().__init__(sums)
        self._parts = [(_GROUPS[group](part), part) for part in parts]
        self._raw = dict(sums)
        if group == "user":  # an agent's parts are the agent's calls
            return
        for key in {key for key, _part in self._parts}:
            self[key] = self.total_of([key])

    def total_of(self, keys: Iterable[Any]) -> Sums:
        """The sums of several keys together."""
        wanted = set(keys)
        raw = Sums.together(self._raw[key] for key in wanted & self._raw.keys())
        return raw - counted_twice(part for key, part in self._parts if key in wanted)

    @property
    def total(self) -> Sums:
        return self.total_of(self._raw)

    def with_part_of(self, day: dt.date, raw: Sums, end: dt.datetime) -> "SumsBy":
        """Sums of days in which of `day` only those calls are left that had ended before `end`;
        `raw` are their sums, with each part of a shared call."""
        parts = [part for key, part in self._parts if key != day or part.end < end]
        return SumsBy(self._raw | {day: raw}, "day", parts)
