"""Which local days a page, a link or a file is about, and which days it is compared with.

Pure: a name, or two days, and the present local time -> first and last day of the period and of
the one before. In a URL a period is `period=today|yesterday|week|last_week|month|last_month`, or
`period=range&from=YYYY-MM-DD&to=YYYY-MM-DD`. Weeks begin on Monday (ISO 8601).

A period that is not over is compared with as much of the one before: on a Wednesday at 10:40,
Monday to Wednesday 10:40 with Monday to Wednesday 10:40. Where the month before has no such day
(31 March), the whole of that month is taken.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

TODAY: Final = "today"
YESTERDAY: Final = "yesterday"
WEEK: Final = "week"
LAST_WEEK: Final = "last_week"
MONTH: Final = "month"
LAST_MONTH: Final = "last_month"
RANGE: Final = "range"

# What people read, in the order in which the names are offered.
LABELS: Final[Mapping[str, str | Promise]] = {
    TODAY: gettext_lazy("Today"),
    YESTERDAY: gettext_lazy("Yesterday"),
    WEEK: gettext_lazy("This week"),
    LAST_WEEK: gettext_lazy("Last week"),
    MONTH: gettext_lazy("This month"),
    LAST_MONTH: gettext_lazy("Last month"),
    RANGE: pgettext_lazy("period", "Range"),
}
PARAMETERS: Final = ("period", "from", "to")
FIRST_YEAR, LAST_YEAR = 1970, 9998  # beyond these, a local day has no instants to compare with
LONGEST_DAYS: Final = 3660  # ten years
_DAY: Final = dt.timedelta(days=1)
_WEEK: Final = dt.timedelta(days=7)


class PeriodError(ValueError):
    """A period that cannot be read (400). `field` is the parameter that is wrong."""

    def __init__(self, message: str, field: str):
        super().__init__(message)
        self.message = message
        self.field = field


@dataclass(frozen=True)
class Period:
    """The local days first..last, inclusive, and those they are compared with, likewise.

    `until`: the local time of `previous_last` at which the comparison ends, in whole minutes; None
    where it takes the whole day.
    """

    name: str
    first: dt.date
    last: dt.date
    previous_first: dt.date
    previous_last: dt.date
    until: dt.time | None = None

    @property
    def days(self) -> int:
        """How many local days the period has, today included."""
        return (self.last - self.first).days + 1

    @property
    def is_one_day(self) -> bool:
        return self.first == self.last

    @property
    def label(self) -> str | Promise:
        """Its name for people; of a range only that it is one."""
        return LABELS[self.name]

    @property
    def parameters(self) -> dict[str, str]:
        """What a URL says for the same period; a named one moves along with the calendar."""
        if self.name != RANGE:
            return {"period": self.name}
        return {"period": RANGE, "from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def query(self) -> str:
        """The same as a query string: `period=week`."""
        return urlencode(self.parameters)


def period_of(query: Mapping[str, str], present: dt.datetime, default: str = TODAY) -> Period:
    """The period that a URL's `query` asks for, `default` where it asks for none.

    `present` is the present local time. Two days without a name are a range. Raises PeriodError.
    """
    first, last = query.get("from") or "", query.get("to") or ""
    name = query.get("period") or (RANGE if first or last else default)
    if name not in LABELS:
        raise PeriodError(
            _("There is no such period. Choose one of: %(names)s.") % {"names": ", ".join(LABELS)},
            "period",
        )
    if name == RANGE:
        return between(_day(first, "from"), _day(last, "to"), present)
    if first or last:
        raise PeriodError(_("Days belong to a range: leave out the period's name."), "period")
    return named(name, present)


def is_asked_for(query: Mapping[str, str]) -> bool:
    """Whether the URL names a period at all."""
    return any(query.get(name) for name in PARAMETERS)


def named(name: str, present: dt.datetime) -> Period:
    """The period of that name (not a range), as it is at the local time `present`."""
    period = Period(name, *_NAMED[name](present.date()))
    # Of the 31st, the month before may have no such day; then nothing of it is left out.
    is_whole = name == MONTH and period.previous_last.day != present.day
    return period if is_whole else _so_far(period, present)


def between(first: dt.date, last: dt.date, present: dt.datetime | None = None) -> Period:
    """The range first..last, compared with as many days before it, or at the local time `present`
    with as much of them as has gone by of the range. Raises PeriodError."""
    if first > last:
        raise PeriodError(_("The first day is after the last day."), "from")
    length = last - first + _DAY
    if length.days > LONGEST_DAYS:
        raise PeriodError(_("A range may have ten years at most."), "from")
    period = Period(RANGE, first, last, first - length, first - _DAY)
    if present is None or not first <= present.date() <= last:
        return period
    gone_by = period.previous_first + (present.date() - first)
    return _so_far(replace(period, previous_last=gone_by), present)


def _so_far(period: Period, present: dt.datetime) -> Period:
    if period.last < present.date():
        return period
    return replace(period, until=present.time().replace(second=0, microsecond=0))


def _day(text: str, field: str) -> dt.date:
    if not text:
        raise PeriodError(_("A range needs its first and its last day."), field)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    # fromisoformat knows more ways to write a day than we offer.
    if day is None or day.isoformat() != text:
        raise PeriodError(_("Write a date as YYYY-MM-DD."), field)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PeriodError(_("This date is out of range."), field)
    return day


_Days = tuple[dt.date, dt.date, dt.date, dt.date]


def _one_day(day: dt.date) -> _Days:
    return day, day, day - _DAY, day - _DAY


def _week(present: dt.date) -> _Days:
    monday = present - present.weekday() * _DAY
    return monday, present, monday - _WEEK, present - _WEEK


def _last_week(present: dt.date) -> _Days:
    monday = present - present.weekday() * _DAY - _WEEK
    return monday, monday + 6 * _DAY, monday - _WEEK, monday - _DAY


def _month(present: dt.date) -> _Days:
    first = present.replace(day=1)
    end_before = first - _DAY
    # 31 March has no 31 February to compare with: then the whole of February.
    same_day = end_before.replace(day=min(present.day, end_before.day))
    return first, present, end_before.replace(day=1), same_day


def _last_month(present: dt.date) -> _Days:
    last = present.replace(day=1) - _DAY
    first = last.replace(day=1)
    return first, last, (first - _DAY).replace(day=1), first - _DAY


_NAMED: Final[Mapping[str, Callable[[dt.date], _Days]]] = {
    TODAY: _one_day,
    YESTERDAY: lambda present: _one_day(present - _DAY),
    WEEK: _week,
    LAST_WEEK: _last_week,
    MONTH: _month,
    LAST_MONTH: _last_month,
}
