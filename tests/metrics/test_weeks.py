"""Sums of whole weeks: whatever the period, it is the same as the sum of its calls."""

import datetime as dt
from importlib import import_module

import pytest
from django.apps import apps
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from calls.models import CallLog
from common.instants import local_day
from metrics.definitions import Sums
from metrics.models import WeeklyMetrics
from metrics.rollups.daily import own_sums, sums_by, sums_of, totals_of
from metrics.rollups.rebuild import differences, rebuild
from metrics.rollups.weeks import days_between, parts_of_period, sunday_of, week_of
from tests.support.people import make_call

DAY = dt.timedelta(days=1)


@pytest.mark.once
@given(st.dates(), st.integers(0, 40))
def test_every_day_of_a_period_is_in_one_part(first, more):
    last = min(first, dt.date.max - 40 * DAY) + more * DAY
    first = last - more * DAY
    days = []
    for between, begin, end in parts_of_period(first, last):
        if between is not days_between:
            assert begin.weekday() == end.weekday() == 0
            end = sunday_of(end)
        assert begin <= end
        days += [begin + place * DAY for place in range((end - begin).days + 1)]
    assert sorted(days) == [first + place * DAY for place in range(more + 1)]


@pytest.mark.once
def test_a_period_without_end_is_in_parts_too():
    parts = parts_of_period(dt.date.min, dt.date.max)
    assert parts[0][1] == dt.date.min
    assert parts[-1][2] == dt.date.max


@pytest.fixture
def history(people):
    """Calls of two people on each of six weeks' days, and the last day of them."""
    for number in range(42):
        make_call(people.alice, 10 + number, ago=(number + 1) * 86_400)
        make_call(people.bob, 5 + number, ago=(number + 1) * 86_400, status="FAILED")
    return local_day(CallLog.objects.latest("start_time").start_time)


def of_calls(first, last, **of):
    calls = CallLog.objects.filter(**of)
    return Sums.together(
        Sums.of_call(call) for call in calls if first <= local_day(call.start_time) <= last
    )


@pytest.mark.engines
@pytest.mark.django_db
@pytest.mark.parametrize(("begin", "end"), [(0, 0), (6, 0), (13, 0), (29, 0), (41, 3), (35, 12)])
def test_a_period_is_the_sum_of_its_calls(people, history, begin, end):
    for shift in range(7):  # wherever in its week it begins
        first, last = history - (begin + shift) * DAY, history - end * DAY
        assert own_sums(people.alice, first, last) == of_calls(first, last, user=people.alice)
        both = User.objects.filter(pk__in=[people.alice.pk, people.bob.pk])
        assert sums_of(both, first, last) == of_calls(first, last)
        apart = sums_by("user", both, first, last)
        assert apart[people.bob.pk] == of_calls(first, last, user=people.bob)


@pytest.mark.engines
@pytest.mark.django_db
def test_a_week_that_has_no_calls_left_has_no_row(people, history):
    week = week_of(history - 14 * DAY)
    for call in CallLog.objects.filter(user=people.alice):
        if week_of(local_day(call.start_time)) == week:
            call.delete()
    assert not WeeklyMetrics.objects.filter(user=people.alice, week=week).exists()
    assert WeeklyMetrics.objects.filter(user=people.bob, week=week).exists()
    assert totals_of(people.alice.pk).calls_made == 35
    assert differences() == []


@pytest.mark.engines
@pytest.mark.django_db
def test_rows_of_weeks_that_are_wrong_are_found_and_mended(people, history):
    weeks = sorted(set(WeeklyMetrics.objects.values_list("week", flat=True)))
    WeeklyMetrics.objects.filter(user=people.alice, week=weeks[1]).update(ring_time=77)
    WeeklyMetrics.objects.filter(user=people.bob, week=weeks[2]).delete()
    WeeklyMetrics.objects.create(user=people.carol, week=weeks[0] - 7 * DAY, ring_time=3)
    wrong = {(one.user_id, one.day, one.is_week) for one in differences() if one.day}
    assert wrong == {
        (people.alice.pk, weeks[1], True),
        (people.bob.pk, weeks[2], True),
        (people.carol.pk, weeks[0] - 7 * DAY, True),
    }
    rebuild()
    assert differences() == []


@pytest.mark.engines
@pytest.mark.django_db
def test_the_migration_fills_the_past_as_a_rebuild_does(people, history):
    rows = sorted(WeeklyMetrics.objects.values_list("user", "week", "calls_made", "longest_call"))
    assert len(rows) >= 12
    WeeklyMetrics.objects.all().delete()
    import_module("metrics.migrations.0007_weekly_metrics").fill(apps, None)
    assert rows == sorted(
        WeeklyMetrics.objects.values_list("user", "week", "calls_made", "longest_call")
    )
    assert differences() == []
