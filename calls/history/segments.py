"""The parts of one call as a drawing: ringing, talking, hold, pause, wrap-up, from its ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from calls import timeline
from calls.timeline.events import CallState

WIDTH: Final = 1000  # of the drawing, in its own units

RING: Final = "ring"
TALK: Final = "talk"
HOLD: Final = "hold"
PAUSE: Final = "pause"
WRAP_UP: Final = "wrap-up"


@dataclass(frozen=True)
class Segment:
    """A stretch of the drawing; what comes later lies on top."""

    kind: str
    x: int
    width: int


def segments_of(state: CallState, present: int) -> list[Segment]:
    """What happened when, up to the end or the instant `present` (ms)."""
    until = max(state.start, present if state.end is None else state.end)
    whole = max(1, until + state.wrap_up - state.start)
    return [
        Segment(kind, (a - state.start) * WIDTH // whole, max(1, (b - a) * WIDTH // whole))
        for kind, a, b in intervals_of(state, until)
        if b > a
    ]


def intervals_of(state: CallState, until: int) -> Iterator[tuple[str, int, int]]:
    """(part, begin, end) in ms, up to `until`; what comes later lies on top."""
    answered = state.answered if state.answered is not None else _assumed_answer(state, until)
    yield RING, state.start, answered
    yield TALK, answered, until
    for kind, closed, since in (
        (HOLD, state.holds, state.held_since),
        (PAUSE, state.pauses, state.paused_since),
    ):
        yield from ((kind, a, b) for a, b in closed)
        if since is not None:
            yield kind, since, until
    yield WRAP_UP, until, until + state.wrap_up


def _assumed_answer(state: CallState, until: int) -> int:
    """Where nobody reported the answer, a completed or dropped call is talk from its start."""
    return state.start if state.status in timeline.ANSWERED_ENDS else until
