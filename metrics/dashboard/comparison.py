"""Who differs from the others by more than chance: pure statistics, no Django.

Each one is compared with all the others together, in success rate and in AHT, if both sides have
at least MINIMUM calls. A difference is sound where its confidence interval leaves out zero:

- success rate: Newcombe's hybrid score interval for the difference of two independent rates
  (R. G. Newcombe, Statistics in Medicine 17 (1998) 873-890, method 10), made of two Wilson
  intervals (E. B. Wilson, JASA 22 (1927) 209-212);
- AHT: the interval of the logarithm of the ratio of two means (L. V. Hedges, J. Gurevitch,
  P. S. Curtis, Ecology 80 (1999) 1150-1156), by Student's t with Satterthwaite's degrees of
  freedom. Lengths of calls are skew, and the logarithm of their mean is far less so: with the
  plain difference of means, chance alone marked three times as many as it may.

By Bonferroni's rule each of the m comparisons of a table is made at 1 - 0.02 / m. The nominal 2 %
are meant to be 5 % in truth: of tables of equal agents, simulated with skew lengths and hardly
more than MINIMUM calls, fewer than one in twenty had any mark. Calls are taken as independent.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from statistics import NormalDist
from typing import Final, TypeVar

Key = TypeVar("Key")
Interval = tuple[float, float]

MINIMUM: Final = 50  # calls, on each side
ALPHA: Final = 0.02  # of a whole table, nominal


class Verdict(StrEnum):
    """How one stands among the others. HIGHEST and LOWEST are sound, too, and the outermost."""

    HIGHEST = "highest"
    HIGHER = "higher"
    SAME = "same"  # no sound difference
    LOWER = "lower"
    LOWEST = "lowest"
    TOO_FEW = "too few"


@dataclass(frozen=True)
class Sample:
    """Counted calls: how many, how many successful, the sum and the squares of talk seconds."""

    calls: int
    successes: int
    seconds: int
    squares: int

    def __sub__(self, other: "Sample") -> "Sample":
        return Sample(
            self.calls - other.calls,
            self.successes - other.successes,
            self.seconds - other.seconds,
            self.squares - other.squares,
        )

    def __add__(self, other: "Sample") -> "Sample":
        return Sample(
            self.calls + other.calls,
            self.successes + other.successes,
            self.seconds + other.seconds,
            self.squares + other.squares,
        )


NO_CALLS: Final = Sample(0, 0, 0, 0)


@dataclass(frozen=True)
class Judgement:
    """`rate`: of the success rate. `length`: of AHT."""

    rate: Verdict
    length: Verdict


def judge(samples: Mapping[Key, Sample]) -> dict[Key, Judgement]:
    """Each of `samples` against all the others together."""
    whole = sum(samples.values(), NO_CALLS)
    enough = {
        key: (sample, whole - sample)
        for key, sample in samples.items()
        if min(sample.calls, whole.calls - sample.calls) >= MINIMUM
    }
    level = 1 - ALPHA / max(1, 2 * len(enough))
    rates = {key: rate_difference(one, rest, level) for key, (one, rest) in enough.items()}
    lengths = {key: mean_ratio(one, rest, level) for key, (one, rest) in enough.items()}
    by_rate = _verdicts(rates, {k: one.successes / one.calls for k, (one, _) in enough.items()})
    by_length = _verdicts(lengths, {k: one.seconds / one.calls for k, (one, _) in enough.items()})
    few = Verdict.TOO_FEW
    return {key: Judgement(by_rate.get(key, few), by_length.get(key, few)) for key in samples}


def _verdicts(
    differences: Mapping[Key, Interval], values: Mapping[Key, float]
) -> dict[Key, Verdict]:
    highest, lowest = max(values.values(), default=0.0), min(values.values(), default=0.0)

    def verdict(key: Key) -> Verdict:
        low, high = differences[key]
        if low > 0:
            return Verdict.HIGHEST if values[key] == highest else Verdict.HIGHER
        if high < 0:
            return Verdict.LOWEST if values[key] == lowest else Verdict.LOWER
        return Verdict.SAME

    return {key: verdict(key) for key in differences}


def wilson(successes: int, calls: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a rate, 0 to 1. `calls` must not be 0."""
    z = _normal(level)
    rate, z2 = successes / calls, z * z
    middle = (rate + z2 / (2 * calls)) / (1 + z2 / calls)
    half = z * math.sqrt(rate * (1 - rate) / calls + z2 / (4 * calls**2)) / (1 + z2 / calls)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate_difference(one: Sample, other: Sample, level: float = 0.95) -> Interval:
    """Newcombe's hybrid score interval for rate of `one` minus rate of `other`."""
    p1, p2 = one.successes / one.calls, other.successes / other.calls
    low1, high1 = wilson(one.successes, one.calls, level)
    low2, high2 = wilson(other.successes, other.calls, level)
    return (
        p1 - p2 - math.hypot(p1 - low1, high2 - p2),
        p1 - p2 + math.hypot(high1 - p1, p2 - low2),
    )


def mean_ratio(one: Sample, other: Sample, level: float = 0.95) -> Interval:
    """The interval of the logarithm of mean talk time of `one` over that of `other`.

    Zero on both ends where either has no talk at all: a ratio says nothing then.
    """
    samples = (one, other)
    if not (one.seconds and other.seconds):
        return 0.0, 0.0
    # The squared standard error of each logarithm, by the delta method.
    parts = [variance(s) / s.calls / (s.seconds / s.calls) ** 2 for s in samples]
    ratio = math.log(one.seconds / one.calls) - math.log(other.seconds / other.calls)
    if not sum(parts):
        return ratio, ratio
    half = student(level, satterthwaite(parts, samples)) * math.sqrt(sum(parts))
    return ratio - half, ratio + half


def satterthwaite(parts: Sequence[float], samples: Sequence[Sample]) -> float:
    """Degrees of freedom of a sum of squared standard errors (Welch 1947, Satterthwaite 1946)."""
    squares = (part**2 / (s.calls - 1) for part, s in zip(parts, samples, strict=True))
    return sum(parts) ** 2 / sum(squares)


def mean_interval(sample: Sample, level: float = 0.95) -> Interval:
    """Student's interval of the mean talk time, in seconds. Needs two calls."""
    mean = sample.seconds / sample.calls
    half = student(level, sample.calls - 1) * math.sqrt(variance(sample) / sample.calls)
    return max(0.0, mean - half), mean + half


def variance(sample: Sample) -> float:
    """The unbiased variance of talk time (s²) from its sums. Needs two calls."""
    about_zero = sample.squares - sample.seconds**2 / sample.calls
    return max(0.0, about_zero) / (sample.calls - 1)


def student(level: float, freedom: float) -> float:
    """The two-sided quantile of Student's t: Abramowitz & Stegun (1964), 26.7.5.

    Good to four decimals from 10 degrees of freedom on; ours are 49 and more.
    """
    z = _normal(level)
    z2 = z * z
    terms = (
        z * (z2 + 1) / 4,
        z * ((5 * z2 + 16) * z2 + 3) / 96,
        z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384,
        z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


@lru_cache
def _normal(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)
