"""When a report is due by local clocks, clock changes and short months included."""

import datetime as dt

import pytest

from common.instants import UTC
from notifications.models.schedules import ReportSchedule
from notifications.schedules.due import latest_due, next_due, period_at


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=UTC)


def schedule(every: str, time: str, **fields: int) -> ReportSchedule:
    return ReportSchedule(every=every, at=dt.time.fromisoformat(time), **fields)


def dues(one: ReportSchedule, after: dt.datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        after = next_due(one, after)
        found.append(f"{after:%m-%d %H:%M}")
    return found


def test_every_day_at_a_local_time(settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    assert dues(schedule("day", "08:00"), at(2026, 3, 1, 14), 2) == ["03-02 14:00", "03-03 14:00"]
    assert dues(schedule("day", "20:30"), at(2026, 3, 1, 23), 1) == ["03-02 02:30"]


@pytest.mark.parametrize(
    ("zone", "time", "after", "expected"),
    [
        # 02:30 does not exist on 8 March: it is due at 03:00, the first minute that does.
        (
            "America/New_York",
            "02:30",
            at(2026, 3, 7),
            ["03-07 07:30", "03-08 07:00", "03-09 06:30"],
        ),
        ("Europe/Madrid", "02:30", at(2026, 3, 28), ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
        # 01:30, and 02:30 in Madrid, come twice: the first counts, and the night has one.
        (
            "America/New_York",
            "01:30",
            at(2026, 10, 31),
            ["10-31 05:30", "11-01 05:30", "11-02 06:30"],
        ),
        ("Europe/Madrid", "02:30", at(2026, 10, 24), ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
    ],
)
def test_the_nights_on_which_clocks_change(settings, zone, time, after, expected):
    settings.TIME_ZONE = zone
    assert dues(schedule("day", time), after, 3) == expected


def test_between_the_two_times_of_one_night_it_is_not_due_again(settings):
    settings.TIME_ZONE = "America/New_York"
    assert dues(schedule("day", "01:30"), at(2026, 11, 1, 5, 45), 1) == ["11-02 06:30"]


def test_weeks_and_months(settings):
    settings.TIME_ZONE = "UTC"
    friday = schedule("week", "06:00", weekday=4)
    assert dues(friday, at(2026, 11, 27, 6), 2) == ["12-04 06:00", "12-11 06:00"]
    last = schedule("month", "06:00", day=31)
    assert dues(last, at(2026, 1, 30), 3) == ["01-31 06:00", "02-28 06:00", "03-31 06:00"]
    assert dues(schedule("month", "06:00", day=29), at(2028, 2, 1), 1) == ["02-29 06:00"]


def test_of_many_missed_times_the_latest_counts(settings):
    settings.TIME_ZONE = "UTC"
    daily = schedule("day", "06:00")
    found = latest_due(daily, at(2026, 11, 1, 6), at(2026, 11, 20, 5, 59))
    assert found == at(2026, 11, 19, 6)


def test_the_days_are_those_before_the_due_time_however_late_it_is_sent(settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    due = at(2026, 3, 2, 5)  # 1 March, 23:00 there
    periods = {
        every: period_at(schedule(every, "23:00"), due) for every in ("day", "week", "month")
    }
    days = {every: (f"{one.first}", f"{one.last}") for every, one in periods.items()}
    assert days == {
        "day": ("2026-02-28", "2026-02-28"),
        "week": ("2026-02-16", "2026-02-22"),
        "month": ("2026-02-01", "2026-02-28"),
    }
