"""Rebuilds every sum from the calls, or says which would change: a day at a time.

Sums of teams also need to know which calls several agents shared: parts of one that do not say so
are found and marked, too (calls.services.conversations).

Nobody waits for it. A day is compared without a lock, and what differs is written in a transaction
of its own, which holds the sums of the people concerned and no call. Memory holds a day, and a row
of sums a person. Whoever ends a call meanwhile sums it as always, before or after.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Max, Min, QuerySet

from calls.models import CallLog
from calls.services.conversations import mark_unmarked_parts, unmarked_parts
from common.instants import day_range, local_day
from metrics.definitions import Sums
from metrics.models import DailyMetrics, DailyShape, UserMetrics, WeeklyMetrics
from metrics.rollups.daily import recompute
from metrics.rollups.histograms import shape_columns, shapes_of_day
from metrics.rollups.stored_rows import CALL_SUMS, ROW_SUMS, by_group, columns_of
from metrics.rollups.weeks import days_between, sunday_of, week_of
from metrics.shapes import SHAPE_FIELDS, Shape

_BATCH = 500
_BLOCK = 31  # days that are asked about at once
Found = TypeVar("Found")


@dataclass(frozen=True)
class Difference:
    """A stored row that is not what the calls say: of a day, of a week (`day` is its Monday), or a
    person's total (`day` is None)."""

    user_id: int
    day: dt.date | None
    stored: Sums | Shape | None
    right: Sums | Shape | None
    is_week: bool = False

    def __str__(self) -> str:
        when = f"week of {self.day}" if self.is_week else self.day or "total"
        return f"user {self.user_id} {when}: stored {self.stored}, calls {self.right}"


@dataclass(frozen=True)
class UnmarkedPart:
    """A part of a shared call that does not say so: sums of several people count it twice."""

    call_id: uuid.UUID
    day: dt.date

    def __str__(self) -> str:
        return f"call {self.call_id} {self.day}: not marked as one that several agents had"


def differences() -> list[Difference | UnmarkedPart]:
    """All rows that a rebuild would change, add or remove. Changes nothing."""
    return list(each_difference())


def each_difference() -> Iterator[Difference | UnmarkedPart]:
    """The same, one by one: after a change of the time zone there are as many as rows."""
    yield from _lasting(_unmarked)
    people: set[int] = set()
    days = _days()
    for day in days:
        for one in _lasting(partial(_wrong_on, day)):
            people.add(one.user_id)
            yield one
    for week in _weeks(days):
        yield from _lasting(partial(_wrong_weeks, week, people))
    yield from _lasting(partial(_wrong_totals, people))


def rebuild() -> int:
    """Writes every row that is not what the calls say; how many daily rows there are then."""
    mark_unmarked_parts()
    days = _days()
    for day in days:
        people = {one.user_id for one in _wrong_on(day)}
        if people:
            _mend(day, people)
    for week in _weeks(days):
        people = {one.user_id for one in _wrong_weeks(week, set())}
        if people:
            _mend_week(week, people)
    for total in _wrong_totals(set()):
        recompute(total.user_id, ())
    return DailyMetrics.objects.count()


def _lasting(look: Callable[[], list[Found]]) -> list[Found]:
    """What two looks find alike. A call that ends between the reading of the rows and that of the
    calls makes a difference, too; but the next look finds none there, or another."""
    found = look()
    return [one for one in look() if one in found] if found else []


# --- Comparing ------------------------------------------------------------------------------------


def _unmarked() -> list[UnmarkedPart]:
    return [UnmarkedPart(one.call_id, local_day(one.start_time)) for one in unmarked_parts()]


def _days() -> list[dt.date]:
    """The local days that have rows or may have to have some."""
    days = {
        day
        for model in (DailyMetrics, DailyShape)
        for day in model.objects.order_by().values_list("day", flat=True).distinct()
    }
    ended = CallLog.objects.assigned().ended()
    ends = ended.aggregate(first=Min("start_time"), last=Max("start_time"))
    if ends["first"] is not None:
        first, last = local_day(ends["first"]), local_day(ends["last"])
        for begin in range(0, (last - first).days + 1, _BLOCK):
            some = [first + dt.timedelta(days=begin + place) for place in range(_BLOCK)]
            # One call of long ago must not have each day since then summed.
            if ended.started_between(*day_range(some[0], some[-1])).exists():
                days.update(day for day in some if day <= last)
    return sorted(days)


def _weeks(days: Iterable[dt.date]) -> list[dt.date]:
    """The Mondays of the weeks that have rows or, by `days`, have to have some."""
    stored = WeeklyMetrics.objects.order_by().values_list("week", flat=True).distinct()
    return sorted(set(stored) | set(map(week_of, days)))


