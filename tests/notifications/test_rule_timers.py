"""Timers of what runs: they fire once, on the limit, and never for what is not so."""

import datetime as dt

import pytest
import time_machine

from calls import services
from calls.services import ReportedTime, wrap_up
from common.instants import now
from notifications.models import Alert, Notification, Rule
from notifications.models.rules import Kind
from notifications.rules import timers
from notifications.rules.preview import preview_of
from tests.support.people import make_call

pytestmark = pytest.mark.engines
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def running(people):
    """Alice's call, which has run for 601 seconds by its ledger."""
    begun = now() - 601 * SECOND
    call, _ = services.start_call(people.alice, reported=ReportedTime(begun, explicit=True))
    return call


def alerts(kind=Kind.LONG_CALL):
    return list(Alert.objects.filter(kind=kind).order_by("pk"))


def told(alert):
    return set(Notification.objects.filter(alert=alert).values_list("person__username", flat=True))


def test_the_reminder_of_a_new_installation_is_on_and_reminds_the_agent_once(people, running):
    timers.watch()
    timers.watch()
    [alert] = alerts()
    assert (alert.agent, alert.call) == (people.alice, running)
    assert alert.reached_at == running.start_time + 600 * SECOND
    assert told(alert) == {"alice"}


def test_the_preview_counts_what_lasts_and_has_fired(people, running):
    timers.watch()
    [alert] = alerts()
    shown = preview_of(alert.rule, people.ada)
    assert (shown.count, shown.shown[0].reached_at) == (1, alert.reached_at)
    services.end_call(running.call_id, people.alice)
    assert preview_of(alert.rule, people.ada).count == 1


def test_a_limit_is_reached_on_the_second(running):
    timers.watch(running.start_time + 600 * SECOND - dt.timedelta(milliseconds=1))
    assert alerts() == []
    timers.watch(running.start_time + 600 * SECOND)
    assert len(alerts()) == 1


def test_twice_as_long_is_told_to_the_supervisor_of_the_team_alone(people, running):
    timers.watch(running.start_time + 1200 * SECOND)
    first, second = alerts()
    assert {frozenset(told(first)), frozenset(told(second))} == {
        frozenset({"alice"}),
        frozenset({"sue"}),
    }


def test_the_limit_follows_the_setting_until_somebody_writes_another(settings, running):
    settings.LONG_CALL_SECONDS = 700
    timers.watch()
    assert alerts() == []
    Rule.objects.filter(standard="long_call").update(parameters={"seconds": 601})
    timers.watch()
    assert len(alerts()) == 1


def test_a_pause_stops_the_timer_as_the_page_shows_it(people):
    with time_machine.travel(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC), tick=False) as clock:
        call, _ = services.start_call(people.alice)
        clock.shift(300)
        services.step(call.call_id, people.alice, "pause")
        clock.shift(400)
        timers.watch()
        assert alerts() == []
        services.step(call.call_id, people.alice, "unpause")
        clock.shift(299)
        timers.watch()
        assert alerts() == []
        clock.shift(1)
        timers.watch()
        [alert] = alerts()
        assert alert.reached_at == now()


def test_a_call_that_ended_before_its_limit_never_fires(people):
    make_call(people.alice, 599, ago=2000)
    timers.watch()
    assert alerts() == []


def test_a_call_that_ended_since_it_was_found_does_not_fire(people, running, monkeypatch):
    """The end comes between the look and the alert: the locked call is looked at once more."""
    found = timers._RUNNING.values()
    services.end_call(running.call_id, people.alice)
    monkeypatch.setattr(timers._RUNNING, "values", lambda: found)
    timers.watch()
    assert alerts() == []


def test_an_alert_is_over_when_its_call_ends(people, running):
    timers.watch()
    timers.end_what_is_over()
    assert alerts()[0].over_at is None
    ended = services.end_call(running.call_id, people.alice)
    timers.end_what_is_over()
    assert alerts()[0].over_at == ended.end_time


def test_each_long_hold_fires_once_and_is_over_when_it_ends(people):
    Rule.objects.create(kind=Kind.LONG_HOLD, parameters={"seconds": 60}, tell_supervisors=True)
    with time_machine.travel(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC), tick=False) as clock:
        call, _ = services.start_call(people.alice)
        services.step(call.call_id, people.alice, "answer")
        for _hold in range(2):
            clock.shift(10)
            services.step(call.call_id, people.alice, "hold")
            clock.shift(59)
            timers.watch()
            assert all(alert.over_at for alert in alerts(Kind.LONG_HOLD))
            clock.shift(1)
            timers.watch()
            timers.watch()
            services.step(call.call_id, people.alice, "resume")
            timers.end_what_is_over()
    assert len(alerts(Kind.LONG_HOLD)) == 2
    assert told(alerts(Kind.LONG_HOLD)[0]) == {"sue"}


def test_a_long_wrap_up_is_told_while_it_lasts(people):
    Rule.objects.create(kind=Kind.LONG_WRAP_UP, parameters={"seconds": 30}, tell_agent=True)
    with time_machine.travel(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC), tick=False) as clock:
        call, _ = services.start_call(people.alice)
        clock.shift(60)
        services.end_call(call.call_id, people.alice, wrap_up=True)
        clock.shift(30)
        timers.watch()
        [alert] = alerts(Kind.LONG_WRAP_UP)
        wrap_up.ready(call.call_id, people.alice)
        timers.end_what_is_over()
        alert.refresh_from_db()
        assert alert.over_at == now()


@pytest.mark.parametrize("scope, fires", [("red", 1), ("blue", 0), ("alice", 1), ("bob", 0)])
def test_a_rule_is_about_its_team_or_agent_alone(people, running, scope, fires):
    Rule.objects.all().delete()
    whom = getattr(people, scope)
    of = {"team": whom} if scope in ("red", "blue") else {"agent": whom}
    Rule.objects.create(kind=Kind.LONG_CALL, parameters={"seconds": 60}, tell_agent=True, **of)
    timers.watch()
    assert len(alerts()) == fires


def test_a_rule_that_is_off_and_one_that_is_quiet(people, running):
    Rule.objects.filter(standard="long_call").update(enabled=False)
    timers.watch()
    assert alerts() == []
    Rule.objects.filter(standard="long_call").update(
        enabled=True, snoozed_until=now() + dt.timedelta(hours=1)
    )
    timers.watch()
    [alert] = alerts()
    assert alert.quiet and told(alert) == set()


def test_within_the_cool_down_an_agent_is_not_told_again(people):
    Rule.objects.exclude(standard="long_call").delete()
    Rule.objects.update(cool_down_seconds=3600)
    with time_machine.travel(dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC), tick=False) as clock:
        for _hour in range(2):
            for user in (people.alice, people.bob):
                services.start_call(user)
            clock.shift(700)
            timers.watch()
        assert len(alerts()) == 2
        clock.shift(3600)
        timers.watch()
        assert len(alerts()) == 4, "what still lasts is told once the cool-down is over"


def test_nothing_runs_costs_one_statement(people, django_assert_num_queries):
    make_call(people.alice)
    with django_assert_num_queries(1):
        timers.watch()
