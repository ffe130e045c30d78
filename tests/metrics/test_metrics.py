"""Sums follow the calls: after every end, correction and deletion, and rebuilt at any time."""

import datetime as dt
import io
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from calls import services
from calls.models import CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime, wrap_up
from calls.telephony import intake
from common import instants
from common.instants import from_ms, now, to_ms, today
from metrics.definitions import COLUMNS, ON_CARDS, Sums
from metrics.models import DailyMetrics, DailyShape, UserMetrics
from metrics.rollups.daily import (
    own_sums,
    own_sums_by_day,
    sums_by,
    sums_of,
    totals_after,
    totals_of,
)
from metrics.rollups.histograms import shapes_by_day
from metrics.rollups.rebuild import differences
from metrics.rollups.shared_calls import (
    counted_twice,
    of_people,
    shared_parts_among,
    shared_parts_of,
)
from metrics.shapes import SHAPE_FIELDS, Shape
from tests.support.people import make_call, yesterday_noon

pytestmark = [pytest.mark.django_db, pytest.mark.engines]


def reported(*when, zone="UTC"):
    return ReportedTime(dt.datetime(*when, tzinfo=ZoneInfo(zone)), explicit=True)


def call_at(user, start, end, status="COMPLETED"):
    call, _ = services.start_call(user, reported=start)
    return services.end_call(call.call_id, user, status=status, reported=end)


def test_a_known_history_gives_the_figures_of_the_definitions(people):
    for seconds, status in [(100, "COMPLETED"), (61, "COMPLETED"), (30, "DROPPED")]:
        make_call(people.alice, seconds, status=status)
    make_call(people.alice, 25, status="NO_ANSWER")
    make_call(people.alice, 3, status="FAILED")
    sums = totals_of(people.alice.pk)
    assert (sums.calls_made, sums.calls_success, sums.calls_failed) == (5, 2, 3)
    assert (sums.calls_dropped, sums.calls_no_answer, sums.calls_error) == (1, 1, 1)
    assert (sums.total_talk_time, sums.avg_call_duration) == (191, 38)
    assert (sums.ring_time, sums.calls_answered, sums.answered_average) == (28, 3, 63)
    assert (sums.success_rate, sums.answer_rate) == (40.0, 60.0)


def test_nobody_has_called_yet(people):
    assert totals_of(people.alice.pk) == Sums()
    assert Sums().avg_call_duration == Sums().success_rate == Sums().answered_average == 0


def test_a_running_call_counts_nowhere(people):
    services.start_call(people.alice)
    assert not UserMetrics.objects.exists() and not DailyMetrics.objects.exists()


def test_an_estimate_counts_only_when_confirmed(people):
    call, _ = services.start_call(
        people.alice, reported=ReportedTime(now() - dt.timedelta(seconds=1000), explicit=True)
    )
    services.heartbeat_all(people.alice)
    CallLog.objects.update(last_seen_at=call.start_time + dt.timedelta(seconds=50))
    services.close_stale_calls()
    sums = totals_of(people.alice.pk)
    assert (sums.calls_made, sums.total_talk_time, sums.calls_unconfirmed) == (0, 0, 1)
    services.correct_call(call, people.sue, reason="confirmed")
    sums = totals_of(people.alice.pk)
    assert (sums.calls_made, sums.total_talk_time, sums.calls_unconfirmed) == (1, 50, 0)


def test_a_correction_moves_the_figures(people):
    call = make_call(people.alice, 60)
    services.correct_call(call, people.ada, reason="r", status="NO_ANSWER")
    sums = totals_of(people.alice.pk)
    assert (sums.calls_success, sums.calls_no_answer, sums.total_talk_time) == (0, 1, 0)


def test_a_correction_to_another_day_moves_both_days(people):
    call = make_call(people.alice, 60)
    earlier = call.start_time - dt.timedelta(days=2)
    services.correct_call(
        call, people.ada, reason="r", start=earlier, end=earlier + dt.timedelta(seconds=60)
    )
    assert [row.day for row in DailyMetrics.objects.all()] == [instants.local_day(earlier)]


