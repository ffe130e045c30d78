"""The last weeks, a day at a time, as numbers and as bars to draw."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from accounts.models import User
from calls.instants import today
from metrics.definitions import Sums
from metrics.services import sums_by

DAYS: Final = 28
HEIGHT: Final = 100  # of the drawing, in its own units
STEP: Final = 10  # the width of a day


@dataclass(frozen=True)
class Day:
    """A day's figures, and where its bars stand. Heights are of HEIGHT; y grows downwards."""

    day: dt.date
    sums: Sums
    x: int
    good_height: int
    all_height: int
    average_height: int

    @property
    def failed_height(self) -> int:
        return self.all_height - self.good_height

    @property
    def all_y(self) -> int:
        return HEIGHT - self.all_height

    @property
    def good_y(self) -> int:
        return HEIGHT - self.good_height

    @property
    def average_y(self) -> int:
        return HEIGHT - self.average_height


@dataclass(frozen=True)
class Trend:
    days: list[Day]
    most_calls: int
    longest_average: int

    @property
    def width(self) -> int:
        return STEP * len(self.days)


def trend_of(people: QuerySet[User]) -> Trend:
    """The last DAYS local days of `people`, today included; one query."""
    last = today()
    first = last - dt.timedelta(days=DAYS - 1)
    sums = sums_by("day", people, first, last)
    most = max((day.calls_made for day in sums.values()), default=0)
    longest = max((day.avg_call_duration for day in sums.values()), default=0)
    return Trend(list(_days(first, sums, most, longest)), most, longest)


def _days(first: dt.date, sums: Mapping[dt.date, Sums], most: int, longest: int) -> Iterator[Day]:
    for number in range(DAYS):
        day = first + dt.timedelta(days=number)
        its = sums.get(day, Sums())
        yield Day(
            day=day,
            sums=its,
            x=number * STEP + 1,
            good_height=_height(its.calls_success, most),
            all_height=_height(its.calls_made, most),
            average_height=_height(its.avg_call_duration, longest),
        )


def _height(value: int, most: int) -> int:
    """At least a line for what is not nothing."""
    return max(1, value * HEIGHT // most) if value else 0
