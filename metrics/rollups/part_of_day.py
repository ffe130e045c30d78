"""A day up to some time of it, from its calls themselves: rows of sums know whole days only."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from django.db.models import QuerySet

from accounts.models import User
from calls.models import CallLog, CallQuerySet
from common.databases.prepared_sql import A_NUMBER, AN_INSTANT, ANOTHER_INSTANT, Prepared
from common.instants import at_local, day_start
from common.periods import Period
from metrics.definitions import Sums
from metrics.rollups.of_people import People, PreparedOfPeople, of_people
from metrics.rollups.shared_calls import SumsBy
from metrics.rollups.stored_rows import CALL_SUMS, by_group

Between = Callable[[dt.datetime, dt.datetime], Sums]


def sums_before(by_day: SumsBy, period: Period, within: Between) -> Sums:
    """What `period` is compared with. `by_day` has those days; `within` the sums of the same
    people's calls that began and ended between two instants, one query."""
    days = {day for day in by_day if period.previous_first <= day <= period.previous_last}
    last = period.previous_last
    if period.until is None or last not in days:
        return by_day.total_of(days)
    end = at_local(last, period.until)
    return by_day.with_part_of(last, within(day_start(last), end), end).total_of(days)


def sums_within(users: People) -> Between:
    """The calls of some people, a part of a shared call each."""
    return lambda begin, end: _sum(_OF_PEOPLE.rows(users, begin, end))


def own_sums_within(user: User) -> Between:
    """One person's calls."""
    return lambda begin, end: _sum(_OF_PERSON.rows(user.pk, begin, end))


def _sum(rows: list[tuple[Any, ...]]) -> Sums:
    return Sums.of_row(rows[0][1:]) if rows else Sums()


def _within() -> CallQuerySet:
    """What had ended by then: calls of the present day that still run are not counted either."""
    begun = CallLog.objects.started_between(AN_INSTANT, ANOTHER_INSTANT)
    return begun.filter(end_time__lt=ANOTHER_INSTANT).ended()


def _summed(calls: CallQuerySet) -> QuerySet[Any]:
    return by_group(calls, CALL_SUMS, "")


_OF_PEOPLE: Final = PreparedOfPeople(
    lambda users: _summed(of_people(_within(), users)), AN_INSTANT, ANOTHER_INSTANT
)
_OF_PERSON: Final = Prepared(
    lambda: _summed(_within().filter(user=A_NUMBER)), A_NUMBER, AN_INSTANT, ANOTHER_INSTANT
)
