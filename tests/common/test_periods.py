"""Periods: what a URL asks for, and what it is compared with."""

import datetime as dt

import pytest
from django.http import QueryDict
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from common import periods
from common.formats.period_words import compared_with
from common.periods import PeriodError, between, is_asked_for, named, period_of

WEDNESDAY = dt.datetime(2026, 11, 25, 10, 40, 59)
NOON = dt.time(12)


def days(*texts: str) -> tuple[dt.date, ...]:
    return tuple(map(dt.date.fromisoformat, texts))


def all_days(period: periods.Period) -> tuple[dt.date, ...]:
    return period.first, period.last, period.previous_first, period.previous_last


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("today", ("2026-11-25", "2026-11-25", "2026-11-24", "2026-11-24")),
        ("yesterday", ("2026-11-24", "2026-11-24", "2026-11-23", "2026-11-23")),
        ("week", ("2026-11-23", "2026-11-25", "2026-11-16", "2026-11-18")),
        ("last_week", ("2026-11-16", "2026-11-22", "2026-11-09", "2026-11-15")),
        ("month", ("2026-11-01", "2026-11-25", "2026-10-01", "2026-10-25")),
        ("last_month", ("2026-10-01", "2026-10-31", "2026-09-01", "2026-09-30")),
    ],
)
def test_a_named_period_and_the_one_before(name, expected):
    assert all_days(period_of({"period": name}, WEDNESDAY)) == days(*expected)


@pytest.mark.parametrize(
    ("name", "present", "expected"),
    [
        ("week", "2026-11-23", ("2026-11-23", "2026-11-23", "2026-11-16", "2026-11-16")),
        ("week", "2027-01-01", ("2026-12-28", "2027-01-01", "2026-12-21", "2026-12-25")),
        ("last_week", "2026-11-22", ("2026-11-09", "2026-11-15", "2026-11-02", "2026-11-08")),
        ("month", "2026-01-31", ("2026-01-01", "2026-01-31", "2025-12-01", "2025-12-31")),
        ("month", "2026-03-31", ("2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28")),
        ("month", "2028-03-30", ("2028-03-01", "2028-03-30", "2028-02-01", "2028-02-29")),
        ("last_month", "2026-01-01", ("2025-12-01", "2025-12-31", "2025-11-01", "2025-11-30")),
        ("last_month", "2026-03-31", ("2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31")),
    ],
)
def test_the_edges_of_weeks_months_and_years(name, present, expected):
    present = dt.datetime.combine(dt.date.fromisoformat(present), NOON)
    assert all_days(named(name, present)) == days(*expected)


def test_a_range_is_compared_with_as_many_days_before():
    asked = {"period": "range", "from": "2026-03-01", "to": "2026-03-10"}
    period = period_of(asked, WEDNESDAY)
    assert all_days(period) == days("2026-03-01", "2026-03-10", "2026-02-19", "2026-02-28")
    assert (period.days, period.is_one_day) == (10, False)
    assert period_of(asked | {"period": ""}, WEDNESDAY) == period


@pytest.mark.parametrize(
    ("query", "present", "last", "until"),
    [
        ("period=today", "2026-11-25T10:40", "2026-11-24", "10:40"),
        ("period=today", "2026-11-25T00:00", "2026-11-24", "00:00"),
        ("period=yesterday", "2026-11-25T10:40", "2026-11-23", None),
        ("period=week", "2026-11-25T10:40", "2026-11-18", "10:40"),
        ("period=last_week", "2026-11-25T10:40", "2026-11-15", None),
        ("period=month", "2026-11-25T10:40", "2026-10-25", "10:40"),
        ("period=month", "2026-03-28T10:40", "2026-02-28", "10:40"),
        ("period=month", "2026-03-29T10:40", "2026-02-28", None),
        ("period=month", "2026-03-31T10:40", "2026-02-28", None),
        ("period=last_month", "2026-03-31T10:40", "2026-01-31", None),
        ("from=2026-11-20&to=2026-11-25", "2026-11-25T10:40", "2026-11-19", "10:40"),
        # Two days of six have gone by, and the third until now.
        ("from=2026-11-23&to=2026-11-28", "2026-11-25T10:40", "2026-11-19", "10:40"),
        ("from=2026-11-20&to=2026-11-24", "2026-11-25T10:40", "2026-11-19", None),
        ("from=2026-11-26&to=2026-11-27", "2026-11-25T10:40", "2026-11-25", None),
    ],
)
def test_what_is_not_over_is_compared_with_as_much_of_the_period_before(
    query, present, last, until
):
    period = period_of(QueryDict(query), dt.datetime.fromisoformat(present))
    assert period.previous_last == dt.date.fromisoformat(last)
    assert period.until == (until and dt.time.fromisoformat(until))