def test_a_call_given_to_another_moves_both_peoples_figures(people):
    make_call(people.alice, 40)
    call = make_call(people.alice, 60)
    call.user = people.bob
    call.save(update_fields=["user"])
    assert totals_of(people.alice.pk).total_talk_time == 40
    assert totals_of(people.bob.pk).total_talk_time == 60
    assert call.user.metrics.sums.total_talk_time == 60


def test_a_deletion_takes_the_call_out(people):
    make_call(people.alice, 60)
    make_call(people.alice, 40).delete()
    assert totals_of(people.alice.pk).total_talk_time == 60
    CallLog.objects.all().delete()
    assert totals_of(people.alice.pk) == Sums()
    assert not DailyMetrics.objects.exists()


def test_a_plain_save_is_noticed_too(people):
    call = make_call(people.alice, 60)
    call.talk_seconds = 10
    call.save()
    assert totals_of(people.alice.pk).total_talk_time == 10


# --- Days ---


@pytest.mark.parametrize(
    ("zone", "start", "day"),
    [
        ("America/Costa_Rica", (2026, 3, 10, 5, 59, 59), dt.date(2026, 3, 9)),
        ("America/Costa_Rica", (2026, 3, 10, 6, 0, 0), dt.date(2026, 3, 10)),
        ("Europe/Madrid", (2026, 3, 28, 23, 0, 0), dt.date(2026, 3, 29)),
        ("Europe/Madrid", (2026, 3, 29, 21, 59, 59), dt.date(2026, 3, 29)),
        ("Europe/Madrid", (2026, 3, 29, 22, 0, 0), dt.date(2026, 3, 30)),
    ],
)
def test_a_calls_day_is_the_local_day_of_its_start(people, settings, zone, start, day):
    settings.TIME_ZONE = zone
    begin = reported(*start)
    call_at(people.alice, begin, ReportedTime(begin.at + dt.timedelta(hours=3), explicit=True))
    assert [row.day for row in DailyMetrics.objects.all()] == [day]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Madrid", dt.date(2026, 3, 29), 23),
        ("Europe/Madrid", dt.date(2026, 10, 25), 25),
        ("America/Santiago", dt.date(2026, 9, 6), 23),  # midnight itself is skipped
        ("UTC", dt.date(2026, 3, 29), 24),
    ],
)
def test_days_of_clock_changes_lose_and_gain_an_hour(settings, zone, day, hours):
    settings.TIME_ZONE = zone
    begin, end = instants.day_range(day, day)
    assert end - begin == dt.timedelta(hours=hours)
    assert instants.local_day(begin) == day
    assert instants.local_day(begin - dt.timedelta(milliseconds=1)) == day - dt.timedelta(days=1)


# --- Periods ---


def test_a_period_is_a_sum_of_days_and_groups_add_up(people):
    make_call(people.alice, 100)
    make_call(people.bob, 50)
    make_call(people.carol, 30, ago=3 * 86_400)
    everyone = people.ada.__class__.objects.all()
    first = today() - dt.timedelta(days=7)
    by_team = sums_by("user__team", everyone, first, today())
    assert by_team[people.red.pk].total_talk_time == 150
    assert by_team[people.blue.pk].total_talk_time == 30
    assert sums_of(everyone, first, today()) == by_team[people.red.pk] + by_team[people.blue.pk]
    recent = today() - dt.timedelta(days=1)
    assert sums_of([people.carol.pk], recent, today()) == Sums()


sums = st.builds(Sums, **{name: st.integers(0, 10**6) for name in COLUMNS})


@given(sums, sums)
def test_a_ratio_of_sums_lies_between_its_parts(a, b):
    both = a + b
    assert both.calls_made == a.calls_made + b.calls_made == both.calls_success + both.calls_failed
    if a.calls_made and b.calls_made:
        assert min(a.avg_call_duration, b.avg_call_duration) <= both.avg_call_duration
        assert both.avg_call_duration <= max(a.avg_call_duration, b.avg_call_duration) + 1


# --- Rebuilding ---


@pytest.fixture
def some_history(people):
    for number, user in enumerate([people.alice, people.bob, people.carol] * 3):
        make_call(user, 10 + number, ago=40_000 * number + 3600)
    return people


