"""Lifelike calls, the same for the same seed: what really happened in a simulation."""

import random
from collections.abc import Sequence
from typing import Final

from calls import timeline
from calls.simulation.base import ScriptedCall

_SPAN: Final = 2 * 3_600_000  # the calls begin within so long before the end, ms
_OUTCOMES: Final = {
    timeline.COMPLETED: 70,
    timeline.NO_ANSWER: 15,
    timeline.FAILED: 8,
    timeline.DROPPED: 7,
}
_SECOND: Final = 1000


def scripts(count: int, agents: Sequence[str], seed: int, until: int) -> list[ScriptedCall]:
    """`count` calls of `agents` that are over at `until` (ms), each with a number of its own."""
    dice = random.Random(seed)
    return [_script(dice, place, agents, until) for place in range(count)]


def _script(dice: random.Random, place: int, agents: Sequence[str], until: int) -> ScriptedCall:
    status = dice.choices(list(_OUTCOMES), list(_OUTCOMES.values()))[0]
    ring = dice.randrange(2_000, 30_000)
    was_answered = status in timeline.ANSWERED_ENDS
    talk = min(1_200_000, int(dice.lognormvariate(11.2, 0.9))) + 5_000 if was_answered else 0
    start = until - ring - talk - dice.randrange(_SPAN)
    answered = start + ring if was_answered else None
    end = start + ring + talk
    return ScriptedCall(
        call_id=f"sim-{agents[0]}-{place}",
        agent=dice.choice(agents),
        number=f"+5062{place:07d}",
        start=start,
        ringing=start + dice.randrange(100, 1_900),
        answered=answered,
        end=end,
        holds=() if answered is None else _holds(dice, answered, end),
        status=status,
        direction="outbound" if dice.random() < 0.75 else "inbound",
    )


def _holds(dice: random.Random, answered: int, end: int) -> tuple[tuple[int, int], ...]:
    """Up to two, no instant nearer than two seconds to another: some phone systems cut to one."""
    wanted = dice.choice((0, 0, 0, 1, 1, 2))
    room = range(answered + 2 * _SECOND, end - 2 * _SECOND, 2 * _SECOND)
    if len(room) < 2 * wanted:
        return ()
    marks = sorted(dice.sample(room, 2 * wanted))
    return tuple(zip(marks[::2], marks[1::2], strict=True))
