"""What a report says of differences: who stands out, and what changed, by more than chance.

Success rates have Wilson's interval (E. B. Wilson, JASA 22 (1927) 209-212). Somebody is called the
best or the one with the lowest rate only if the site's rule finds a sound difference to all the
others together (metrics.dashboard.comparison) and the interval overlaps with nobody else's.
Changes against the period before are named where their interval leaves out zero: Newcombe's for
rates, that of the ratio of two means for AHT, each at 1 - 0.05 / m for m comparisons (Bonferroni).
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from calls.templatetags.calls_format import clock, decimal, percent
from metrics.dashboard.comparison import (
    MINIMUM,
    Sample,
    Verdict,
    judge,
    mean_ratio,
    rate_difference,
    wilson,
)
from metrics.dashboard.tables import sample_of
from metrics.definitions import Sums
from metrics.exports.period_report import ReportLine

LEAST_CALLS: Final = 10  # below, an interval is so wide that a place in a list says nothing
MOST_SHOWN: Final = 3  # at each end
ALPHA: Final = 0.05  # of all changes together


@dataclass(frozen=True)
class Standing:
    """One's success rate and its 95 % interval, in per cent."""

    name: str
    calls: int
    rate: float
    low: float
    high: float

    @property
    def begin(self) -> int:
        """Where the interval begins on a line of 100, and its end and what is left, for a bar."""
        return int(self.low)

    @property
    def width(self) -> int:
        return max(1, round(self.high) - self.begin)

    @property
    def rest(self) -> int:
        return max(0, 100 - self.begin - self.width)


@dataclass(frozen=True)
class Standings:
    """The highest and the lowest rates, highest first, and what may be said of them.

    `left_out`: how many stand between the two ends; `too_few`: how many had too few calls.
    """

    highest: list[Standing]
    lowest: list[Standing]
    left_out: int
    too_few: int
    sentences: list[str]


def standings_of(lines: Iterable[ReportLine]) -> Standings | None:
    """None where fewer than two have calls enough to be compared."""
    called = [line for line in lines if line.sums.calls_made]
    compared = [line for line in called if line.sums.calls_made >= LEAST_CALLS]
    if len(compared) < 2:
        return None
    order = sorted(compared, key=lambda line: -line.sums.success_rate)
    verdicts = judge({place: sample_of(line) for place, line in enumerate(order)})
    found = [_standing(line) for line in order]
    lowest = found[max(MOST_SHOWN, len(found) - MOST_SHOWN) :]
    return Standings(
        highest=found[:MOST_SHOWN],
        lowest=lowest,
        left_out=max(0, len(found) - MOST_SHOWN - len(lowest)),
        too_few=len(called) - len(compared),
        sentences=[
            _of_highest(found, verdicts[0].rate),
            _of_lowest(found, verdicts[len(found) - 1].rate),
        ],
    )


def _standing(line: ReportLine) -> Standing:
    made, good = line.sums.calls_made, line.sums.calls_success
    low, high = wilson(good, made)
    return Standing(str(line.name), made, 100 * good / made, 100 * low, 100 * high)


def _of_highest(found: list[Standing], verdict: Verdict) -> str:
    first, others = found[0], found[1:]
    near = max(others, key=lambda one: one.high)
    if verdict == Verdict.HIGHEST and first.low > near.high:
        return _("%(name)s is the best by success rate: more than chance would explain.") % {
            "name": first.name
        }
    return _no_difference(first, near, verdict, _("Nobody can be called the best"))


def _of_lowest(found: list[Standing], verdict: Verdict) -> str:
    last, others = found[-1], found[:-1]
    near = min(others, key=lambda one: one.low)
    if verdict == Verdict.LOWEST and last.high < near.low:
        return _("%(name)s has the lowest success rate: more than chance would explain.") % {
            "name": last.name
        }
    return _no_difference(last, near, verdict, _("Nobody can be called the one with the lowest"))


def _no_difference(one: Standing, near: Standing, verdict: Verdict, begins: str) -> str:
    words = {"begins": begins, "one": one.name, "other": near.name, "n": MINIMUM}
    if max(one.low, near.low) <= min(one.high, near.high):
        return (
            _("%(begins)s: the intervals of %(one)s and %(other)s overlap, so it may be chance.")
            % words
        )
    if verdict == Verdict.TOO_FEW:
        return _("%(begins)s: that takes %(n)d calls at least on each side.") % words
    return _("%(begins)s: chance may explain the difference to the others.") % words


# --- What changed ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Compared:
    """Somebody's sums of the period, and of the one before."""

    name: str
    sums: Sums
    before: Sums


def changes_of(several: list[Compared]) -> list[str]:
    """A sentence for each change that chance hardly explains."""
    samples = [(one, _sample(one.sums), _sample(one.before)) for one in several]
    enough = [row for row in samples if min(row[1].calls, row[2].calls) >= MINIMUM]
    level = 1 - ALPHA / max(1, 2 * len(enough))
    return [words for row in enough for words in _changes(*row, level)]


def _sample(sums: Sums) -> Sample:
    return Sample(sums.calls_made, sums.calls_success, sums.total_talk_time, sums.talk_squares)


def _changes(one: Compared, new: Sample, old: Sample, level: float) -> Iterator[str]:
    low, high = rate_difference(new, old, level)
    words = {"name": one.name}
    if low > 0 or high < 0:
        words |= {
            "old": percent(one.before.success_rate),
            "new": percent(one.sums.success_rate),
            "low": _signed(100 * low),
            "high": _signed(100 * high),
        }
        rose = _(
            "%(name)s: the success rate rose from %(old)s to %(new)s (%(low)s to %(high)s points)."
        )
        fell = _(
            "%(name)s: the success rate fell from %(old)s to %(new)s (%(low)s to %(high)s points)."
        )
        yield (rose if low > 0 else fell) % words
    low, high = mean_ratio(new, old, level)
    if low > 0 or high < 0:
        words |= {
            "old": clock(one.before.avg_call_duration),
            "new": clock(one.sums.avg_call_duration),
            "low": _signed(100 * math.expm1(low)),
            "high": _signed(100 * math.expm1(high)),
        }
        rose = _("%(name)s: AHT rose from %(old)s to %(new)s (%(low)s to %(high)s per cent).")
        fell = _("%(name)s: AHT fell from %(old)s to %(new)s (%(low)s to %(high)s per cent).")
        yield (rose if low > 0 else fell) % words


def _signed(number: float) -> str:
    return f"{'+' if number > 0 else '−'}{decimal(abs(number))}"