def test_a_rebuild_changes_nothing(some_history):
    rows = [(r.user_id, r.day, r.sums) for r in DailyMetrics.objects.all()]
    totals = {r.user_id: r.sums for r in UserMetrics.objects.all()}
    call_command("rebuild_metrics", "--check")
    call_command("rebuild_metrics")
    again = [(r.user_id, r.day, r.sums) for r in DailyMetrics.objects.all()]
    assert sorted(again, key=str) == sorted(rows, key=str)
    assert {r.user_id: r.sums for r in UserMetrics.objects.all()} == totals
    assert differences() == []


def test_a_check_finds_every_kind_of_wrong_row_and_changes_nothing(some_history):
    alice, bob = some_history.alice, some_history.bob
    DailyMetrics.objects.filter(user=alice).update(total_talk_time=1)
    missing = DailyMetrics.objects.filter(user=bob).first()
    missing.delete()
    DailyMetrics.objects.create(user=some_history.sue, day=today(), calls_success=0, hold_time=9)
    UserMetrics.objects.filter(user=bob).update(ring_time=77)
    with pytest.raises(CommandError) as error:
        call_command("rebuild_metrics", "--check", stderr=io.StringIO())
    assert error.value.returncode == 1
    found = {(row.user_id, row.day is None) for row in differences()}
    assert found == {
        (alice.pk, False),
        (bob.pk, False),
        (bob.pk, True),
        (some_history.sue.pk, False),
    }
    assert DailyMetrics.objects.filter(user=alice, total_talk_time=1).exists()
    call_command("rebuild_metrics")
    assert differences() == []


def test_a_check_finds_parts_that_do_not_say_so_and_a_rebuild_marks_them(
    people, pbx, noon_yesterday, capsys
):
    """As two processes that made them at once left them in an earlier version."""
    for user, talk in ((people.alice, "x"), (people.bob, "x"), (people.alice, "y")):
        part(people, user, noon_yesterday, talk, call=f"{user.username} {talk}")
    part(people, User(username="1999"), noon_yesterday, "y", call="nobody's")
    part(people, people.carol, noon_yesterday, "alone", call="alone")
    CallLog.objects.update(is_shared=False)
    with pytest.raises(CommandError) as error:
        call_command("rebuild_metrics", "--check")
    assert error.value.returncode == 1
    assert capsys.readouterr().err.count("not marked as one that several agents had") == 4
    assert not CallLog.objects.filter(is_shared=True).exists()
    call_command("rebuild_metrics")
    call_command("rebuild_metrics", "--check")
    assert not CallLog.objects.get(provider_call_id="alone").is_shared
    day = instants.local_day(noon_yesterday)
    assert sums_of([people.alice.pk, people.bob.pk], day, day).calls_made == 2


def test_the_cost_of_an_end_is_the_same_number_of_statements_at_any_history(
    some_history, django_assert_max_num_queries, django_assert_num_queries
):
    call, _ = services.start_call(some_history.alice)
    with django_assert_max_num_queries(14) as short:
        services.end_call(call.call_id, some_history.alice)
    for number in range(20):
        make_call(some_history.alice, 5, ago=3600 * number + 60)
    call, _ = services.start_call(some_history.alice)
    with django_assert_num_queries(len(short.captured_queries)):
        services.end_call(call.call_id, some_history.alice)


# --- Shapes: hours and lengths ---


def shape_of(user) -> Shape:
    return sum(shapes_by_day([user.pk], dt.date(2026, 1, 1), today()).values(), Shape())


def test_a_call_lies_in_its_hour_and_its_class_of_length(people, settings):
    settings.TIME_ZONE = "America/Costa_Rica"
    begun = reported(2026, 3, 10, 16, 30).at  # 10:30 there
    for seconds, status in [(0, "FAILED"), (14, "COMPLETED"), (15, "COMPLETED"), (1200, "DROPPED")]:
        end = begun + dt.timedelta(seconds=seconds)
        call_at(
            people.alice,
            ReportedTime(begun, explicit=True),
            ReportedTime(end, explicit=True),
            status,
        )
    shape = shape_of(people.alice)
    assert shape.hours[10] == sum(shape.hours) == 4
    assert shape.lengths == (1, 1, 1, 0, 0, 0, 0, 0, 0, 1)
    assert totals_of(people.alice.pk).talk_squares == 14**2 + 15**2 + 1200**2


