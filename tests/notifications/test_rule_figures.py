"""Rules about figures, idle hours and missed calls; and when they would have fired."""

import datetime as dt
import statistics

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from calls import services, timeline
from calls.models import CallLog
from common.instants import now
from notifications.models import Alert, Rule
from notifications.models.rules import Kind
from notifications.rules import figures, idle, missed
from notifications.rules.figures import usual_range
from notifications.rules.preview import preview_of
from tests.support.people import make_call

pytestmark = pytest.mark.engines
MONDAY = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


@pytest.fixture
def clock(settings):
    settings.TIME_ZONE = "UTC"
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def rule_of(kind, /, **fields):
    parameters = fields.pop("parameters", {})
    watching = fields.pop("watching_since", now() - dt.timedelta(weeks=10))
    return Rule.objects.create(
        kind=kind,
        parameters=parameters,
        tell_supervisors=True,
        watching_since=watching,
        **fields,
    )


def fired(rule):
    return list(rule.alerts.order_by("pk"))


def test_a_success_rate_that_falls_fires_once_until_it_is_back(people, clock):
    rule = rule_of(Kind.LOW_SUCCESS, parameters={"percent": 50, "calls": 4, "each": True})
    for status in (timeline.COMPLETED, timeline.FAILED, timeline.FAILED):
        make_call(people.alice, 10, ago=600, status=status)
        clock.shift(60)
    figures.watch()
    assert fired(rule) == [], "fewer calls than it asks for say nothing"
    make_call(people.alice, 10, ago=600, status=timeline.FAILED)
    figures.watch()
    make_call(people.alice, 10, ago=590, status=timeline.FAILED)
    figures.watch()
    [alert] = fired(rule)
    assert (alert.agent, alert.facts["value"], alert.over_at) == (people.alice, 25.0, None)
    for ago in (500, 490, 480):
        make_call(people.alice, 10, ago=ago)
    figures.watch()
    [alert] = fired(rule)
    assert alert.over_at == now()
    shown = preview_of(rule, people.ada)
    assert (shown.count, shown.shown[0].agent) == (1, people.alice)


def test_the_parts_of_one_call_count_once_for_a_team(people, clock):
    rule = rule_of(
        Kind.LOW_SUCCESS, team=people.red, parameters={"percent": 60, "calls": 2, "each": False}
    )
    for user, status in ((people.alice, timeline.NO_ANSWER), (people.bob, timeline.COMPLETED)):
        make_call(user, 10, ago=600, status=status)
    CallLog.objects.update(conversation="one call", is_shared=True)
    make_call(people.alice, 10, ago=500)
    figures.watch()
    assert fired(rule) == []


def test_what_a_rule_did_not_watch_is_not_told(people, clock):
    rule = rule_of(Kind.LOW_SUCCESS, parameters={"percent": 50, "calls": 1}, watching_since=now())
    make_call(people.alice, 10, ago=600, status=timeline.FAILED)
    figures.watch()
    assert fired(rule) == []


@given(st.lists(st.integers(1, 3600), min_size=4, max_size=8), st.integers(1, 3600))
def test_the_usual_range_holds_its_middle_and_grows_with_its_values(values, factor):
    usual = usual_range(values)
    assert usual.holds(statistics.median(values))
    scaled = usual_range([value * factor for value in values])
    assert scaled.high == pytest.approx(usual.high * factor)


def test_the_usual_range_by_hand():
    # Median 200; deviations 0, 0, 10, 10, 20: their median 10, so 200 ± 3.5 * 14.826.
    usual = usual_range([200, 210, 190, 200, 220])
    assert (usual.low, usual.high) == (pytest.approx(148.109), pytest.approx(251.891))
    assert usual_range([200, 200, 200]) is None


def test_an_hour_off_its_usual_aht_fires_once(people, clock):
    rule = rule_of(Kind.UNUSUAL_AHT, parameters={"calls": 2, "each": False})
    for week, seconds in enumerate((60, 61, 62, 63, 600)):
        clock.move_to(MONDAY + dt.timedelta(weeks=week, minutes=20))
        for _call in range(2):
            make_call(people.alice, seconds, ago=900)
    assert preview_of(rule, people.ada).count == 0, "the hour is not over"
    clock.move_to(MONDAY + dt.timedelta(weeks=4, hours=1, minutes=4))
    figures.watch()
    assert fired(rule) == [], "its last calls may still run"
    clock.shift(60)
    figures.watch()
    figures.watch()
    [alert] = fired(rule)
    assert (alert.facts["aht"], alert.facts["calls"]) == (600, 2)
    assert preview_of(rule, people.ada).count == 1


