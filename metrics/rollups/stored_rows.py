"""The rows of sums: each is made by one statement, of the calls or of smaller rows."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import DateField, F, QuerySet, Value

from calls.models import CallLog
from common.databases.prepared_sql import (
    A_DAY,
    A_NUMBER,
    AN_INSTANT,
    ANOTHER_DAY,
    ANOTHER_INSTANT,
    PreparedUpsert,
)
from metrics.definitions import COLUMNS, FIGURES, STORED, Sums
from metrics.models import DailyMetrics, UserMetrics, WeeklyMetrics
from metrics.rollups.weeks import days_between

# How each column is made: from ended calls, and from smaller rows.
CALL_SUMS: dict[str, Any] = {name: column.of_calls for name, column in COLUMNS.items()}
ROW_SUMS: dict[str, Any] = {name: column.of_rows(name) for name, column in COLUMNS.items()}


def by_group(rows: QuerySet[Any], sums: dict[str, Any], group: str = "user") -> QuerySet[Any]:
    """`rows` summed apart by `group`, or all of them for "": (group, *COLUMNS)."""
    summed = {f"sum_{name}": total for name, total in sums.items()}
    groups = rows.order_by().annotate(key=F(group) if group else Value(""))
    found: QuerySet[Any] = groups.values_list("key").annotate(**summed)
    return found


class _Stored:
    """The figures as expressions over the sums that by_group names."""

    def __getattr__(self, name: str) -> Any:
        return F(f"sum_{name}") if name in COLUMNS else _FORMULAS[name](self)


_FORMULAS: Final[dict[str, Any]] = {f.name: f.formula for f in FIGURES if f.formula is not None}
_NAMES: Final = [figure.name for figure in STORED]


def _row(rows: QuerySet[Any], sums: dict[str, Any], **key: dt.date) -> QuerySet[Any]:
    """`rows` of one person summed into one of a table: (user, *key, *STORED)."""
    keys = {f"key_{name}": Value(day, DateField()) for name, day in key.items()}
    figures = {f"stored_{figure.name}": figure.of(_Stored()) for figure in STORED}
    found: QuerySet[Any] = by_group(rows, sums).annotate(**keys, **figures)
    return found.values_list("key", *keys, *figures)


# Of a person, a day and its first and last instant.
DAY_OF_CALLS: Final = PreparedUpsert(
    DailyMetrics,
    ["user_id", "day"],
    _NAMES,
    lambda: _row(
        CallLog.objects.filter(user=A_NUMBER).started_between(AN_INSTANT, ANOTHER_INSTANT).ended(),
        CALL_SUMS,
        day=A_DAY,
    ),
    A_NUMBER,
    A_DAY,
    AN_INSTANT,
    ANOTHER_INSTANT,
)
# Of a person, a Monday and its Sunday.
WEEK_OF_DAYS: Final = PreparedUpsert(
    WeeklyMetrics,
    ["user_id", "week"],
    _NAMES,
    lambda: _row(days_between(A_DAY, ANOTHER_DAY).filter(user_id=A_NUMBER), ROW_SUMS, week=A_DAY),
    A_NUMBER,
    A_DAY,
    ANOTHER_DAY,
)
# Of a person.
TOTAL_OF_WEEKS: Final = PreparedUpsert(
    UserMetrics,
    ["user_id"],
    _NAMES,
    lambda: _row(WeeklyMetrics.objects.filter(user_id=A_NUMBER), ROW_SUMS),
    A_NUMBER,
)


def sums_of_row(written: Iterable[int]) -> Sums:
    """From the stored columns of a row, as those statements give it."""
    stored = dict(zip(_NAMES, written, strict=True))
    return Sums(**{name: stored[name] for name in COLUMNS})


def columns_of(sums: Sums) -> dict[str, int]:
    """The stored columns of a row of sums."""
    return {figure.name: figure.of(sums) for figure in STORED}