@pytest.mark.parametrize(
    ("zone", "starts", "hours"),
    [
        # 25 October: the clock shows 2:30 twice. 29 March: it never does.
        ("Europe/Madrid", [(2026, 10, 25, 0, 30), (2026, 10, 25, 1, 30)], {2: 2}),
        ("Europe/Madrid", [(2026, 3, 29, 0, 59), (2026, 3, 29, 1, 0)], {1: 1, 3: 1}),
        ("Asia/Kathmandu", [(2026, 3, 10, 4, 14, 59), (2026, 3, 10, 4, 15)], {9: 1, 10: 1}),
    ],
)
def test_hours_are_those_of_the_local_clock(people, settings, zone, starts, hours):
    settings.TIME_ZONE = zone
    for start in starts:
        begin = reported(*start)
        call_at(
            people.alice, begin, ReportedTime(begin.at + dt.timedelta(seconds=40), explicit=True)
        )
    shape = shape_of(people.alice)
    assert {hour: count for hour, count in enumerate(shape.hours) if count} == hours
    assert differences() == []


def test_days_stand_apart(people, settings):
    settings.TIME_ZONE = "UTC"
    first = reported(2026, 3, 9, 10)
    for days in (0, 1, 1, 8):
        begin = first.at + dt.timedelta(days=days)
        end = begin + dt.timedelta(seconds=40)
        call_at(people.alice, ReportedTime(begin, explicit=True), ReportedTime(end, explicit=True))
    days = shapes_by_day([people.alice.pk], dt.date(2026, 3, 9), dt.date(2026, 3, 16))
    assert {day.day: sum(shape.hours) for day, shape in days.items()} == {9: 1, 10: 2}


def test_what_does_not_count_has_no_shape(people):
    call, _ = services.start_call(
        people.alice, reported=ReportedTime(now() - dt.timedelta(hours=1), explicit=True)
    )
    services.close_stale_calls()
    assert not DailyShape.objects.exists()
    services.correct_call(call, people.sue, reason="confirmed")
    assert sum(shape_of(people.alice).hours) == 1
    call.delete()
    assert not DailyShape.objects.exists()


def test_a_check_finds_wrong_shapes_and_a_rebuild_mends_them(some_history):
    right = list(DailyShape.objects.order_by("pk").values())
    DailyShape.objects.filter(user=some_history.alice).update(hour_03=77)
    DailyShape.objects.filter(user=some_history.bob).delete()
    DailyShape.objects.create(user=some_history.sue, day=today(), length_3=1)
    assert {row.user_id for row in differences()} == {
        some_history.alice.pk,
        some_history.bob.pk,
        some_history.sue.pk,
    }
    call_command("rebuild_metrics")
    assert differences() == []
    again = list(DailyShape.objects.order_by("pk").values())
    for rows in (right, again):
        rows.sort(key=lambda row: (row["user_id"], row.pop("id"), row["day"]))
    assert sorted(again, key=str) == sorted(right, key=str)


def test_the_migration_fills_the_rows_as_a_rebuild_does(some_history):
    right = sorted(DailyShape.objects.values_list("user", "day", *SHAPE_FIELDS))
    squares = sorted(DailyMetrics.objects.values_list("user", "day", "talk_squares"))
    DailyShape.objects.all().delete()
    DailyMetrics.objects.update(talk_squares=0)
    UserMetrics.objects.update(talk_squares=0)
    import_module("metrics.migrations.0003_shapes_and_squares").fill(apps, None)
    assert sorted(DailyShape.objects.values_list("user", "day", *SHAPE_FIELDS)) == right
    assert sorted(DailyMetrics.objects.values_list("user", "day", "talk_squares")) == squares
    assert differences() == []


# --- Every figure by hand ---


@pytest.fixture
def noon_yesterday():
    return from_ms(yesterday_noon())