def _wrong_on(day: dt.date) -> list[Difference]:
    """The rows of one day that are not what the calls say."""
    sums = {row.user_id: row.sums for row in DailyMetrics.objects.filter(day=day)}
    rows = DailyShape.objects.filter(day=day).values_list("user", *SHAPE_FIELDS)
    shapes = {user_id: Shape.of(columns) for user_id, *columns in rows}
    return [*_unlike(day, sums, _sums_of_day(day)), *_unlike(day, shapes, shapes_of_day(day))]


def _sums_of_day(day: dt.date) -> dict[int, Sums]:
    calls = CallLog.objects.assigned().started_between(*day_range(day, day)).ended()
    return _by_user(calls, CALL_SUMS)


def _unlike(
    day: dt.date, stored: Mapping[int, Sums | Shape], right: Mapping[int, Sums | Shape]
) -> list[Difference]:
    return [
        Difference(user_id, day, stored.get(user_id), right.get(user_id))
        for user_id in sorted(stored.keys() | right.keys())
        if stored.get(user_id) != right.get(user_id)
    ]


def _by_user(rows: QuerySet[Any], sums: dict[str, Any]) -> dict[int, Sums]:
    return {user_id: Sums.of_row(row) for user_id, *row in by_group(rows, sums)}


def _wrong_weeks(week: dt.date, people: Collection[int]) -> list[Difference]:
    """The rows of the week of that Monday that are not those of the daily rows; of `people`, whose
    daily rows are wrong, those that are not what the calls themselves add up to."""
    stored = {row.user_id: row.sums for row in WeeklyMetrics.objects.filter(week=week)}
    days = days_between(week, sunday_of(week)).exclude(user__in=people)
    right = _by_user(days, ROW_SUMS)
    if people:
        calls = CallLog.objects.filter(user__in=people).ended()
        in_week = calls.started_between(*day_range(week, sunday_of(week)))
        right |= _by_user(in_week, CALL_SUMS)
    return [replace(one, is_week=True) for one in _unlike(week, stored, right)]


def _wrong_totals(people: Collection[int]) -> list[Difference]:
    """The totals that are not those of the weekly rows; of `people`, whose daily rows are wrong,
    those that are not what the calls themselves add up to."""
    right = _by_user(WeeklyMetrics.objects.exclude(user__in=people), ROW_SUMS)
    if people:
        right |= _by_user(CallLog.objects.filter(user__in=people).ended(), CALL_SUMS)
    stored = {row.user_id: row.sums for row in UserMetrics.objects.all()}
    return [
        Difference(user_id, None, stored.get(user_id, Sums()), right.get(user_id, Sums()))
        for user_id in sorted(right.keys() | stored.keys())
        if stored.get(user_id, Sums()) != right.get(user_id, Sums())
    ]


# --- Writing --------------------------------------------------------------------------------------


def _mend(day: dt.date, people: set[int]) -> None:
    """Writes the rows of `people` of one day: of all at once, but for those who are busy."""
    with transaction.atomic():
        mine = _locked(people)
        found = [one for one in _wrong_on(day) if one.user_id in mine]
        _write(DailyMetrics, day, [one for one in found if not _is_shape(one)])
        _write(DailyShape, day, [one for one in found if _is_shape(one)])
    for user_id in sorted(people - mine):
        recompute(user_id, [day])


def _mend_week(week: dt.date, people: set[int]) -> None:
    """The same for the rows of the week of that Monday; its days are mended."""
    with transaction.atomic():
        mine = _locked(people)
        found = [one for one in _wrong_weeks(week, set()) if one.user_id in mine]
        _write(WeeklyMetrics, week, found, key="week")
    for user_id in sorted(people - mine):
        recompute(user_id, [week])


def _locked(people: Iterable[int]) -> set[int]:
    """Those of `people` whose sums nobody else changes until the end of the transaction.

    Who is busy ending a call, or has no sums yet, is left out: whoever holds several people must
    not wait for one more, or two could wait for each other.
    """
    if not connection.features.has_select_for_update:
        return set(people)  # SQLite: the transaction itself is the lock (BEGIN IMMEDIATE)
    totals = UserMetrics.objects.select_for_update(skip_locked=True).filter(user__in=people)
    return set(totals.values_list("pk", flat=True))


def _write(model: type[Any], day: dt.date, found: list[Difference], key: str = "day") -> None:
    gone = [one.user_id for one in found if one.right is None]
    model.objects.filter(**{key: day}, user__in=gone).delete()
    columns = {one.user_id: _columns(one.right) for one in found if one.right is not None}
    if columns:
        model.objects.bulk_create(
            (model(user_id=user_id, **{key: day}, **values) for user_id, values in columns.items()),
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["user", key],
            update_fields=list(next(iter(columns.values()))),
        )


def _is_shape(one: Difference) -> bool:
    return Shape in (type(one.stored), type(one.right))


def _columns(row: Sums | Shape) -> dict[str, int]:
    return shape_columns(row) if isinstance(row, Shape) else columns_of(row)