@pytest.mark.parametrize(
    ("query", "english", "spanish"),
    [
        ("period=today", "vs. yesterday until 10:40", "frente a ayer hasta las 10:40"),
        ("period=yesterday", "vs. the day before yesterday", "frente a anteayer"),
        (
            "period=week",
            "vs. last week until Wednesday at 10:40",
            "frente a la semana pasada hasta el miércoles a las 10:40",
        ),
        ("period=last_week", "vs. the week before", "frente a la semana anterior"),
        (
            "period=month",
            "vs. last month until 25 October at 10:40",
            "frente al mes pasado hasta el 25 de octubre a las 10:40",
        ),
        ("period=last_month", "vs. the month before", "frente al mes anterior"),
        (
            "from=2026-11-24&to=2026-11-25",
            "vs. 22 Nov 2026 – 23 Nov 2026 until 10:40",
            "frente a 22/11/2026 – 23/11/2026 hasta las 10:40",
        ),
        ("from=2026-11-24&to=2026-11-24", "vs. 23 Nov 2026", "frente a 23/11/2026"),
    ],
)
def test_a_comparison_is_said_in_words(query, english, spanish):
    for language, words in (("en", english), ("es", spanish)):
        with translation.override(language):
            assert compared_with(period_of(QueryDict(query), WEDNESDAY)) == words


def test_of_a_month_without_such_a_day_the_whole_is_compared():
    with translation.override("es"):
        period = named("month", dt.datetime(2026, 3, 31, 10, 40))
        assert compared_with(period) == "frente a todo el mes pasado"


def test_the_url_says_the_same_period_again():
    for name in ("today", "last_month"):
        assert named(name, WEDNESDAY).query == f"period={name}"
    period = between(*days("2026-03-01", "2026-03-10"))
    assert period.query == "period=range&from=2026-03-01&to=2026-03-10"
    assert period_of(QueryDict(period.query), WEDNESDAY) == period


def test_without_a_period_the_default_counts():
    assert period_of({}, WEDNESDAY).name == "today"
    assert period_of({"period": "", "team": "3"}, WEDNESDAY, default="month").name == "month"
    assert not is_asked_for({"team": "3", "period": "", "from": ""})
    assert is_asked_for({"to": "2026-03-10"})


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("period=fortnight", "period", "There is no such period"),
        ("period=TODAY", "period", "There is no such period"),
        ("period=week&from=2026-03-01", "period", "Days belong to a range"),
        ("period=range", "from", "first and its last day"),
        ("from=2026-03-01", "to", "first and its last day"),
        ("to=2026-03-01", "from", "first and its last day"),
        ("from=2026-02-30&to=2026-03-01", "from", "YYYY-MM-DD"),
        ("from=2026-03-01&to=20260302", "to", "YYYY-MM-DD"),
        ("from=2026-03-01&to=2026-W10-1", "to", "YYYY-MM-DD"),
        ("from=2026-03-01%00&to=2026-03-02", "from", "YYYY-MM-DD"),
        ("from=x&to=y", "from", "YYYY-MM-DD"),
        ("from=1969-12-31&to=1970-01-01", "from", "out of range"),
        ("from=2026-03-01&to=9999-01-01", "to", "out of range"),
        ("from=2026-03-02&to=2026-03-01", "from", "after the last day"),
        ("from=2000-01-01&to=2026-03-01", "from", "ten years at most"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(query, field, words):
    with translation.override("en"), pytest.raises(PeriodError) as error:
        period_of(QueryDict(query), WEDNESDAY)
    assert error.value.field == field
    assert words in error.value.message


some_days = st.dates(dt.date(1990, 1, 1), dt.date(2100, 12, 31))


@given(some_days, st.sampled_from([name for name in periods.LABELS if name != "range"]))
def test_a_period_follows_the_one_before_and_is_never_shorter_by_more_than_a_month_is(day, name):
    period = named(name, dt.datetime.combine(day, NOON))
    assert period.previous_first <= period.previous_last < period.first <= period.last <= day
    before = (period.previous_last - period.previous_first).days + 1
    assert abs(before - period.days) <= (3 if "month" in name else 0)


@given(some_days, st.integers(0, 3659))
def test_a_range_and_the_one_before_touch_and_are_equally_long(first, more):
    period = between(first, first + dt.timedelta(days=more))
    assert period.first - period.previous_last == dt.timedelta(days=1)
    assert period.last - period.first == period.previous_last - period.previous_first
