"""When a schedule is due by the organisation's clocks, and which days its report is about.

A local time that a clock change skips is taken as the next one that exists; of one that comes
twice the first is taken. A month without such a day takes its last one.
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Iterator
from typing import Final

from common.instants import local_instants, organisation_zone
from common.periods import LAST_MONTH, LAST_WEEK, YESTERDAY, Period, named
from notifications.models.schedules import Every, ReportSchedule

_MINUTE: Final = dt.timedelta(minutes=1)
_DAY: Final = dt.timedelta(days=1)
_PERIODS: Final = {Every.DAY: YESTERDAY, Every.WEEK: LAST_WEEK, Every.MONTH: LAST_MONTH}


def next_due(schedule: ReportSchedule, after: dt.datetime) -> dt.datetime:
    """The first instant (UTC) later than `after` at which it is due."""
    day = after.astimezone(organisation_zone()).date() - _DAY  # a skipped time may lie in the next
    return next(due for due in _from(schedule, day) if due > after)


def latest_due(schedule: ReportSchedule, first: dt.datetime, present: dt.datetime) -> dt.datetime:
    """The last instant not after `present` at which it was due; `first` is one such."""
    latest = first
    while (following := next_due(schedule, latest)) <= present:
        latest = following
    return latest


def period_at(schedule: ReportSchedule, due: dt.datetime) -> Period:
    """The whole days that the report of that due time is about: the day, week or month before."""
    return named(_PERIODS[Every(schedule.every)], due.astimezone(organisation_zone()))


def _from(schedule: ReportSchedule, day: dt.date) -> Iterator[dt.datetime]:
    while True:
        if _is_day_of(schedule, day):
            yield _instant(dt.datetime.combine(day, schedule.at))
        day += _DAY


def _is_day_of(schedule: ReportSchedule, day: dt.date) -> bool:
    if schedule.every == Every.WEEK:
        return day.weekday() == schedule.weekday
    if schedule.every == Every.MONTH:
        return day.day == min(schedule.day, monthrange(day.year, day.month)[1])
    return True


def _instant(local: dt.datetime) -> dt.datetime:
    while not (found := local_instants(local)):
        local += _MINUTE
    return found[0]
