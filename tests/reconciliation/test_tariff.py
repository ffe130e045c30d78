"""What a call costs by a price list."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.billing.countries import Countries, name_of
from reconciliation.billing.tariff import Rate, Tariff

PENCE = st.decimals(min_value=0, max_value=100, places=4)
RATES = st.builds(
    Rate,
    prefix=st.text("0123456789", max_size=4),
    direction=st.sampled_from(["", "outbound", "inbound"]),
    per_minute=PENCE,
    connection=PENCE,
    step=st.sampled_from([1, 6, 30, 60]),
)


@given(RATES, st.integers(0, 100_000))
def test_started_steps_are_paid_as_whole_ones(rate, seconds):
    """Told again in fractions, and counted instead of divided."""
    steps = 1
    while steps * rate.step < seconds and steps < 2000:
        steps += 1
    if steps == 2000:
        steps = math.ceil(Fraction(seconds, rate.step))
    exact = Fraction(rate.connection) + Fraction(rate.per_minute) * steps * rate.step / 60
    assert abs(Fraction(rate.cost(seconds)) - exact) < Fraction(1, 10**18)


@given(RATES, st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_longer_call_never_costs_less(rate, one, other):
    shorter, longer = sorted((one, other))
    assert rate.cost(shorter) <= rate.cost(longer)


@pytest.mark.parametrize(
    ("seconds", "step", "cost"),
    [
        (0, 60, "0.06"),
        (1, 60, "0.06"),
        (60, 60, "0.06"),
        (61, 60, "0.12"),
        (0, 1, "0.001"),
        (61, 1, "0.061"),
        (7, 6, "0.012"),
    ],
)
def test_the_step_is_what_is_billed_as_a_whole(seconds, step, cost):
    assert Rate("", "", Decimal("0.06"), step=step).cost(seconds) == Decimal(cost)


@given(st.lists(RATES, max_size=12), st.text("0123456789", max_size=8), st.sampled_from("io"))
def test_the_longest_prefix_holds_and_then_the_one_for_the_direction(rates, digits, way):
    direction = {"i": "inbound", "o": "outbound"}[way]
    fitting = {
        (len(rate.prefix), rate.direction == direction): rate
        for rate in rates
        if digits.startswith(rate.prefix) and rate.direction in ("", direction)
    }
    expected = fitting[max(fitting)] if fitting else None
    assert Tariff("EUR", rates).rate_for(digits, direction) == expected


@given(RATES)
def test_a_rate_is_read_as_it_was_kept(rate):
    assert Rate.of(rate.kept) == rate


@pytest.mark.parametrize(
    ("line", "region"),
    [
        ("+34600000001", "ES"),
        ("+12125550123", "US"),
        ("+14165550123", "CA"),
        ("+18095550123", "DO"),
        ("+447400123456", "GB"),
        ("+441481960194", "GG"),
        ("+50688887777", "CR"),
        ("+80012345678", ""),
        ("", ""),
        ("anonymous", ""),
    ],
)
def test_a_number_is_of_its_country(line, region):
    countries = Countries()
    assert countries.of(line) == region
    assert countries.of(line) == region


def test_countries_have_names_in_the_readers_language():
    assert name_of("DE", "es") == "Alemania"
    assert name_of("DE", "en") == "Germany"
    assert name_of("US", "es-cr") == "Estados Unidos"
    assert name_of("XK", "en") == "XK" or "Kosovo" in name_of("XK", "en")