@pytest.fixture
def a_day_of_alice(people, noon_yesterday, settings):
    """Four calls that count and one that does not, an hour apart from yesterday's noon on."""
    settings.WRAP_UP_CAP_SECONDS = 7 * 86_400

    def moment(hour, seconds):
        return ReportedTime(
            noon_yesterday + dt.timedelta(hours=hour, seconds=seconds), explicit=True
        )

    def begin(hour, **steps):
        call, _ = services.start_call(people.alice, reported=moment(hour, 0))
        for action, seconds in steps.items():
            services.step(call.call_id, people.alice, action, reported=moment(hour, seconds))
        return call.call_id

    def end(hour, call_id, seconds, status, **more):
        reported_end = moment(hour, seconds)
        services.end_call(call_id, people.alice, status=status, reported=reported_end, **more)

    held = begin(0, answer=7, hold=20, resume=25)
    end(0, held, 60, "COMPLETED", wrap_up=True)
    wrap_up.ready(held, people.alice, reported=moment(0, 90))
    end(1, begin(1), 11, "DROPPED")
    end(2, begin(2, answer=3, pause=5, unpause=9), 13, "FAILED")
    end(3, begin(3), 25, "NO_ANSWER")
    begin(4)
    CallLog.objects.active().update(last_seen_at=moment(4, 50).at)
    assert services.close_stale_calls() == 1
    return people


BY_HAND = {
    "calls_success": 1,
    "calls_dropped": 1,
    "calls_error": 1,
    "calls_no_answer": 1,
    "calls_answered": 3,  # the dropped one too: it was reported without an answer
    "total_talk_time": 48 + 11 + 6,
    "talk_squares": 48**2 + 11**2 + 6**2,
    "answered_time": (48 + 5 + 30) + 11 + 6,
    "total_duration": 60 + 11 + 9 + 25,
    "ring_time": 7 + 3 + 25,
    "hold_time": 5,
    "wrap_up_time": 30,
    "calls_unconfirmed": 1,
}


def test_every_sum_is_that_of_the_calls_worked_out_by_hand(a_day_of_alice, noon_yesterday):
    alice, day = a_day_of_alice.alice, instants.local_day(noon_yesterday)
    total = totals_of(alice.pk)
    assert {name: getattr(total, name) for name in BY_HAND} == BY_HAND
    assert DailyMetrics.objects.get(user=alice).sums == total
    assert sums_of([alice.pk], day, day) == own_sums(alice, day, day) == total
    assert dict(own_sums_by_day(alice, day, day)) == {day: total}
    assert differences() == []


def test_the_totals_after_an_end_cost_no_further_query(people, django_assert_num_queries):
    call = make_call(people.alice, 60)
    with django_assert_num_queries(0):
        assert totals_after(call).total_talk_time == 60
    make_call(people.bob, 30)
    assert totals_after(CallLog.objects.get(user=people.alice)) == totals_of(people.alice.pk)


def test_the_figures_of_these_sums_under_the_names_that_programs_know():
    assert (
        Sums(**BY_HAND).as_json().items()
        >= {
            "calls_made": 4,
            "calls_success": 1,
            "calls_failed": 3,
            "calls_dropped": 1,
            "calls_error": 1,
            "calls_no_answer": 1,
            "calls_answered": 3,
            "calls_unconfirmed": 1,
            "avg_call_duration": 16,
            "total_talk_time": 65,
            "success_rate": 25.0,
            "answer_rate": 75.0,
            "answered_average": 33,
            "total_duration": 105,
            "ring_time": 35,
            "hold_time": 5,
            "wrap_up_time": 30,
        }.items()
    )


def test_rates_are_told_in_hundredths_of_a_per_cent():
    shown_sums = Sums(calls_success=2, calls_no_answer=1, calls_answered=1).as_json()
    assert (shown_sums["success_rate"], shown_sums["answer_rate"]) == (66.67, 33.33)


def test_without_calls_every_figure_is_zero():
    assert set(Sums().as_json().values()) == {0}
    assert Sums(calls_no_answer=2).answered_average == 0


