"""The figures of some people in a period, in the period before, and a stretch of days at a time."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from common.periods import Period, between
from metrics.dashboard.selection import Selection
from metrics.definitions import Sums
from metrics.rollups.daily import own_sums_by_day, sums_by
from metrics.rollups.part_of_day import own_sums_within, sums_before, sums_within
from metrics.rollups.shared_calls import SharedCallPart, SumsBy

SHORT_DAYS: Final = 7  # a shorter period is shown within the weeks before it
BACKGROUND_DAYS: Final = 28
MOST_DAYS, MOST_WEEKS = 62, 60  # more bars than these are too thin to read
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Stretch:
    """A day, a week or a month of a plot; `inside`: within the period, not only near it."""

    first: dt.date
    last: dt.date
    sums: Sums
    inside: bool

    @property
    def query(self) -> str:
        """These days as the period of a URL."""
        return between(self.first, self.last).query


@dataclass(frozen=True)
class Figures:
    """What cards and plots over time show."""

    period: Period
    sums: Sums
    previous: Sums
    stretches: list[Stretch]


def figures_of(
    chosen: Selection, period: Period, parts: list[SharedCallPart] | None = None
) -> Figures:
    """The figures of the selection; one query over daily rows, one for shared calls, and one over
    the calls of a day that counts in part.

    `parts`: those of shared calls since `read_since(period)`, where somebody has them.
    """
    by_day = _by_day(chosen, read_since(period), period.last, parts)
    agent = chosen.agent
    within = sums_within(chosen.people) if agent is None else own_sums_within(agent)
    return figures_from(by_day, period, sums_before(by_day, period, within))


def figures_from(by_day: SumsBy, period: Period, previous: Sums) -> Figures:
    """The figures of people whose sums of each day since `read_since(period)` are known, and what
    they are compared with."""
    return Figures(
        period,
        _total(by_day, period.first, period.last),
        previous,
        [
            Stretch(first, last, _total(by_day, first, last), inside=last >= period.first)
            for first, last in _stretches(shown_since(period), period.last)
        ],
    )


def _by_day(
    chosen: Selection, first: dt.date, last: dt.date, parts: list[SharedCallPart] | None
) -> SumsBy:
    if chosen.agent is not None:
        return own_sums_by_day(chosen.agent, first, last)
    return sums_by("day", chosen.people, first, last, parts)


def read_since(period: Period) -> dt.date:
    """The first day of all that a page shows of `period`."""
    return min(shown_since(period), period.previous_first)


def shown_since(period: Period) -> dt.date:
    """The first day of plots over time: a few days alone say nothing."""
    if period.days >= SHORT_DAYS:
        return period.first
    return period.last - (BACKGROUND_DAYS - 1) * _DAY


def _total(by_day: SumsBy, first: dt.date, last: dt.date) -> Sums:
    return by_day.total_of(day for day in by_day if first <= day <= last)


def _stretches(first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Days, else weeks, else months, cut off at both ends."""
    days = (last - first).days + 1
    begin = first
    while begin <= last:
        if days <= MOST_DAYS:
            end = begin
        elif days <= 7 * MOST_WEEKS:
            end = begin + (6 - begin.weekday()) * _DAY
        else:
            end = (begin.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
        yield begin, min(end, last)
        begin = end + _DAY
