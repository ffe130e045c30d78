"""An agent's local day as a time line: calls with their holds and pauses, and the gaps between.

Cut exactly where the day begins and ends, and as long as the day is: 23 or 25 hours at a clock
change.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from accounts.models import User
from calls import timeline
from calls.history.segments import HOLD, PAUSE, RING, TALK, intervals_of
from calls.models import CallEvent, CallLog
from calls.timeline.intervals import merge
from common.instants import day_range, from_ms, organisation_zone, to_ms

WIDTH: Final = 1000  # of the drawing, in its own units
MOST_DAYS: Final = 7
MOST_CALLS: Final = 400  # of all days that a page draws
LEAST_HOURS: Final = 4  # so that one short call does not fill the line
HOUR_MS: Final = 3_600_000
# (y, height) of 30: the kinds of parts differ in place, too, for who does not tell colours apart.
_PLACES: Final = {RING: (15, 15), TALK: (0, 30), HOLD: (0, 12), PAUSE: (18, 12)}


@dataclass(frozen=True)
class Piece:
    """A part of a call as drawn. `kind` is one of calls.history.segments."""

    kind: str
    x: int
    width: int

    @property
    def y(self) -> int:
        return _PLACES[self.kind][0]

    @property
    def height(self) -> int:
        return _PLACES[self.kind][1]


@dataclass(frozen=True)
class DayCall:
    """A call's stretch within the day; cut off where it began before or ends after it."""

    call: CallLog
    begin: dt.datetime
    end: dt.datetime
    cut_before: bool
    cut_after: bool
    free_before: int | None  # seconds since the last call of the day ended; None for the first
    pieces: list[Piece]

    @property
    def seconds(self) -> int:
        """How much of the call lies within the day."""
        return (to_ms(self.end) - to_ms(self.begin)) // 1000


@dataclass(frozen=True)
class DayLine:
    day: dt.date
    hours_of_day: int  # 23, 24 or 25
    hours: list[dt.datetime]  # the local hours that the drawing shows, equally wide
    calls: list[DayCall]
    busy: int  # seconds on at least one call
    free: int  # seconds between the first and the last call, without one


class TooManyToDraw(Exception):
    """More than MOST_CALLS calls in these days."""


def day_lines(agent: User, first: dt.date, last: dt.date, present: dt.datetime) -> list[DayLine]:
    """A line for each local day first..last, newest first; at most two queries.

    Raises TooManyToDraw.
    """
    begin, end = day_range(first, last)
    calls = _calls_touching(agent, begin, end)
    states = dict(_states(calls))
    days = [last - dt.timedelta(days=number) for number in range((last - first).days + 1)]
    return [_line(day, calls, states, present) for day in days]


def _calls_touching(agent: User, begin: dt.datetime, end: dt.datetime) -> list[CallLog]:
    """Calls that began in [begin, end), or before and went on into it."""
    longest = dt.timedelta(seconds=settings.MAX_CALL_SECONDS)
    calls = CallLog.objects.filter(user=agent).started_between(begin - longest, end)
    calls = calls.exclude(end_time__lte=begin).select_related("contact")
    found = list(calls.order_by("start_time", "pk")[: MOST_CALLS + 1])
    if len(found) > MOST_CALLS:
        raise TooManyToDraw
    return found


def _states(calls: list[CallLog]) -> Iterator[tuple[int, timeline.CallState]]:
    """The folded calls. Only holds and pauses need the ledger; the rest is in the row."""
    parted = {call.pk for call in calls if _has_parts(call)}
    facts: dict[int, list[timeline.Event]] = {pk: [] for pk in parted}
    for event in CallEvent.objects.filter(call__in=parted) if parted else ():
        facts[event.call_id].append(event.as_fact())
    for call in calls:
        yield call.pk, timeline.fold(facts[call.pk]) if facts.get(call.pk) else _plain(call)


def _has_parts(call: CallLog) -> bool:
    return bool(call.hold_seconds or call.paused_ms or call.held_since or call.paused_since)


def _plain(call: CallLog) -> timeline.CallState:
    """The fold of a call that was never held nor paused: its instants say it all."""
    instants: tuple[tuple[str, dt.datetime | None, dict[str, str]], ...] = (
        (timeline.STARTED, call.start_time, {}),
        (timeline.ANSWERED, call.answered_time, {}),
        (timeline.ENDED, call.end_time, {"status": call.status}),
    )
    return timeline.fold(
        timeline.Event(kind, kind, to_ms(at), data=data)
        for kind, at, data in instants
        if at is not None
    )


def _line(
    day: dt.date,
    calls: list[CallLog],
    states: dict[int, timeline.CallState],
    present: dt.datetime,
) -> DayLine:
    begin, end = map(to_ms, day_range(day, day))
    until = {call.pk: to_ms(present if call.end_time is None else call.end_time) for call in calls}
    inside = [c for c in calls if to_ms(c.start_time) < end and until[c.pk] > begin]
    window = _window(begin, end, [(to_ms(c.start_time), until[c.pk]) for c in inside])
    stretches = [(max(begin, to_ms(c.start_time)), min(end, until[c.pk])) for c in inside]
    covered = merge(stretches)
    busy = sum(b - a for a, b in covered)
    whole = covered[-1][1] - covered[0][0] if covered else 0
    return DayLine(
        day=day,
        hours_of_day=(end - begin) // HOUR_MS,
        hours=_hours(*window),
        calls=[
            DayCall(
                call=call,
                begin=from_ms(a),
                end=from_ms(b),
                cut_before=to_ms(call.start_time) < begin,
                cut_after=until[call.pk] > end,
                free_before=free,
                pieces=list(_pieces(states[call.pk], until[call.pk], (a, b), window)),
            )
            for call, (a, b), free in zip(inside, stretches, _gaps(stretches), strict=True)
        ],
        busy=busy // 1000,
        free=(whole - busy) // 1000,
    )


def _window(begin: int, end: int, stretches: list[tuple[int, int]]) -> tuple[int, int]:
    """The hours to draw, whole ones since midnight: those with calls, and no fewer than some."""
    hours = -(-(end - begin) // HOUR_MS)
    if not stretches:
        return begin, begin + hours * HOUR_MS
    first = max(0, (min(a for a, _ in stretches) - begin) // HOUR_MS)
    last = min(hours, -(-(max(b for _, b in stretches) - begin) // HOUR_MS))
    last = min(hours, max(last, first + LEAST_HOURS))
    first = max(0, min(first, last - LEAST_HOURS))
    return begin + first * HOUR_MS, begin + last * HOUR_MS


def _hours(begin: int, end: int) -> list[dt.datetime]:
    zone = organisation_zone()
    return [from_ms(at).astimezone(zone) for at in range(begin, end, HOUR_MS)]


def _gaps(stretches: Iterable[tuple[int, int]]) -> Iterator[int | None]:
    """Seconds without a call before each; zero where calls overlap."""
    last: int | None = None
    for begin, end in stretches:
        yield None if last is None else max(0, begin - last) // 1000
        last = end if last is None else max(last, end)


def _pieces(
    state: timeline.CallState, until: int, inside: tuple[int, int], window: tuple[int, int]
) -> Iterator[Piece]:
    scale = WIDTH / (window[1] - window[0])
    for kind, begin, end in intervals_of(state, until):
        a, b = max(begin, inside[0]), min(end, inside[1])
        if b > a:
            x = int((a - window[0]) * scale)
            yield Piece(kind, x, max(1, int((b - window[0]) * scale) - x))
