"""The shape of lifelike calls: when they come, how long they last, and what happens in them.

All lengths are milliseconds, all instants milliseconds since 1970-01-01 UTC. Everything is drawn
from the random generator that is handed in, so that the same seed gives the same calls.
"""

import random
from dataclasses import dataclass
from math import erf, log, sqrt
from typing import Any

from calls import timeline
from calls.timeline.events import Event

SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000

# The day: a peak in the morning, one in the afternoon, and a few calls at any hour.
_PEAKS = ((0.50, 10.2 * HOUR, 1.4 * HOUR), (0.42, 15.2 * HOUR, 1.5 * HOUR))
_ANY_HOUR = 1 - sum(share for share, _, _ in _PEAKS)
# The week, Monday first: how busy a day is, compared with a working day.
BUSY = (1.06, 1.0, 0.98, 1.0, 0.96, 0.22, 0.10)

MEDIAN_TALK = 150 * SECOND
TALK_SIGMA = 0.75  # of the logarithm
LONGEST_TALK = HOUR


@dataclass(frozen=True)
class Skill:
    """What makes one agent's figures differ from another's."""

    pace: float  # factor on the length of talks
    unanswered: float  # share of calls that nobody takes
    trouble: float  # share of calls that drop or fail
    offline: float  # share of calls reported late, when the network came back

    @classmethod
    def draw(cls, rng: random.Random) -> "Skill":
        return cls(
            pace=rng.lognormvariate(0, 0.16),
            unanswered=rng.uniform(0.09, 0.14),
            trouble=rng.uniform(0.025, 0.07),
            offline=rng.uniform(0, 0.02),
        )


@dataclass(frozen=True)
class Script:
    """One call before it has a place in the day: (kind, offset, data) from its start, in order."""

    status: str
    steps: tuple[tuple[str, int, dict[str, Any]], ...]

    @property
    def length(self) -> int:
        return self.steps[-1][1]


def share_of_day(elapsed: int) -> float:
    """The share of a day's calls that has come `elapsed` ms after its start."""
    share = _ANY_HOUR * min(elapsed / DAY, 1.0)
    for weight, centre, spread in _PEAKS:
        share += weight * (1 + erf((elapsed - centre) / spread / sqrt(2))) / 2
    return share


def time_of_day(rng: random.Random, until: int) -> int:
    """When a call begins: ms after the day's start, before `until`."""
    while True:
        choice = rng.random()
        at = rng.random() * DAY if choice > 1 - _ANY_HOUR else _around_a_peak(rng, choice)
        if 0 <= at < until:
            return int(at)


def _around_a_peak(rng: random.Random, choice: float) -> float:
    _, centre, spread = _PEAKS[0] if choice < _PEAKS[0][0] else _PEAKS[1]
    return rng.gauss(centre, spread)


def draw_script(rng: random.Random, skill: Skill, notes: tuple[str, ...]) -> Script:
    """What happens in one call of an agent with this `skill`."""
    luck = rng.random()
    if luck < skill.unanswered:
        return _unanswered(rng)
    if luck < skill.unanswered + skill.trouble / 2:
        return _failed(rng)
    status = timeline.COMPLETED
    if luck < skill.unanswered + skill.trouble:
        status = timeline.DROPPED
    return _talk(rng, skill, status, notes)


def _unanswered(rng: random.Random) -> Script:
    end = {"status": timeline.NO_ANSWER}
    return Script(timeline.NO_ANSWER, ((timeline.ENDED, rng.randrange(18_000, 45_000), end),))


def _failed(rng: random.Random) -> Script:
    reason = rng.choice(("busy", "invalid_number", "congestion", "network"))
    end = {"status": timeline.FAILED, "reason": reason}
    return Script(timeline.FAILED, ((timeline.ENDED, rng.randrange(1_500, 9_000), end),))


def _talk(rng: random.Random, skill: Skill, status: str, notes: tuple[str, ...]) -> Script:
    ring = rng.randrange(3_000, 19_000)
    talk = min(rng.lognormvariate(log(MEDIAN_TALK * skill.pace), TALK_SIGMA), LONGEST_TALK)
    if status == timeline.DROPPED:
        talk *= rng.uniform(0.1, 0.8)
    steps: list[tuple[str, int, dict[str, Any]]] = []
    if rng.random() < 0.9:  # the agent need not say when it was answered
        steps.append((timeline.ANSWERED, ring, {}))
    at = ring + int(talk * rng.uniform(0.2, 0.6))
    spare = int(talk * 0.3)
    if rng.random() < 0.08 and spare > 5_000:
        steps += _aside(rng, timeline.HELD, timeline.RESUMED, at, spare)
    elif rng.random() < 0.04 and spare > 5_000:
        steps += _aside(rng, timeline.PAUSED, timeline.UNPAUSED, at, spare)
    end: dict[str, Any] = {"status": status}
    if rng.random() < 0.07:
        end["notes"] = rng.choice(notes)
    steps.append((timeline.ENDED, ring + int(talk), end))
    return Script(status, tuple(steps))


def _aside(
    rng: random.Random, opens: str, closes: str, at: int, spare: int
) -> list[tuple[str, int, dict[str, Any]]]:
    return [(opens, at, {}), (closes, at + rng.randrange(4_000, min(spare, 120_000)), {})]


def ledger(script: Script, start: int, source: str, offline: bool) -> list[Event]:
    """The events of `script` as they are reported when it begins at the instant `start`."""
    mark = {"offline": True} if offline else {}
    facts = [Event(timeline.STARTED, timeline.STARTED, start, source, mark)]
    for kind, offset, data in script.steps:
        at = start + offset
        key = timeline.ENDED if kind == timeline.ENDED else f"{kind}:{at}"
        facts.append(Event(key, kind, at, source, data | mark))
    return facts


def estimate(script: Script, start: int) -> list[Event]:
    """The ledger when the agent vanished: the watchdog closed the call at the last sign of life."""
    data = {"status": timeline.DROPPED, "reason": "watchdog"}
    end = Event(
        f"{timeline.ENDED}:{timeline.WATCHDOG}",
        timeline.ENDED,
        start + script.length,
        timeline.WATCHDOG,
        data,
    )
    return [*ledger(script, start, "agent", offline=False)[:-1], end]