def test_what_is_added_can_be_taken_away_again():
    """All but the greatest of several, which stays the greatest."""
    added = [name for name, column in COLUMNS.items() if not column.is_greatest]
    other = Sums(**{name: number for number, name in enumerate(added, start=1)})
    assert Sums(**BY_HAND) + other - other == Sums(**BY_HAND)
    assert Sums() - other + other == Sums()


def test_every_figure_that_pages_show_is_one_of_the_sums():
    units = {figure.name: figure.unit for figure in ON_CARDS}
    assert (
        units.items()
        >= {
            "calls_made": "calls",
            "calls_success": "calls",
            "calls_failed": "calls",
            "avg_call_duration": "seconds",
            "total_talk_time": "seconds",
            "success_rate": "percent",
        }.items()
    )
    assert units.keys() <= Sums().as_json().keys()


@pytest.mark.parametrize(
    ("seconds", "length_class"),
    [
        *((0, 0), (1, 1), (14, 1), (15, 2), (29, 2), (30, 3), (59, 3), (60, 4), (119, 4)),
        *((120, 5), (179, 5), (180, 6), (299, 6), (300, 7), (599, 7), (600, 8), (1199, 8)),
        *((1200, 9), (7200, 9)),
    ],
)
def test_each_class_of_length_begins_where_the_one_before_ends(people, seconds, length_class):
    make_call(people.alice, seconds, ago=8000)
    assert [n for n, calls in enumerate(shape_of(people.alice).lengths) if calls] == [length_class]


# --- Parts of one call ---


def part(people, user, begun, conversation="talk", status="COMPLETED", account=None, call=""):
    """What a phone system tells of one agent's part."""
    reported_part = {"call": call or f"{user.username} {begun}", "conversation": conversation}
    events = [
        ProviderEvent("started", at=to_ms(begun), agents=(user.username,), **reported_part),
        ProviderEvent("ended", at=to_ms(begun) + 30_000, data={"status": status}, **reported_part),
    ]
    intake.record(account or ProviderAccount.objects.get(), events, received=now())


@pytest.fixture
def pbx(people):
    account = ProviderAccount.objects.create(kind="generic", name="pbx")
    for user in (people.alice, people.bob, people.carol):
        ProviderIdentity.objects.create(account=account, identity=user.username, user=user)
    return account


def statuses(of):
    return of.calls_success, of.calls_dropped, of.calls_error, of.calls_no_answer


@pytest.mark.parametrize(
    ("one", "other", "stands"),
    [
        ("COMPLETED", "COMPLETED", (1, 0, 0, 0)),
        ("COMPLETED", "DROPPED", (1, 0, 0, 0)),
        ("DROPPED", "NO_ANSWER", (0, 1, 0, 0)),
        ("NO_ANSWER", "FAILED", (0, 0, 0, 1)),
        ("FAILED", "FAILED", (0, 0, 1, 0)),
    ],
)
def test_the_best_outcome_of_its_parts_is_a_calls_outcome(
    people, pbx, noon_yesterday, one, other, stands
):
    day = instants.local_day(noon_yesterday)
    for first, second, call in ((one, other, "a"), (other, one, "b")):
        begun = noon_yesterday + dt.timedelta(hours=ord(call) - ord("a"))
        part(people, people.alice, begun, call, first)
        part(people, people.bob, begun + dt.timedelta(seconds=40), call, second)
    whole = sums_of([people.alice.pk, people.bob.pk], day, day)
    assert statuses(whole) == tuple(2 * count for count in stands)
    assert whole.calls_answered == (2 if stands[0] or stands[1] else 0)
    assert whole.total_duration == 4 * 30
    apart = sums_by("user", [people.alice.pk, people.bob.pk], day, day)
    assert [apart[user.pk].calls_made for user in (people.alice, people.bob)] == [2, 2]


