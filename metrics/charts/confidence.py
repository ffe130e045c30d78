"""A plot of rates and average lengths with the 95 % interval of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metrics.dashboard.comparison import Sample, mean_interval, wilson
from metrics.dashboard.tables import ComparedRowT, sample_of


@dataclass(frozen=True)
class Whisker:
    """One line of a plot of intervals; places are of 1000, from left to right."""

    name: str
    value: float
    low: float
    high: float
    place: int
    begin: int
    end: int

    @property
    def width(self) -> int:
        return self.end - self.begin


@dataclass(frozen=True)
class Spread:
    """Rates and average lengths with their 95 % intervals, so that overlaps can be seen."""

    rates: list[Whisker]  # per cent
    lengths: list[Whisker]
    longest: float  # seconds at the right end of `lengths`


def spread_of(rows: Iterable[ComparedRowT]) -> Spread:
    """The intervals of those with two calls at least, by name."""
    samples = {row.name: sample_of(row) for row in rows if row.sums.calls_made > 1}
    rates = {name: _rate(sample) for name, sample in samples.items()}
    lengths = {
        name: (one.seconds / one.calls, *mean_interval(one)) for name, one in samples.items()
    }
    longest = max((high for _value, _low, high in lengths.values()), default=0.0)
    return Spread(_whiskers(rates, 100.0), _whiskers(lengths, longest), longest)


def _rate(sample: Sample) -> tuple[float, float, float]:
    low, high = wilson(sample.successes, sample.calls)
    return 100 * sample.successes / sample.calls, 100 * low, 100 * high


def _whiskers(values: Mapping[str, tuple[float, float, float]], most: float) -> list[Whisker]:
    found = []
    for name, figures in values.items():
        places = (round(value * 1000 / (most or 1)) for value in figures)
        found.append(Whisker(name, *figures, *places))
    return found
