"""Sums of calls: recomputed from the calls themselves, repeatable, and added up for any period."""

import datetime as dt
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import User
from calls.models import CallLog
from common.databases.prepared_sql import A_DAY, A_NUMBER, ANOTHER_DAY, Prepared
from common.instants import day_range
from metrics.definitions import COLUMNS, Sums
from metrics.models import DailyMetrics, UserMetrics, WeeklyMetrics
from metrics.rollups.histograms import day_of, recompute_shape
from metrics.rollups.of_people import People, PreparedOfPeople, of_people
from metrics.rollups.shared_calls import (
    SharedCallPart,
    SumsBy,
    counted_twice,
    shared_parts_of,
)
from metrics.rollups.stored_rows import (
    DAY_OF_CALLS,
    ROW_SUMS,
    TOTAL_OF_WEEKS,
    WEEK_OF_DAYS,
    by_group,
    columns_of,
    sums_of_row,
)
from metrics.rollups.weeks import Between, days_between, parts_of_period, sunday_of, week_of


def recompute(user_id: int, days: Iterable[dt.date]) -> Sums:
    """Recomputes one person's rows of those days and the person's total, which it returns.

    Anyone may repeat it. The total's row is locked before anything is summed: of two ends at once,
    the second sums after the first has committed. Costs the calls of those days, the days of their
    weeks and one row a week of history.
    """
    days = set(days)
    with transaction.atomic(savepoint=False):
        _lock_total(user_id)
        for day in sorted(days):
            recompute_shape(user_id, day)
            if not DAY_OF_CALLS.write(user_id, day, *day_range(day, day)):
                DailyMetrics.objects.filter(user_id=user_id, day=day).delete()
        for week in sorted(set(map(week_of, days))):
            if not WEEK_OF_DAYS.write(user_id, week, sunday_of(week)):
                WeeklyMetrics.objects.filter(user_id=user_id, week=week).delete()
        written = TOTAL_OF_WEEKS.write(user_id)
        if not written:  # nothing is left of them
            UserMetrics.objects.update_or_create(user_id=user_id, defaults=columns_of(Sums()))
    return sums_of_row(written[0]) if written else Sums()


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


def sums_of(users: People, first: dt.date, last: dt.date) -> Sums:
    """The sums of some people over the local days first..last, inclusive, from rows of sums.

    A call that several of them had a part in counts once.
    """
    sums = _added(_rows_of_parts("", users, first, last)).get("", Sums())
    return sums - counted_twice(shared_parts_of(users, first, last))


def _rows_of_parts(
    group: str, users: People, first: dt.date, last: dt.date
) -> list[tuple[Any, ...]]:
    """(group, *COLUMNS) of each part of the period, in one statement. A `group` of "" is all."""
    parts, ends = _parts_and_ends(first, last)
    return _sums_of_people(group, parts).rows(users, *ends)


Parts = tuple[Between, ...]


def _parts_and_ends(first: dt.date, last: dt.date) -> tuple[Parts, list[dt.date]]:
    parts = parts_of_period(first, last)
    return tuple(rows for rows, *_ends in parts), [day for _rows, *ends in parts for day in ends]


def _marks_of(parts: Parts) -> list[dt.date]:
    return [A_DAY + dt.timedelta(days=place) for place in range(2 * len(parts))]


def _united(
    group: str, parts: Parts, of: Callable[[QuerySet[Any]], QuerySet[Any]]
) -> QuerySet[Any]:
    """The sums of each part, of those of its rows that `of` leaves; marks stand for its ends."""
    marks = iter(_marks_of(parts))
    one, *more = (
        by_group(of(between(next(marks), next(marks))), ROW_SUMS, group) for between in parts
    )
    return one.union(*more, all=True) if more else one


@cache
def _sums_of_people(group: str, parts: Parts) -> PreparedOfPeople:
    return PreparedOfPeople(
        lambda users: _united(group, parts, lambda rows: of_people(rows, users)), *_marks_of(parts)
    )


@cache
def _sums_of_person(parts: Parts) -> Prepared:
    def own(rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(user_id=A_NUMBER)

    return Prepared(lambda: _united("", parts, own), A_NUMBER, *_marks_of(parts))


_DAYS_OF_PERSON: Final = Prepared(
    lambda: by_group(days_between(A_DAY, ANOTHER_DAY).filter(user_id=A_NUMBER), ROW_SUMS, "day"),
    A_NUMBER,
    A_DAY,
    ANOTHER_DAY,
)


def _by_day(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Sums]:
    return {day_of(day): Sums.of_row(columns) for day, *columns in rows}


_GREATEST: Final = [place for place, c in enumerate(COLUMNS.values()) if c.is_greatest]


def _added(rows: Iterable[tuple[Any, ...]]) -> dict[Any, Sums]:
    """Rows of (key, *COLUMNS), added up by key.

    As the driver gives them: to convert each number by itself takes longer than to add them all.
    """
    found: dict[Any, list[list[Any]]] = {}
    for key, *columns in rows:
        found.setdefault(key, []).append(columns)
    return {
        key: Sums.of_row(parts[0] if len(parts) == 1 else _together(parts))
        for key, parts in found.items()
    }


def _together(parts: list[list[Any]]) -> list[Any]:
    columns = list(zip(*parts, strict=True))
    added = list(map(sum, columns))
    for place in _GREATEST:
        added[place] = max(columns[place])
    return added


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
    if group == "day":
        sums = _by_day(_sums_of_people(group, (days_between,)).rows(users, first, last))
    else:
        sums = _added(_rows_of_parts(group, users, first, last))
    if parts is None:
        parts = shared_parts_of(users, first, last)
    return SumsBy(sums, group, [part for part in parts if first <= part.day <= last])


def own_sums_by_day(user: User, first: dt.date, last: dt.date) -> SumsBy:
    """One person's sums by day: every part of theirs is a call of theirs."""
    rows = _DAYS_OF_PERSON.rows(user.pk, first, last)
    return SumsBy(_by_day(rows), "day", [])


def own_sums(user: User, first: dt.date, last: dt.date) -> Sums:
    """One person's sums: every part of theirs is a call of theirs."""
    parts, ends = _parts_and_ends(first, last)
    return _added(_sums_of_person(parts).rows(user.pk, *ends)).get("", Sums())


def totals_after(call: CallLog) -> Sums:
    """The totals of the call's person; no query where saving `call` has just made them."""
    row = getattr(call.user, "metrics", None)
    return Sums() if row is None else row.sums


def totals_of(user_id: int) -> Sums:
    """All of one person's calls; zeros before the first."""
    row = UserMetrics.objects.filter(user_id=user_id).first()
    return row.sums if row is not None else Sums()
