"""What the way to us does to messages: doubles them, lets them overtake, loses some."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from calls.simulation.base import ScriptedCall, SimRequest

_DOUBLED: Final = 0.15  # of the messages come twice, some of these a third time
_LATE: Final = 0.05  # come after everything else
_OVERTAKES: Final = 600_000  # by how much one may overtake another otherwise, ms


@dataclass
class Post:
    """The messages in the order of their arrival, by the place of their call; what became of them.

    `lost` has the places of calls of which a message was lost, once for each.
    """

    arriving: list[tuple[int, SimRequest]] = field(default_factory=list)
    sent: int = 0
    doubled: int = 0
    lost: list[int] = field(default_factory=list)


def post(
    calls: Sequence[tuple[ScriptedCall, Sequence[SimRequest]]],
    *,
    chaos: bool,
    losses: float,
    seed: int,
) -> Post:
    """How the messages of `calls` arrive. `losses` is the share that never does, 0 to 1."""
    dice = random.Random(f"post {seed}")
    made = Post()
    timed: list[tuple[int, int, int, SimRequest]] = []
    for place, (call, requests) in enumerate(calls):
        for request in requests:
            made.sent += 1
            if dice.random() < losses:
                made.lost.append(place)
                continue
            copies = 1
            while chaos and dice.random() < _DOUBLED:
                copies += 1
            made.doubled += copies - 1
            for _ in range(copies):
                instant = call.start + request.delay
                timed.append((_arrival(dice, instant, chaos), len(timed), place, request))
    made.arriving = [(place, request) for *_when, place, request in sorted(timed, key=_by_time)]
    return made


def _arrival(dice: random.Random, instant: int, chaos: bool) -> int:
    if not chaos:
        return instant
    late = 10**9 if dice.random() < _LATE else 0
    return instant + late + dice.randrange(_OVERTAKES)


def _by_time(timed: tuple[int, int, int, SimRequest]) -> tuple[int, int]:
    return timed[0], timed[1]