def test_a_call_that_goes_on_past_midnight_counts_on_the_day_of_its_first_part(
    people, pbx, noon_yesterday
):
    days = [instants.local_day(noon_yesterday) - dt.timedelta(days=back) for back in (2, 1)]
    for user, back in ((people.alice, 2), (people.bob, 1)):
        part(people, user, noon_yesterday - dt.timedelta(days=back))
    users = [people.alice.pk, people.bob.pk]
    by_day = sums_by("day", users, *days)
    # Each day by itself has its own part; both together have one call.
    assert [by_day[day].calls_made for day in days] == [1, 1]
    assert by_day.total == sums_of(users, *days)
    assert by_day.total.calls_made == 1
    assert by_day.total_of(days[:1]).calls_made == 1
    assert dict(own_sums_by_day(people.bob, *days)).keys() == {days[1]}


def test_equal_names_of_conversations_of_two_phone_systems_are_two_calls(
    people, pbx, noon_yesterday
):
    other = ProviderAccount.objects.create(kind="generic", name="other")
    ProviderIdentity.objects.create(account=other, identity="alice", user=people.alice)
    ProviderIdentity.objects.create(account=other, identity="bob", user=people.bob)
    for number, account in enumerate((pbx, other)):
        begun = noon_yesterday + dt.timedelta(hours=number)
        part(people, people.alice, begun, account=account)
        part(people, people.bob, begun + dt.timedelta(seconds=40), account=account)
    day = instants.local_day(noon_yesterday)
    assert sums_of([people.alice.pk, people.bob.pk], day, day).calls_made == 2
    assert sums_of([people.alice.pk], day, day).calls_made == 2


def test_a_team_counts_the_parts_of_its_own_members_once(people, pbx, noon_yesterday):
    for number, user in enumerate((people.alice, people.bob, people.carol)):
        part(people, user, noon_yesterday + dt.timedelta(seconds=40 * number))
    day, everyone = instants.local_day(noon_yesterday), User.objects.all()
    teams = sums_by("user__team", everyone, day, day)
    made = {team: of.calls_made for team, of in teams.items()}
    assert made == {people.red.pk: 1, people.blue.pk: 1}
    assert teams.total.calls_made == teams.total_of([people.red.pk, people.blue.pk]).calls_made == 1
    # The parts of a wider period do not reach into the day that is asked for.
    parts = shared_parts_of(everyone, day - dt.timedelta(days=5), today())
    assert len(parts) == 3
    before = day - dt.timedelta(days=1)
    assert sums_by("user__team", everyone, before, before, parts) == {}
    assert sums_by("user__team", everyone, day, day, parts) == teams


def test_people_without_calls_are_missing_and_sum_to_nothing(people, noon_yesterday):
    day = instants.local_day(noon_yesterday)
    assert sums_by("user", User.objects.all(), day, day) == {}
    assert sums_of(User.objects.none(), day, day) == own_sums(people.sue, day, day) == Sums()
    assert own_sums_by_day(people.sue, day, day).total == Sums()


def test_the_sums_of_some_people_leave_the_others_out(people, noon_yesterday):
    make_call(people.alice, 100)
    make_call(people.carol, 30)
    day = (today() - dt.timedelta(days=1), today())
    red = User.objects.filter(team=people.red)
    assert sums_of(red, *day).total_talk_time == 100
    assert sums_of(User.objects.order_by("pk")[:1], *day).total_talk_time == 100
    assert sums_of(User.objects.all(), *day).total_talk_time == 130


def test_an_agent_whom_the_call_came_back_to_had_two_calls(people, pbx, noon_yesterday):
    for number, user in enumerate((people.alice, people.bob, people.alice)):
        part(people, user, noon_yesterday + dt.timedelta(seconds=40 * number))
    day, everyone = instants.local_day(noon_yesterday), User.objects.all()
    apart = sums_by("user", everyone, day, day)
    assert {user: of.calls_made for user, of in apart.items()} == {
        people.alice.pk: 2,
        people.bob.pk: 1,
    }
    assert apart.total.calls_made == sums_of(everyone, day, day).calls_made == 1


