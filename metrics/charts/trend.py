"""Figures over time, a stretch of days at a time, as numbers and as bars to draw."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from metrics.dashboard.figures import Stretch

HEIGHT: Final = 100  # of the drawing, in its own units
STEP: Final = 10  # the width of a stretch


@dataclass(frozen=True)
class Bar:
    """A stretch's figures, and where its bars stand. Heights are of HEIGHT; y grows downwards."""

    stretch: Stretch
    x: int
    good_height: int
    all_height: int
    average_height: int

    @property
    def failed_height(self) -> int:
        return self.all_height - self.good_height

    @property
    def all_y(self) -> int:
        return HEIGHT - self.all_height

    @property
    def good_y(self) -> int:
        return HEIGHT - self.good_height

    @property
    def average_y(self) -> int:
        return HEIGHT - self.average_height


@dataclass(frozen=True)
class Trend:
    bars: list[Bar]
    most_calls: int
    longest_average: int

    @property
    def width(self) -> int:
        return STEP * len(self.bars)

    @property
    def signposts(self) -> list[Bar]:
        """About four bars that are named below the drawing, evenly apart."""
        return self.bars[:: max(1, len(self.bars) // 4)][:4]


def trend_of(stretches: list[Stretch]) -> Trend:
    most = max((one.sums.calls_made for one in stretches), default=0)
    longest = max((one.sums.avg_call_duration for one in stretches), default=0)
    return Trend(list(_bars(stretches, most, longest)), most, longest)


def _bars(stretches: list[Stretch], most: int, longest: int) -> Iterator[Bar]:
    for number, one in enumerate(stretches):
        yield Bar(
            stretch=one,
            x=number * STEP + 1,
            good_height=_height(one.sums.calls_success, most),
            all_height=_height(one.sums.calls_made, most),
            average_height=_height(one.sums.avg_call_duration, longest),
        )


def _height(value: int, most: int) -> int:
    """At least a line for what is not nothing."""
    return max(1, value * HEIGHT // most) if value else 0
