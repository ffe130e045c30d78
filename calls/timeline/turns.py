"""The turns of one person in one call: a call that comes back is another turn. Pure; no Django.

A person hands a call over and gets it back. The phone system names both by one id, so all it says
of them is in one ledger. A start, or a report of one, that says `turn` begins another turn where an
end went before it. Each turn but the first is a call of its own: its ledger holds the same events,
and a `noted` event with the number of its turn (see calls.telephony.turns).
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from calls.timeline.events import ANSWERED, ENDED, NOTED, STARTED, SUMMARY, Event

FIRST: Final = 1
# Two reports of one start may differ so much (ms): many systems round to seconds.
_ALIKE: Final = 2_000
# The order of what is at one instant: an answer as the call ends, the end before another start, and
# the end of what lasted no time after its own start.
_ANSWER, _END, _START, _OWN_END = range(4)


def number_of_turn(events: Iterable[Event]) -> int:
    """Which turn the ledger is about."""
    return max((int(e.data["turn"]) for e in events if _is_mark(e)), default=FIRST)


def openings(events: Iterable[Event]) -> list[int]:
    """When the second turn began, the third and so on (ms)."""
    found: list[int] = []
    begun: int | None = None
    ended: int | None = None  # of the turn that `begun` begins
    for at, what in sorted(step for event in events for step in _steps(event)):
        if what in (_END, _OWN_END):
            ended = at
        elif begun is None and ended in (None, at):
            begun = at  # the first turn's own start, if only at its end
        elif ended is not None and (begun is None or at - begun > _ALIKE):
            found.append(at)
            begun, ended = at, None
    return found


class Turn(NamedTuple):
    """What is about one turn: which it is, and of how many."""

    events: list[Event]
    number: int
    of: int


def own_turn(events: list[Event]) -> Turn:
    """The ledger's own turn. What people and programs say is about the call it was said of."""
    begun = openings(events) if any("turn" in event.data for event in events) else []
    if not begun:
        return Turn(events, FIRST, FIRST)
    turns = len(begun) + 1
    number = min(number_of_turn(events), turns)
    bounds = [float("-inf"), *begun, float("inf")]
    since, until = bounds[number - 1], bounds[number]
    own = [e for e in events if _is_apart(e) or since <= _place(e, begun) < until]
    return Turn(own, number, turns)


def _is_apart(event: Event) -> bool:
    """Whether it is about the ledger's own turn, whenever it was."""
    return not event.by_provider or _is_mark(event)


def _is_mark(event: Event) -> bool:
    return event.kind == NOTED and "turn" in event.data


def _steps(event: Event) -> Iterator[tuple[int, int]]:
    """The openings and ends that `event` tells of."""
    if not event.by_provider:
        return
    if event.kind in (STARTED, ANSWERED) and event.data.get("turn"):
        yield event.at, _START if event.kind == STARTED else _ANSWER
    elif event.kind == ENDED or (event.kind == SUMMARY and event.data.get("end") is not None):
        start, end = _reported(event)
        if start is not None:
            yield start, _START
        yield end, _OWN_END if start == end else _END


def _reported(event: Event) -> tuple[int | None, int]:
    """The start and the end that a report of the end tells of."""
    said = event.data
    end = event.at if said.get("end") is None else int(said["end"])
    if not said.get("turn") or "start" not in said:
        return None, end
    start = int(said["start"])
    return start, max(start, end)


def _place(event: Event, begun: list[int]) -> float:
    """An instant within the turn that `event` is about. What ends a turn as the next begins is
    about the one that ends; a report of both is about what lies between them."""
    if event.kind not in (ENDED, SUMMARY):
        return event.at
    start, end = _reported(event)
    if start is not None:
        return (start + end) / 2
    return end - 0.5 if end in begun else end