def test_no_call_in_working_hours(people, clock):
    hours = {"minutes": 30, "begin": "09:00", "end": "12:00", "weekdays": [0], "each": True}
    rule = rule_of(Kind.NO_CALLS, agent=people.alice, parameters=hours)
    make_call(people.alice, 60, ago=600)  # ended at 9:51
    clock.move_to(MONDAY + dt.timedelta(minutes=20))
    idle.watch()
    assert fired(rule) == []
    clock.move_to(MONDAY + dt.timedelta(minutes=21))
    idle.watch()
    idle.watch()
    [alert] = fired(rule)
    assert (alert.agent, alert.reached_at) == (people.alice, now())
    make_call(people.alice, 10, ago=10)
    idle.watch()
    assert fired(rule)[0].over_at == now()
    clock.move_to(MONDAY + dt.timedelta(hours=3))
    idle.watch()
    assert len(fired(rule)) == 1, "work is over"
    assert preview_of(rule, people.ada).count == 2  # from 9:00, and from 10:21


def missed_call(people, ago, user=None, **fields):
    inbound = {"direction": "inbound", "contact_phone": "8765 4321"}
    call = make_call(user or people.alice, 20, ago=ago, status=timeline.NO_ANSWER, **inbound)
    CallLog.objects.filter(pk=call.pk).update(**fields)
    return call


def test_a_missed_call_that_nobody_calls_back(people, clock):
    rule = rule_of(Kind.MISSED_CALL, parameters={"minutes": 15})
    call = missed_call(people, 919)
    missed.watch()
    assert fired(rule) == []
    clock.shift(1)
    missed.watch()
    missed.watch()
    [alert] = fired(rule)
    assert (alert.call, alert.agent, alert.over_at) == (call, people.alice, None)
    clock.shift(120)
    make_call(people.bob, 60, ago=61, contact_phone="+506 8765-4321")
    missed.watch()
    [alert] = fired(rule)
    assert alert.over_at == now() - dt.timedelta(seconds=61)
    assert preview_of(rule, people.sue).count == 1


def test_a_call_that_was_called_back_or_taken_elsewhere_is_not_missed(people, clock):
    rule = rule_of(Kind.MISSED_CALL, parameters={"minutes": 15})
    missed_call(people, 3000)
    make_call(people.bob, 60, ago=2500, contact_phone="8765 4321")
    ring = missed_call(people, 2000, conversation="queue", is_shared=True)
    taken = make_call(people.bob, 60, ago=2000, direction="inbound", contact_phone="2222 1001")
    CallLog.objects.filter(pk=taken.pk).update(conversation="queue", is_shared=True)
    missed.watch()
    assert fired(rule) == [] and preview_of(rule, people.ada).count == 0, ring


def test_three_phones_that_ring_in_vain_are_one_missed_call(people, clock):
    rule = rule_of(Kind.MISSED_CALL, parameters={"minutes": 15})
    for user in (people.alice, people.bob, people.carol):
        missed_call(people, 2000, user, conversation="queue", is_shared=True)
    missed.watch()
    assert len(fired(rule)) == 1


@pytest.mark.parametrize("kind, field", [("long_call", "seconds"), ("long_wrap_up", "seconds")])
def test_a_preview_counts_the_calls_of_the_last_seven_days(people, kind, field):
    make_call(people.alice, 700, ago=3600)
    make_call(people.alice, 599, ago=7200)
    make_call(people.carol, 700, ago=3600)
    make_call(people.alice, 700, ago=8 * 86400 - 3600)
    rule = Rule(kind=kind, parameters={field: 600}, team=people.red)
    shown = preview_of(rule, people.sue)
    expected = 1 if kind == Kind.LONG_CALL else 0
    assert (shown.count, len(shown.shown)) == (expected, expected)


def test_a_preview_of_holds_reads_the_ledger(people, clock):
    call, _ = services.start_call(people.alice)
    for action, seconds in (("answer", 5), ("hold", 70), ("resume", 5), ("hold", 10)):
        services.step(call.call_id, people.alice, action)
        clock.shift(seconds)
    services.end_call(call.call_id, people.alice)
    rule = Rule(kind=Kind.LONG_HOLD, parameters={"seconds": 60})
    shown = preview_of(rule, people.sue)
    assert (shown.count, shown.shown[0].call) == (1, call)
    assert preview_of(rule, people.sam).shown[0].call is None, "a call that is not his to see"


def test_the_cool_down_holds_back_in_the_preview_too(people):
    for ago in (9000, 8000, 2000):
        make_call(people.alice, 700, ago=ago)
    rule = Rule(kind=Kind.LONG_CALL, parameters={"seconds": 600}, cool_down_seconds=3600)
    assert preview_of(rule, people.ada).count == 2
    assert Alert.objects.count() == 0
