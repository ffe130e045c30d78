"""Which of two instants a local time means, in the hour that comes twice when clocks go back.

A file in the order of its times tells: where its times jump back, the second of the two has begun.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_HELD: Final = 50_000  # rows of such an hour that wait at most

Instants = tuple[int, ...]


@dataclass(slots=True)
class Timed:
    """A row, the instants at which it may have begun and how exact they are (ms), and what is
    settled: the instant, and whether nothing told which of two."""

    line: int
    row: Any
    instants: Instants
    precision: int = 1000
    start: int = 0
    is_unsure: bool = False


def is_ascending(starts: Sequence[Instants]) -> bool | None:
    """Whether rows are in the order of their times; False for the reverse, None for neither. In an
    hour that comes twice, one jump is no disorder."""
    falls = rises = 0
    for one, next_one in itertools.pairwise(starts):
        if one[0] != next_one[0] and not (len(one) == len(next_one) == 2):
            rises, falls = rises + (one[0] < next_one[0]), falls + (one[0] > next_one[0])
    if rises and falls:
        return None
    return _by_jumps(starts) if not (rises or falls) else not falls


def _by_jumps(starts: Sequence[Instants]) -> bool | None:
    """The same of rows that are all of such an hour: the way that most of them go."""
    pairs = list(itertools.pairwise(starts))
    up, down = (sum(way(a[0], b[0]) for a, b in pairs) for way in (int.__lt__, int.__gt__))
    return None if up == down else up > down


@dataclass
class Settling:
    """Settles rows as they come; those of such an hour wait until it is over."""

    ascending: bool | None
    _waiting: list[Timed] = field(default_factory=list)

    def settled(self, rows: Iterable[Timed]) -> Iterator[Timed]:
        for one in rows:
            if len(one.instants) == 2:
                self._waiting.append(one)
                if len(self._waiting) >= _HELD:
                    yield from self._settle()
                continue
            if self._waiting and one.instants:  # a line that is none says nothing
                yield from self._settle()
            if self._waiting:
                self._waiting.append(one)
            else:
                one.start = one.instants[0] if one.instants else 0
                yield one
        yield from self._settle()

    def _settle(self) -> Iterator[Timed]:
        waiting, self._waiting = self._waiting, []
        timed = [one for one in waiting if one.instants]
        jumps = [
            place
            for place, (one, next_one) in enumerate(itertools.pairwise(timed), start=1)
            if self._jumps(one.instants[0], next_one.instants[0])
        ]
        for place, one in enumerate(timed):
            one.is_unsure = len(jumps) != 1
            second = bool(jumps) and (place >= jumps[0]) == (self.ascending is True)
            one.start = one.instants[1 if second and not one.is_unsure else 0]
        yield from waiting

    def _jumps(self, one: int, next_one: int) -> bool:
        if self.ascending is None:
            return False
        return next_one < one if self.ascending else next_one > one
