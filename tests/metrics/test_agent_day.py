"""An agent's day as a time line: exact at midnight and at clock changes."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from calls import services
from calls.models import CallLog
from calls.services import ReportedTime
from common.instants import now
from metrics.charts.agent_day import DayLine, day_lines
from tests.support.people import People

pytestmark = [pytest.mark.django_db, pytest.mark.once]
MADRID = "Europe/Madrid"


@pytest.fixture(autouse=True)
def zone(settings):
    settings.TIME_ZONE = MADRID


def at(text: str, fold: int = 0) -> dt.datetime:
    """An instant by the clock in Madrid; `fold` 1 for the second of a repeated hour."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(MADRID), fold=fold)


def call(user: User, begin: dt.datetime, end: dt.datetime, **steps: dt.datetime) -> CallLog:
    started, _ = services.start_call(user, reported=ReportedTime(begin, explicit=True))
    for action, instant in steps.items():
        services.step(started.call_id, user, action, reported=ReportedTime(instant, explicit=True))
    return services.end_call(started.call_id, user, reported=ReportedTime(end, explicit=True))


def line_of(people: People, day: str) -> DayLine:
    date = dt.date.fromisoformat(day)
    return day_lines(people.alice, date, date, now())[0]


def hours(line: DayLine) -> list[int]:
    return [hour.hour for hour in line.hours]


def test_calls_and_the_gaps_between_them(people):
    call(people.alice, at("2026-03-10 09:00"), at("2026-03-10 09:10"))
    call(people.alice, at("2026-03-10 09:15"), at("2026-03-10 09:45"))
    call(people.alice, at("2026-03-10 09:30"), at("2026-03-10 09:35"))  # within the one before
    call(people.alice, at("2026-03-10 10:00"), at("2026-03-10 10:30"))
    call(people.bob, at("2026-03-10 11:00"), at("2026-03-10 11:30"))
    line = line_of(people, "2026-03-10")
    assert [one.seconds for one in line.calls] == [600, 1800, 300, 1800]
    assert [one.free_before for one in line.calls] == [None, 300, 0, 900]
    assert (line.busy, line.free, line.hours_of_day) == (4200, 1200, 24)
    assert hours(line) == [9, 10, 11, 12]


def test_parts_are_drawn_where_they_were(people):
    call(
        people.alice,
        at("2026-03-10 08:00"),
        at("2026-03-10 12:00"),
        answer=at("2026-03-10 09:00"),
        hold=at("2026-03-10 10:00"),
        resume=at("2026-03-10 11:00"),
        pause=at("2026-03-10 11:30"),
    )
    pieces = line_of(people, "2026-03-10").calls[0].pieces
    assert [(piece.kind, piece.x, piece.width) for piece in pieces] == [
        ("ring", 0, 250),
        ("talk", 250, 750),
        ("hold", 500, 250),
        ("pause", 875, 125),
    ]
    assert len({(piece.y, piece.height) for piece in pieces}) == 4  # not told apart by colour only


def test_a_call_over_midnight_is_cut_exactly_there(people):
    call(people.alice, at("2026-03-10 23:30"), at("2026-03-11 00:20"))
    before, after = line_of(people, "2026-03-10"), line_of(people, "2026-03-11")
    assert [(one.seconds, one.cut_before, one.cut_after) for one in before.calls] == [
        (1800, False, True)
    ]
    assert [(one.seconds, one.cut_before, one.cut_after) for one in after.calls] == [
        (1200, True, False)
    ]
    assert before.calls[0].end == after.calls[0].begin == at("2026-03-11 00:00")
    assert (hours(before), hours(after)) == ([20, 21, 22, 23], [0, 1, 2, 3])
    piece = before.calls[0].pieces[-1]
    assert piece.x + piece.width == 1000


def test_several_days_at_once_share_the_call_over_midnight(people):
    call(people.alice, at("2026-03-10 23:30"), at("2026-03-11 00:20"))
    lines = day_lines(people.alice, dt.date(2026, 3, 9), dt.date(2026, 3, 11), now())
    assert [(line.day.day, line.busy) for line in lines] == [(11, 1200), (10, 1800), (9, 0)]


def test_a_call_that_ended_at_midnight_is_not_of_the_next_day(people):
    call(people.alice, at("2026-03-10 23:30"), at("2026-03-11 00:00"))
    assert line_of(people, "2026-03-11").calls == []
    assert not line_of(people, "2026-03-10").calls[0].cut_after


def test_the_day_that_loses_an_hour_has_23(people):
    """At two o'clock on 29 March the clock shows three."""
    call(people.alice, at("2026-03-29 01:30"), at("2026-03-29 03:30"))
    line = line_of(people, "2026-03-29")
    assert (line.hours_of_day, line.calls[0].seconds) == (23, 3600)
    assert hours(line) == [1, 3, 4, 5]
    assert (line.calls[0].pieces[-1].x, line.calls[0].pieces[-1].width) == (125, 250)


def test_the_day_that_gains_an_hour_has_25(people):
    """On 26 October 2025 the hour from two to three comes twice."""
    call(people.alice, at("2025-10-26 02:30"), at("2025-10-26 02:30", fold=1))
    line = line_of(people, "2025-10-26")
    assert (line.hours_of_day, line.calls[0].seconds) == (25, 3600)
    assert hours(line) == [2, 2, 3, 4]


def test_a_running_call_reaches_up_to_now(people):
    begun = at("2026-03-10 09:00")
    services.start_call(people.alice, reported=ReportedTime(begun, explicit=True))
    day = dt.date(2026, 3, 10)
    line = day_lines(people.alice, day, day, begun + dt.timedelta(seconds=20))[0]
    assert [one.seconds for one in line.calls] == [20]


def test_a_day_without_calls_shows_all_its_hours(people):
    line = line_of(people, "2026-03-29")
    assert (line.calls, line.busy, line.free) == ([], 0, 0)
    assert len(line.hours) == 23


def test_a_week_costs_two_queries(people, django_assert_num_queries):
    for hour in range(8, 12):
        call(
            people.alice,
            at(f"2026-03-10 {hour:02d}:00"),
            at(f"2026-03-10 {hour:02d}:30"),
            answer=at(f"2026-03-10 {hour:02d}:01"),
            hold=at(f"2026-03-10 {hour:02d}:10"),
        )
    with django_assert_num_queries(2):
        day_lines(people.alice, dt.date(2026, 3, 5), dt.date(2026, 3, 11), now())