def test_a_part_of_nobody_we_know_takes_nothing_from_the_others(people, pbx, noon_yesterday):
    """Sums of people hold no part of it, so there is nothing to take away either."""
    reported_part = {"call": "reception", "conversation": "talk"}
    begun = to_ms(noon_yesterday)
    events = [
        ProviderEvent("started", at=begun, agents=("1999",), **reported_part),
        ProviderEvent("ended", at=begun + 30_000, data={"status": "COMPLETED"}, **reported_part),
    ]
    intake.record(pbx, events, received=now())
    part(people, people.alice, noon_yesterday + dt.timedelta(seconds=40))
    day, everyone = instants.local_day(noon_yesterday), User.objects.all()
    assert CallLog.objects.filter(is_shared=True).count() == 2
    assert sums_of(everyone, day, day).calls_made == 1


def test_parts_of_another_day_are_none_of_this_period(people, pbx, noon_yesterday):
    earlier = noon_yesterday - dt.timedelta(days=3)
    for number, user in enumerate((people.alice, people.bob)):
        part(people, user, earlier + dt.timedelta(seconds=40 * number))
    day, users = instants.local_day(noon_yesterday), [people.alice.pk, people.bob.pk]
    assert sums_of(users, day, day) == Sums()
    assert shared_parts_of(users, day, day) == []


def test_calls_of_one_agent_each_are_never_counted_twice(people):
    # None of them has a name of a conversation, which does not make them one.
    make_call(people.alice, 10)
    make_call(people.bob, 20)
    assert counted_twice(shared_parts_among(CallLog.objects.all())) == Sums()


def test_of_two_parts_with_the_same_outcome_the_earlier_stands_for_the_call(
    people, pbx, noon_yesterday
):
    """However late we hear of it. Only the earlier was answered, so the call was."""
    part(people, people.bob, noon_yesterday + dt.timedelta(seconds=40), status="FAILED")
    reported_part = {"call": "first", "conversation": "talk"}
    begun = to_ms(noon_yesterday)
    events = [
        ProviderEvent("started", at=begun, agents=("alice",), **reported_part),
        ProviderEvent("answered", at=begun + 5_000, **reported_part),
        ProviderEvent("ended", at=begun + 30_000, data={"status": "FAILED"}, **reported_part),
    ]
    intake.record(pbx, events, received=now())
    day, users = instants.local_day(noon_yesterday), [people.alice.pk, people.bob.pk]
    whole = sums_of(users, day, day)
    assert (whole.calls_made, whole.calls_error, whole.calls_answered) == (1, 1, 1)


def test_the_sums_of_everybody_look_nobody_up(people):
    rows = DailyMetrics.objects.all()
    users = User._meta.db_table
    assert users not in str(of_people(rows, User.objects.all()).query)
    assert users in str(of_people(rows, User.objects.filter(team=people.red)).query)


def test_shapes_of_different_classes_do_not_add_up():
    """Those of an older division would shift or lose calls without a word."""
    for other in (Shape(hours=(1,)), Shape(lengths=(1,))):
        with pytest.raises(ValueError, match="shorter"):
            Shape() + other


def test_every_figure_has_a_name_and_a_sentence_that_says_how_it_is_made():
    with override("en"):
        names = {str(figure.label) for figure in ON_CARDS}
        sentences = [str(figure.sentence) for figure in ON_CARDS]
    assert names >= {"Calls made", "Successful", "Failed", "AHT", "Total time", "Success rate"}
    assert all(len(text.split()) > 3 and text.endswith(".") for text in sentences)


def test_the_sums_of_a_person_are_those_of_nobody_else(people):
    make_call(people.alice, 100)
    make_call(people.bob, 50)
    period = (today() - dt.timedelta(days=1), today())
    for user, seconds in ((people.alice, 100), (people.bob, 50)):
        assert own_sums(user, *period).total_talk_time == seconds
        assert totals_of(user.pk).total_talk_time == seconds
    assert totals_of(people.carol.pk) == Sums()


def test_taking_out_a_persons_last_call_of_a_day_leaves_the_others_days(people, noon_yesterday):
    begun = ReportedTime(noon_yesterday, explicit=True)
    over = ReportedTime(noon_yesterday + dt.timedelta(seconds=30), explicit=True)
    call = call_at(people.alice, begun, over)
    call_at(people.bob, begun, over)
    call.delete()
    assert [row.user_id for row in DailyMetrics.objects.all()] == [people.bob.pk]
    assert differences() == []
