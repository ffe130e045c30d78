"""Periods and what they are compared with, in the reader's words."""

import datetime as dt

from django.utils.translation import gettext as _

from common.formats.dates import month_day, short_day, weekday
from common.periods import LAST_MONTH, LAST_WEEK, MONTH, TODAY, WEEK, YESTERDAY, Period


def short_days(first: dt.date, last: dt.date) -> str:
    """`25/11/2026`, or `23/11/2026 – 25/11/2026`."""
    ends = [short_day(day) for day in (first, last)]
    return ends[0] if first == last else " – ".join(ends)


def period_in_words(period: Period) -> str:
    """`This month: 01/11/2026 – 25/11/2026`."""
    return f"{period.label}: {short_days(period.first, period.last)}"


def compared_with(period: Period) -> str:
    """What `period` is compared with, up to which time: `vs. yesterday until 10:40`."""
    parts = {
        "days": short_days(period.previous_first, period.previous_last),
        "day": month_day(period.previous_last),
        "weekday": weekday(period.previous_last),
        "time": _until(period),
    }
    return _sentence(period) % parts


def period_before_in_words(period: Period) -> str:
    """The same beside its days, where those are."""
    if period.until is None:
        return _("the one before")
    return _("the one before until %(time)s") % {"time": _until(period)}


def _until(period: Period) -> str:
    return "" if period.until is None else f"{period.until:%H:%M}"


def _sentence(period: Period) -> str:
    so_far = period.until is not None
    if period.name == MONTH:
        return (
            _("vs. last month until %(day)s at %(time)s")
            if so_far
            else _("vs. the whole of last month")
        )
    return {
        TODAY: _("vs. yesterday until %(time)s"),
        YESTERDAY: _("vs. the day before yesterday"),
        WEEK: _("vs. last week until %(weekday)s at %(time)s"),
        LAST_WEEK: _("vs. the week before"),
        LAST_MONTH: _("vs. the month before"),
    }.get(period.name) or (_("vs. %(days)s until %(time)s") if so_far else _("vs. %(days)s"))
