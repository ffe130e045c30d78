"""Sums of calls: recomputed from the calls themselves, repeatable, and added up for any period."""

import datetime as dt
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from calls.models import CallLog
from common.instants import day_range
from common.prepared_sql import (
    A_DAY,
    A_NUMBER,
    AN_INSTANT,
    ANOTHER_INSTANT,
    Prepared,
    Upsert,
)
from metrics.definitions import COLUMNS, STORED, Sums
from metrics.models import DailyMetrics, SumsModel, UserMetrics
from metrics.rollups.histograms import day_of, recompute_shape
from metrics.rollups.of_people import People, PreparedOfPeople, of_people
from metrics.rollups.shared_calls import (
    SharedCallPart,
    SumsBy,
    counted_twice,
    shared_parts_of,
)

# How each column is made: from ended calls, and from daily rows.
CALL_SUMS: dict[str, Any] = {name: column.of_calls for name, column in COLUMNS.items()}
ROW_SUMS: dict[str, Any] = {name: column.of_rows(name) for name, column in COLUMNS.items()}


_ANOTHER_DAY = A_DAY + dt.timedelta(days=1)


def by_group(rows: QuerySet[Any], sums: dict[str, Any], group: str = "user") -> QuerySet[Any]:
    """`rows` summed apart by `group`: (group, *COLUMNS)."""
    summed = {f"sum_{name}": total for name, total in sums.items()}
    found: QuerySet[Any] = rows.order_by().values_list(group).annotate(**summed)
    return found


_DAY_OF_CALLS = Prepared(
    lambda: by_group(
        CallLog.objects.filter(user=A_NUMBER).started_between(AN_INSTANT, ANOTHER_INSTANT).ended(),
        CALL_SUMS,
    ),
    A_NUMBER,
    AN_INSTANT,
    ANOTHER_INSTANT,
)
_TOTAL_OF_DAYS = Prepared(
    lambda: by_group(DailyMetrics.objects.filter(user_id=A_NUMBER), ROW_SUMS), A_NUMBER
)


def _sums_of_row(rows: list[tuple[Any, ...]]) -> Sums:
    return Sums.of_row(rows[0][1:]) if rows else Sums()


def recompute(user_id: int, days: Iterable[dt.date]) -> Sums:
    """Recomputes one person's rows of those days and the person's total, which it returns.

    Anyone may repeat it. The total's row is locked before anything is summed: of two ends at once,
    the second sums after the first has committed. Costs the calls of those days and one row a day
    of history.
    """
    with transaction.atomic(savepoint=False):
        _lock_total(user_id)
        for day in sorted(set(days)):
            recompute_shape(user_id, day)
            sums = _sums_of_row(_DAY_OF_CALLS.rows(user_id, *day_range(day, day)))
            if sums == Sums():
                DailyMetrics.objects.filter(user_id=user_id, day=day).delete()
            else:
                _upsert(DailyMetrics, "user_id", "day").write(
                    user_id, day, *columns_of(sums).values()
                )
        total = _sums_of_row(_TOTAL_OF_DAYS.rows(user_id))
        _upsert(UserMetrics, "user_id").write(user_id, *columns_of(total).values())
    return total


def _lock_total(user_id: int) -> None:
    if not connection.features.has_select_for_update:
        return  # SQLite: the transaction itself is the lock (BEGIN IMMEDIATE)
    if not _LOCKED_TOTAL.rows(user_id):
        UserMetrics.objects.bulk_create([UserMetrics(user_id=user_id)], ignore_conflicts=True)
        _LOCKED_TOTAL.rows(user_id)


_LOCKED_TOTAL = Prepared(
    lambda: UserMetrics.objects.select_for_update().filter(user_id=A_NUMBER).values_list("pk"),
    A_NUMBER,
)


def columns_of(sums: Sums) -> dict[str, int]:
    """The stored columns of a row of sums."""
    return {figure.name: figure.of(sums) for figure in STORED}


@cache
def _upsert(model: type[SumsModel], *keys: str) -> Upsert:
    return Upsert(model, list(keys), list(columns_of(Sums())))


def rows_between(first: dt.date, last: dt.date) -> QuerySet[DailyMetrics]:
    """Daily rows of the local days first..last, inclusive, for whoever is then filtered."""
    return DailyMetrics.objects.filter(day__gte=first, day__lte=last).order_by()


def sums_of(users: People, first: dt.date, last: dt.date) -> Sums:
    """The sums of some people over the local days first..last, inclusive, from daily rows.

    A call that several of them had a part in counts once.
    """
    sums = Sums(**of_people(rows_between(first, last), users).aggregate(**ROW_SUMS))
    return sums - counted_twice(shared_parts_of(users, first, last))


@cache
def _sums_of_people(group: str) -> PreparedOfPeople:
    rows = rows_between(A_DAY, _ANOTHER_DAY)
    return PreparedOfPeople(
        lambda users: by_group(of_people(rows, users), ROW_SUMS, group), A_DAY, _ANOTHER_DAY
    )


_DAYS_OF_PERSON = Prepared(
    lambda: by_group(rows_between(A_DAY, _ANOTHER_DAY).filter(user_id=A_NUMBER), ROW_SUMS, "day"),
    A_NUMBER,
    A_DAY,
    _ANOTHER_DAY,
)


def _by_key(group: str, rows: Iterable[tuple[Any, ...]]) -> dict[Any, Sums]:
    """From rows as the driver gives them: to convert each number by itself takes longer than to
    add them all up."""
    key = day_of if group == "day" else lambda value: value
    return {key(value): Sums.of_row(columns) for value, *columns in rows}


def sums_by(
    group: str,
    users: QuerySet[User],
    first: dt.date,
    last: dt.date,
    parts: list[SharedCallPart] | None = None,
) -> SumsBy:
    """The same, apart by `group`: `user`, `user__team` or `day`.

    `parts`: those of shared_parts_of for the same people and a wider period, where they are known.
    """
    rows = _sums_of_people(group).rows(users, first, last)
    if parts is None:
        parts = shared_parts_of(users, first, last)
    return SumsBy(
        _by_key(group, rows), group, [part for part in parts if first <= part.day <= last]
    )


def own_sums_by_day(user: User, first: dt.date, last: dt.date) -> SumsBy:
    """One person's sums by day: every part of theirs is a call of theirs."""
    rows = _DAYS_OF_PERSON.rows(user.pk, first, last)
    return SumsBy(_by_key("day", rows), "day", [])


def own_sums(user: User, first: dt.date, last: dt.date) -> Sums:
    """One person's sums: every part of theirs is a call of theirs."""
    rows = rows_between(first, last).filter(user=user)
    return Sums(**rows.aggregate(**ROW_SUMS))


def totals_after(call: CallLog) -> Sums:
    """The totals of the call's person; no query where saving `call` has just made them."""
    row = getattr(call.user, "metrics", None)
    return Sums() if row is None else row.sums


def totals_of(user_id: int) -> Sums:
    """All of one person's calls; zeros before the first."""
    row = UserMetrics.objects.filter(user_id=user_id).first()
    return row.sums if row is not None else Sums()
