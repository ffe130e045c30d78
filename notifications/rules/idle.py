"""No calls for some minutes of working hours.

The time is counted from the last sign of a call, and within one working day: what was idle before
work began is not. Who is on a call is not idle, however long it lasts.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Max

from common.instants import at_local, local_day, now, to_ms
from notifications.models import Rule
from notifications.models.rules import Kind
from notifications.rules import firing
from notifications.rules.audience import Subject, apart, bounded, calls_of, subjects_of
from notifications.rules.firing import Occasion
from notifications.rules.kinds import parameters_of, working_hours

_DAY: Final = dt.timedelta(days=1)
_MOST: Final = 60_000


@dataclass(frozen=True)
class Shift:
    """A working day: the half-open range of instants [begin, end)."""

    begin: dt.datetime
    end: dt.datetime


def shifts(parameters: dict[str, Any], first: dt.date, last: dt.date) -> Iterator[Shift]:
    """The working days that begin on the local days first..last. Where work ends before it begins,
    it ends on the next day."""
    begin, end = working_hours(parameters)
    day = first
    while day <= last:
        if day.weekday() in parameters["weekdays"]:
            until = day if begin < end else day + _DAY
            yield Shift(at_local(day, begin), at_local(until, end))
        day += _DAY


def watch(at: dt.datetime | None = None) -> None:
    """Fires who is idle at the instant `at` (now), and ends what is over."""
    at = at or now()
    rules = Rule.objects.filter(enabled=True, kind=Kind.NO_CALLS).with_scope()
    firing.do_each(rules, lambda rule: firing.fire_lasting(rule, list(idle(rule, at)), at))


def idle(rule: Rule, at: dt.datetime) -> Iterator[Occasion]:
    """Who has had no call for the rule's minutes of the working day that `at` lies in."""
    found = parameters_of(rule)
    today = local_day(at)
    shift = next((s for s in shifts(found, today - _DAY, today) if s.begin <= at < s.end), None)
    if shift is None:
        return
    begin = max(shift.begin, rule.watching_since)
    limit = dt.timedelta(minutes=found["minutes"])
    if at - begin < limit:
        return
    running, ends = _signs(rule, shift.begin, at)
    for subject in subjects_of(rule):
        if any(subject.has(user) for user in running):
            continue
        since = max([begin, *(end for user, end in ends.items() if subject.has(user))])
        if at - since >= limit:
            yield _occasion(subject, since, limit)


def _signs(
    rule: Rule, begin: dt.datetime, at: dt.datetime
) -> tuple[set[int | None], dict[int | None, dt.datetime]]:
    """Who is on a call, and when the last call of each ended; None stands for nobody known."""
    calls = calls_of(rule)
    running: set[int | None] = set(calls.active().values_list("user_id", flat=True))
    lately = calls.ended().started_between(begin - _DAY, at)
    return running, dict(lately.values_list("user_id").annotate(Max("end_time")))


def _occasion(subject: Subject, since: dt.datetime, limit: dt.timedelta) -> Occasion:
    whose = subject.agent or subject.team
    return Occasion(
        key=f"idle:{to_ms(since)}:{type(whose).__name__}-{getattr(whose, 'pk', 0)}",
        reached_at=since + limit,
        agent=subject.agent,
        team=subject.team,
        facts={"minutes": limit // dt.timedelta(minutes=1)},
    )


def past(rule: Rule, since: dt.datetime, until: dt.datetime) -> list[Occasion]:
    """When each subject would have been idle for too long in [since, until)."""
    found = parameters_of(rule)
    limit = dt.timedelta(minutes=found["minutes"])
    recent = calls_of(rule).started_between(since - _DAY, until)
    rows = bounded(recent.values_list("user_id", "start_time", "end_time"), _MOST)
    days = list(shifts(found, local_day(since), local_day(until)))
    occasions = []
    for subject, calls in apart(subjects_of(rule), rows):
        own = sorted((start, end or until) for _user, start, end in calls)
        for shift in days:
            for begin, end in _gaps(own, shift.begin, min(shift.end, until)):
                if begin + limit <= end and begin >= since:
                    occasions.append(_occasion(subject, begin, limit))
    return sorted(occasions, key=lambda occasion: occasion.reached_at)


def _gaps(
    calls: Iterable[tuple[dt.datetime, dt.datetime]], begin: dt.datetime, end: dt.datetime
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The stretches of [begin, end) without any of `calls`, in the order of their start."""
    for start, over in calls:
        if start >= end:
            break
        if start > begin:
            yield begin, start
        begin = max(begin, over)
    if begin < end:
        yield begin, end
