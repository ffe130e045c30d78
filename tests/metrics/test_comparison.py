"""The statistics of comparisons, against published values; and what they say about people."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.dashboard.comparison import (
    MINIMUM,
    Sample,
    Verdict,
    judge,
    mean_interval,
    mean_ratio,
    rate_difference,
    satterthwaite,
    student,
    variance,
    wilson,
)


def rate(successes: int, calls: int) -> Sample:
    return Sample(calls, successes, 0, 0)


def lengths(values: list[float]) -> Sample:
    return Sample(len(values), 0, sum(values), sum(value * value for value in values))


@pytest.mark.parametrize(
    ("successes", "calls", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_as_published(successes, calls, low, high):
    assert wilson(successes, calls) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_newcombes_interval_as_published(one, other, low, high):
    assert rate_difference(rate(*one), rate(*other)) == pytest.approx((low, high), abs=5e-5)


def test_satterthwaites_degrees_of_freedom_of_students_sleep_data():
    """Student (1908); 17.776 is what R prints for t.test(extra ~ group, data = sleep)."""
    one = lengths([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    other = lengths([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    parts = [variance(sample) / sample.calls for sample in (one, other)]
    assert satterthwaite(parts, [one, other]) == pytest.approx(17.776, abs=5e-4)


def test_the_ratio_of_means_by_the_published_formula():
    """ln R and its variance s1²/(n1 m1²) + s2²/(n2 m2²): Hedges, Gurevitch, Curtis (1999)."""
    one, other = lengths([80, 120] * 100), lengths([40, 60] * 100)
    error = math.sqrt(variance(one) / 200 / 100**2 + variance(other) / 200 / 50**2)
    low, high = mean_ratio(one, other)
    assert (low + high) / 2 == pytest.approx(math.log(2))
    assert (high - low) / 2 == pytest.approx(1.966 * error, rel=1e-3)  # t of 398 degrees
    assert mean_ratio(one, lengths([0] * 60)) == (0, 0)


@pytest.mark.parametrize(
    ("level", "freedom", "value"),  # tables of Student's t
    [(0.95, 10, 2.2281), (0.95, 30, 2.0423), (0.99, 30, 2.7500), (0.99, 120, 2.6174)],
)
def test_students_t_as_in_tables(level, freedom, value):
    assert student(level, freedom) == pytest.approx(value, abs=5e-4)


def test_mean_and_variance_come_from_the_sums():
    sample = lengths([2, 4, 4, 4, 5, 5, 7, 9])
    assert variance(sample) == pytest.approx(32 / 7)
    low, high = mean_interval(sample)
    assert (low + high) / 2 == pytest.approx(5)


def verdicts(*samples: Sample) -> list[Verdict]:
    return [judgement.rate for judgement in judge(dict(enumerate(samples))).values()]


def test_a_small_sample_is_never_marked():
    few = rate(0, MINIMUM - 1)
    assert verdicts(few, rate(900, 1000), rate(910, 1000))[0] is Verdict.TOO_FEW
    assert verdicts(rate(500, 1000)) == [Verdict.TOO_FEW]  # nobody to compare with
    assert judge({}) == {}


def test_the_best_and_the_worst_are_marked_where_it_is_sound():
    assert verdicts(rate(950, 1000), rate(800, 1000), rate(805, 1000), rate(600, 1000)) == [
        Verdict.HIGHEST,
        Verdict.SAME,
        Verdict.SAME,
        Verdict.LOWEST,
    ]
    assert verdicts(rate(82, 100), rate(80, 100), rate(78, 100)) == [Verdict.SAME] * 3


def test_the_outermost_alone_is_called_highest():
    assert verdicts(rate(980, 1000), rate(950, 1000), rate(500, 1000), rate(480, 1000)) == [
        Verdict.HIGHEST,
        Verdict.HIGHER,
        Verdict.LOWER,
        Verdict.LOWEST,
    ]


def test_more_comparisons_need_more_evidence():
    suspect, usual = rate(62, 100), rate(75, 100)
    assert verdicts(suspect, rate(7500, 10_000))[0] is Verdict.LOWEST
    assert verdicts(suspect, *[usual] * 60)[0] is Verdict.SAME


def test_long_calls_are_told_from_short_ones_by_how_much_calls_differ():
    steady = judge({"a": lengths([100, 110] * 40), "b": lengths([120, 130] * 40)})
    wild = judge({"a": lengths([5, 205] * 40), "b": lengths([5, 245] * 40)})
    assert [steady[key].length for key in "ab"] == [Verdict.LOWEST, Verdict.HIGHEST]
    assert [wild[key].length for key in "ab"] == [Verdict.SAME, Verdict.SAME]


@pytest.mark.parametrize("zeros", [0.0, 0.25], ids=["all answered", "a quarter not answered"])
def test_chance_alone_marks_somebody_in_fewer_than_one_table_of_twenty(zeros):
    """200 tables of twelve equal agents with skew lengths."""
    rng = random.Random(5)

    def agent() -> Sample:
        talk = [0 if rng.random() < zeros else int(rng.lognormvariate(4.8, 0.9)) for _ in range(60)]
        return Sample(
            60, sum(rng.random() < 0.8 for _ in talk), sum(talk), sum(t * t for t in talk)
        )

    tables = [judge({number: agent() for number in range(12)}).values() for _ in range(200)]
    marked = [any({one.rate, one.length} != {Verdict.SAME} for one in table) for table in tables]
    assert sum(marked) < 200 / 20


counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, counts)
def test_an_interval_holds_its_estimate_and_turns_over_with_its_sides(a, b):
    low, high = wilson(*a)
    assert 0 <= low <= high <= 1
    assert low - 1e-9 <= a[0] / a[1] <= high + 1e-9
    difference = rate_difference(rate(*a), rate(*b))
    back = rate_difference(rate(*b), rate(*a))
    assert difference == pytest.approx((-back[1], -back[0]))
