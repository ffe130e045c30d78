"""How far a phone system's clock goes from ours, by all records of a file. Pure; milliseconds."""

import random
from dataclasses import dataclass, field
from statistics import median
from typing import Final

_KEPT: Final = 20_000  # differences that are kept of however many there are
_LEAST_PAIRS: Final = 3
# What is less is the cut of whole seconds and the moments between a click and a phone's ring.
_LEAST: Final = 2_000
_MOST: Final = 30 * 60_000  # beyond it lies a wrong time zone, not a clock
_SPREAD: Final = 2_000  # half of the pairs lie within it, or a quarter of the skew itself


@dataclass(frozen=True)
class Skew:
    """`ms` is to be taken off the records' instants; `spread` is the median distance from it.
    `pairs` 0: nothing could be compared."""

    ms: int = 0
    spread: int = 0
    pairs: int = 0

    @property
    def told(self) -> int | None:
        """`ms`, or None where too few pairs tell anything of the clock."""
        return self.ms if self.pairs >= _LEAST_PAIRS else None

    @property
    def zone_hours(self) -> float:
        """How many hours a file lies off that seems to be read in a wrong time zone; else 0."""
        return 0 if abs(self.ms) <= _MOST else round(self.ms / 900_000) / 4


@dataclass
class SkewEstimate:
    """Takes the differences of pairs (record less call), of certain ones and of guessed ones, a
    fair sample of however many there are."""

    _certain: list[int] = field(default_factory=list)
    _guessed: list[int] = field(default_factory=list)
    _seen: int = 0
    _dice: random.Random = field(default_factory=lambda: random.Random(1))  # no secret

    def add(self, difference: int, *, is_certain: bool) -> None:
        kept = self._certain if is_certain else self._guessed
        self._seen += 1
        if len(kept) < _KEPT:
            kept.append(difference)
        elif (place := self._dice.randrange(self._seen)) < _KEPT:
            kept[place] = difference

    def settled(self) -> Skew:
        """The skew that they agree on; 0 where they are few, agree on nothing, or on no skew."""
        pairs = self._certain if len(self._certain) >= _LEAST_PAIRS else self._guessed
        if len(pairs) < _LEAST_PAIRS:
            return Skew(pairs=len(pairs))
        middle = round(median(pairs))
        spread = round(median(abs(one - middle) for one in pairs))
        is_skew = abs(middle) >= _LEAST and spread <= max(_SPREAD, abs(middle) // 4)
        return Skew(middle if is_skew else 0, spread, len(pairs))
