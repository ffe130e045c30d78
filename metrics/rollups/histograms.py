"""When in the day calls begin and how long they are: kept in a row a person and day, like sums.

A row has a fixed number of columns, so that a page adds up as many rows as for the figures,
and ending a call still reads the calls of one person's one day.
"""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import BigIntegerField, Func, QuerySet, Sum

from calls.models import CallLog, CallQuerySet
from common.databases.prepared_sql import (
    A_DAY,
    A_NUMBER,
    AN_INSTANT,
    ANOTHER_DAY,
    ANOTHER_INSTANT,
    Prepared,
    Upsert,
)
from common.instants import day_range, from_ms
from metrics.models import DailyShape
from metrics.rollups.of_people import People, PreparedOfPeople, of_people
from metrics.shapes import LENGTHS, SHAPE_FIELDS, Shape

QUARTER_SECONDS: Final = 900  # every zone's offset is a whole number of quarters


class Quarter(Func):
    """Whole quarters of an hour between 1970-01-01 UTC and an instant."""

    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        seconds = "CAST(strftime('%%%%s', %(expressions)s) AS INTEGER)"
        template = f"({seconds} / {QUARTER_SECONDS})"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        seconds = "EXTRACT(EPOCH FROM %(expressions)s)"
        template = f"FLOOR({seconds} / {QUARTER_SECONDS})::bigint"
        return self.as_sql(compiler, connection, template=template, **extra)


def _quarters(calls: CallQuerySet) -> QuerySet[Any]:
    """(person, quarter, seconds of talk) of each of the calls that count."""
    quarters = calls.counted().order_by().annotate(quarter=Quarter("start_time"))
    return quarters.values_list("user", "quarter", "talk_seconds")


_QUARTERS_OF_DAY = Prepared(
    lambda: _quarters(
        CallLog.objects.filter(user_id=A_NUMBER).started_between(AN_INSTANT, ANOTHER_INSTANT)
    ),
    A_NUMBER,
    AN_INSTANT,
    ANOTHER_INSTANT,
)


@cache
def _upsert() -> Upsert:
    return Upsert(DailyShape, ["user_id", "day"], list(SHAPE_FIELDS))


def _shape(calls: Iterable[tuple[int, int]]) -> Shape:
    """The day's shape from its calls: (quarter, seconds of talk).

    The hour that a clock change repeats counts as one hour, and the one it skips has no calls.
    """
    hours, lengths = [0] * 24, [0] * len(LENGTHS)
    for quarter, talk in calls:
        hours[_local_hour(quarter, settings.TIME_ZONE)] += 1
        lengths[bisect_right(LENGTHS, talk) - 1] += 1
    return Shape(tuple(hours), tuple(lengths))


@lru_cache(maxsize=4096)
def _local_hour(quarter: int, zone: str) -> int:
    return from_ms(quarter * QUARTER_SECONDS * 1000).astimezone(ZoneInfo(zone)).hour


def recompute_shape(user_id: int, day: dt.date) -> None:
    """Recomputes one person's row of one day from the calls; anyone may repeat it.

    Called under the lock of services.recompute.
    """
    rows = _QUARTERS_OF_DAY.rows(user_id, *day_range(day, day))
    if rows:
        shape = _shape((quarter, talk) for _user, quarter, talk in rows)
        _upsert().write(user_id, day, *shape.columns)
    else:
        DailyShape.objects.filter(user_id=user_id, day=day).delete()


def shapes_of_day(day: dt.date) -> dict[int, Shape]:
    """Everybody's shape of one day from the calls, by person."""
    calls: dict[int, list[tuple[int, int]]] = {}
    for user_id, quarter, talk in _quarters(
        CallLog.objects.assigned().started_between(*day_range(day, day))
    ):
        calls.setdefault(user_id, []).append((quarter, talk))
    return {user_id: _shape(its_calls) for user_id, its_calls in calls.items()}


def shape_columns(shape: Shape) -> dict[str, int]:
    """The stored columns of a row."""
    return dict(zip(SHAPE_FIELDS, shape.columns, strict=True))


def shapes_by_day(users: People, first: dt.date, last: dt.date) -> dict[dt.date, Shape]:
    """The shapes of some people's calls on each of the local days first..last that has any."""
    rows = _SHAPES_OF_PEOPLE.rows(users, first, last)
    return {day_of(day): Shape.of(map(int, columns)) for day, *columns in rows}


def _shapes(users: People, first: dt.date, last: dt.date) -> QuerySet[Any]:
    rows = of_people(DailyShape.objects.filter(day__gte=first, day__lte=last), users).order_by()
    sums = {f"sum_{name}": Sum(name) for name in SHAPE_FIELDS}
    return rows.values_list("day").annotate(**sums)


_SHAPES_OF_PEOPLE: Final = PreparedOfPeople(
    lambda users: _shapes(users, A_DAY, ANOTHER_DAY), A_DAY, ANOTHER_DAY
)


def day_of(value: str | dt.date) -> dt.date:
    """A day as the driver gives it."""
    return dt.date.fromisoformat(value) if isinstance(value, str) else value
