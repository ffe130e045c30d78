"""Figures over time, a stretch of days at a time, as numbers and as bars to draw."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from metrics.charts.cards import value_in_table
from metrics.dashboard.figures import Stretch
from metrics.definitions import PLOTTED
from metrics.entries import Figure

HEIGHT: Final = 100  # of the drawing, in its own units
STEP: Final = 10  # the width of a stretch


@dataclass(frozen=True)
class Bar:
    """A stretch's calls, and where its bars stand. Heights are of HEIGHT; y grows downwards."""

    stretch: Stretch
    x: int
    good_height: int
    all_height: int

    @property
    def failed_height(self) -> int:
        return self.all_height - self.good_height

    @property
    def all_y(self) -> int:
        return HEIGHT - self.all_height

    @property
    def good_y(self) -> int:
        return HEIGHT - self.good_height


@dataclass(frozen=True)
class Mark:
    """A stretch's bar in the plot of one figure, and the figure as people read it."""

    stretch: Stretch
    x: int
    height: int
    value: str

    @property
    def y(self) -> int:
        return HEIGHT - self.height


@dataclass(frozen=True)
class Plot:
    """One figure over time."""

    figure: Figure
    marks: list[Mark]
    most: str


@dataclass(frozen=True)
class Trend:
    bars: list[Bar]
    most_calls: int
    plots: list[Plot]

    @property
    def width(self) -> int:
        return STEP * len(self.bars)

    @property
    def signposts(self) -> list[Bar]:
        """About four bars that are named below the drawing, evenly apart."""
        return self.bars[:: max(1, len(self.bars) // 4)][:4]


def trend_of(stretches: list[Stretch]) -> Trend:
    most = max((one.sums.calls_made for one in stretches), default=0)
    plots = [_plot(figure, stretches) for figure in PLOTTED] if most else []
    return Trend(list(_bars(stretches, most)), most, plots)


def _bars(stretches: list[Stretch], most: int) -> Iterator[Bar]:
    for number, one in enumerate(stretches):
        yield Bar(
            stretch=one,
            x=number * STEP + 1,
            good_height=_height(one.sums.calls_success, most),
            all_height=_height(one.sums.calls_made, most),
        )


def _plot(figure: Figure, stretches: list[Stretch]) -> Plot:
    highest = max(stretches, key=lambda one: figure.of(one.sums)).sums
    marks = [
        Mark(
            stretch=one,
            x=number * STEP + 1,
            height=_height(figure.of(one.sums), figure.of(highest)),
            value=value_in_table(figure, one.sums),
        )
        for number, one in enumerate(stretches)
    ]
    return Plot(figure, marks, value_in_table(figure, highest))


def _height(value: float, most: float) -> int:
    """At least a line for what is not nothing."""
    return max(1, int(value * HEIGHT // most)) if value else 0
