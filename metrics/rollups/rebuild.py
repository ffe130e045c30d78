"""Rebuilds every sum from the calls, or says which would change."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Min

from calls.models import CallLog
from common.instants import day_range, local_day
from metrics.definitions import Sums
from metrics.models import DailyMetrics, DailyShape, UserMetrics
from metrics.rollups.daily import CALL_SUMS, by_group, columns_of
from metrics.rollups.histograms import shape_columns, shapes_of_day
from metrics.shapes import SHAPE_FIELDS, Shape

_BATCH = 2000


@dataclass(frozen=True)
class Difference:
    """A stored row that is not what the calls say. `day` is None for a person's total."""

    user_id: int
    day: dt.date | None
    stored: Sums | Shape | None
    right: Sums | Shape | None


def _days() -> Iterator[dt.date]:
    ends = (
        CallLog.objects.assigned()
        .ended()
        .aggregate(first=Min("start_time"), last=Max("start_time"))
    )
    if ends["first"] is None:
        return
    day, last = local_day(ends["first"]), local_day(ends["last"])
    while day <= last:
        yield day
        day += dt.timedelta(days=1)


def _of_day(day: dt.date) -> dict[int, Sums]:
    begin, end = day_range(day, day)
    calls = CallLog.objects.assigned().started_between(begin, end).ended()
    return {user_id: Sums.of_row(row) for user_id, *row in by_group(calls, CALL_SUMS)}


def differences() -> list[Difference]:
    """All rows that a rebuild would change, add or remove. Changes nothing."""
    found: list[Difference] = []
    totals: dict[int, Sums] = {}
    left = {(row.user_id, row.day): row.sums for row in DailyMetrics.objects.order_by().iterator()}
    for day in _days():
        for user_id, right in _of_day(day).items():
            totals[user_id] = totals.get(user_id, Sums()) + right
            stored = left.pop((user_id, day), None)
            if stored != right:
                found.append(Difference(user_id, day, stored, right))
    found += [Difference(user_id, day, stored, None) for (user_id, day), stored in left.items()]
    stored_totals = {row.user_id: row.sums for row in UserMetrics.objects.all()}
    for user_id in sorted(totals.keys() | stored_totals.keys()):
        right, stored = totals.get(user_id, Sums()), stored_totals.get(user_id, Sums())
        if stored != right:
            found.append(Difference(user_id, None, stored, right))
    return found + _shape_differences()


def _shape_differences() -> list[Difference]:
    found: list[Difference] = []
    rows = DailyShape.objects.order_by().values_list("user", "day", *SHAPE_FIELDS)
    left = {(user_id, day): Shape.of(columns) for user_id, day, *columns in rows.iterator()}
    for day in _days():
        for user_id, right in shapes_of_day(day).items():
            stored = left.pop((user_id, day), None)
            if stored != right:
                found.append(Difference(user_id, day, stored, right))
    return found + [Difference(*place, stored, None) for place, stored in left.items()]


@transaction.atomic
def rebuild() -> int:
    """Writes every daily row and total anew, in one transaction; the number of daily rows."""
    DailyMetrics.objects.all().delete()
    UserMetrics.objects.all().delete()
    totals: dict[int, Sums] = {}
    rows: list[DailyMetrics] = []
    written = 0
    for day in _days():
        for user_id, sums in _of_day(day).items():
            totals[user_id] = totals.get(user_id, Sums()) + sums
            rows.append(DailyMetrics(user_id=user_id, day=day, **columns_of(sums)))
        if len(rows) >= _BATCH:
            written += len(DailyMetrics.objects.bulk_create(rows))
            rows = []
    written += len(DailyMetrics.objects.bulk_create(rows))
    UserMetrics.objects.bulk_create(
        UserMetrics(user_id=user_id, **columns_of(sums)) for user_id, sums in totals.items()
    )
    _rebuild_shapes()
    return written


def _rebuild_shapes() -> None:
    DailyShape.objects.all().delete()
    for day in _days():
        DailyShape.objects.bulk_create(
            (
                DailyShape(user_id=user_id, day=day, **shape_columns(shape))
                for user_id, shape in shapes_of_day(day).items()
            ),
            batch_size=_BATCH,
        )
