"""How the calls of a day lie in it and how long they were, as counts that add up."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# Classes of talk time, in seconds: each begins here and ends where the next begins; the first
# holds the calls without any talk, the last has no end.
LENGTHS: Final = (0, 1, 15, 30, 60, 120, 180, 300, 600, 1200)
HOUR_FIELDS: Final = tuple(f"hour_{hour:02d}" for hour in range(24))
LENGTH_FIELDS: Final = tuple(f"length_{number}" for number in range(len(LENGTHS)))
SHAPE_FIELDS: Final = HOUR_FIELDS + LENGTH_FIELDS


@dataclass(frozen=True)
class Shape:
    """Calls made, by local hour of their start and by class of talk time. Adds up like Sums."""

    hours: tuple[int, ...] = (0,) * 24
    lengths: tuple[int, ...] = (0,) * len(LENGTHS)

    def __add__(self, other: "Shape") -> "Shape":
        return Shape(
            tuple(map(sum, zip(self.hours, other.hours, strict=True))),
            tuple(map(sum, zip(self.lengths, other.lengths, strict=True))),
        )

    @classmethod
    def of(cls, values: Iterable[int]) -> "Shape":
        """From the columns, in the order of SHAPE_FIELDS."""
        columns = tuple(values)
        return cls(columns[:24], columns[24:])

    @property
    def columns(self) -> tuple[int, ...]:
        return self.hours + self.lengths
