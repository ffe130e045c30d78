"""Whole weeks among the days of a period: their rows are read instead of those of their days."""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from django.db.models import QuerySet

from metrics.models import DailyMetrics, WeeklyMetrics

_DAY: Final = dt.timedelta(days=1)


def week_of(day: dt.date) -> dt.date:
    """The Monday of the week that `day` lies in."""
    return day - day.weekday() * _DAY


def sunday_of(week: dt.date) -> dt.date:
    """The last day of the week that begins on the Monday `week`."""
    return week + 6 * _DAY


def days_between(first: dt.date, last: dt.date) -> QuerySet[DailyMetrics]:
    """Daily rows of the local days first..last, inclusive, for whoever is then filtered."""
    return DailyMetrics.objects.filter(day__gte=first, day__lte=last).order_by()


def weeks_between(first: dt.date, last: dt.date) -> QuerySet[WeeklyMetrics]:
    """Weekly rows of the Mondays first..last, inclusive."""
    return WeeklyMetrics.objects.filter(week__gte=first, week__lte=last).order_by()


Between = Callable[[dt.date, dt.date], QuerySet[Any]]


def parts_of_period(first: dt.date, last: dt.date) -> list[tuple[Between, dt.date, dt.date]]:
    """Which rows make up the local days first..last, inclusive: those of its whole weeks, first to
    last Monday, and those of the days before and after them."""
    if last - first < 6 * _DAY:
        return [(days_between, first, last)]
    monday, sunday = week_of(first + 6 * _DAY), sunday_of(week_of(last - 6 * _DAY))
    if sunday < monday:
        return [(days_between, first, last)]
    parts: list[tuple[Between, dt.date, dt.date]] = [(weeks_between, monday, week_of(sunday))]
    if first < monday:
        parts.append((days_between, first, monday - _DAY))
    if sunday < last:
        parts.append((days_between, sunday + _DAY, last))
    return parts
