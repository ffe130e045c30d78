"""Limits: no period has more than it may, wherever it begins; and Redis counts as memory does."""

from itertools import pairwise

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from common import rate_limits
from common.sliding_window import Rate, Window
from tests.support.limits import standing_clock

RATES = st.builds(Rate, st.integers(1, 12), st.sampled_from([1, 50, 1000, 60_000, 3_600_000]))
# From one instant to the next in parts of the period: bursts, and pauses of nearly one.
STEPS = st.lists(st.sampled_from([0, 0, 0, 0.001, 1 / 60, 0.3, 0.5, 0.98, 1, 1.2]), max_size=80)


@given(RATES, STEPS)
def test_no_period_has_more_than_the_limit(rate, steps):
    window, now, let_through = Window(), 1_790_000_000_000, []
    for step in steps:
        now += int(step * rate.period)
        usage = window.take(rate, now)
        if usage.is_allowed:
            let_through.append(now)
        within = sum(1 for one in let_through if one > now - rate.period)
        assert within <= usage.count <= rate.limit
        assert usage.is_allowed or usage.count == rate.limit
        assert 0 < usage.wait <= rate.period
        assert len(window.groups) <= 62
    assert all(
        later - earlier >= rate.period for earlier, later in pairwise(let_through[:: rate.limit])
    )


@given(RATES, st.integers(1, 40))
def test_who_waits_as_long_as_told_is_let_through(rate, tries):
    window, now = Window(), 1_790_000_000_000
    for _ in range(tries):
        refused = window.take(rate, now)
        if not refused.is_allowed:
            now += refused.wait
            assert window.take(rate, now).is_allowed


@given(RATES, st.integers(0, 20))
def test_what_is_given_back_was_never_taken(rate, tries):
    window, now = Window(), 1_790_000_000_000
    for _ in range(tries):
        usage = window.take(rate, now)
        window.give_back(usage.place) if usage.is_allowed else None
    assert window.groups == []


def test_rates_are_written_as_in_the_settings():
    assert Rate.of("1000/h") == Rate(1000, 3_600_000)
    assert Rate.of("20/10m") == Rate(20, 600_000)
    assert [Rate.of(f"1/{unit}").period for unit in "smhd"] == [1000, 60_000, 3_600_000, 86_400_000]


@pytest.mark.engines
@pytest.mark.skipif(not settings.REDIS_URL, reason="counts in Redis as in memory")
def test_redis_counts_as_memory_does(monkeypatch):
    clock, window, rate = standing_clock(monkeypatch), Window(), Rate(5, 60_000)
    for number, step in enumerate([0, 0, 0.2, 3, 0, 0, 20, 35.9, 0.1, 0, 1, 70, 0, 0, 0, 0, 0, 59]):
        clock.now += step
        here = window.take(rate, int(clock.now * 1000))
        there = rate_limits.take("who", "5/m")
        assert there == here
        if number % 4 == 3 and here.is_allowed:
            window.give_back(here.place)
            rate_limits.give_back("who", there)
