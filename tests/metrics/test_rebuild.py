"""The rebuild and the check of sums, beside calls that end: exact, and in nobody's way."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from calls.models import CallLog, ProviderAccount
from calls.providers.base import ProviderEvent
from calls.telephony import intake
from common.instants import now, to_ms
from metrics.models import DailyMetrics, DailyShape, UserMetrics
from metrics.rollups.daily import totals_of
from metrics.rollups.rebuild import differences, each_difference, rebuild
from tests.support.beside import beside
from tests.support.patience import PATIENCE, await_that
from tests.support.people import make_call, yesterday_noon

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

DAY = 86_400


@contextmanager
def held(person):
    """Somebody's end of a call of `person`, which takes its time, beside."""
    holding, done = threading.Event(), threading.Event()

    def write():
        with transaction.atomic():
            UserMetrics.objects.filter(user=person).update(hold_time=9)
            holding.set()
            assert done.wait(PATIENCE)
            transaction.set_rollback(True)

    with beside(write):
        try:
            assert holding.wait(PATIENCE)
            yield done
        finally:
            done.set()


def days_ago(days):
    """Noon of a day, as seconds ago: from there on no test runs into midnight."""
    return (to_ms(now()) - yesterday_noon()) / 1000 + DAY * (days - 1)


def spoil():
    DailyMetrics.objects.update(ring_time=77)
    DailyShape.objects.update(hour_03=7)
    UserMetrics.objects.update(hold_time=7)


def test_calls_that_end_while_sums_are_checked_and_rebuilt_are_counted_once(live_people):
    people = (live_people.alice, live_people.bob)
    for person in people:
        make_call(person, 60, ago=days_ago(1))
    rounds = 12

    def end_calls():
        for place in range(rounds):
            make_call(people[place % 2], 30, ago=days_ago(1 + place % 3))

    seen = []
    with beside(end_calls) as running:
        while not running.done():
            seen += differences()
    assert seen == []  # none of the ends looked like an error
    with beside(end_calls) as running:
        while not running.done():
            spoil()
            rebuild()
    rebuild()
    assert differences() == []
    assert [totals_of(person.pk).calls_made for person in people] == [rounds + 1] * 2


def test_who_ends_a_call_is_left_to_the_end_and_nobody_else_waits(live_people):
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has one writer at a time")
    alice, bob = live_people.alice, live_people.bob
    for person in (alice, bob):
        make_call(person, 60, ago=days_ago(1))
    spoil()
    with held(alice) as done, beside(rebuild) as running:
        try:
            await_that(lambda: DailyMetrics.objects.get(user=bob).ring_time != 77)
            make_call(bob, 30, ago=days_ago(1))
            assert not running.done()
        finally:
            done.set()
    assert differences() == []
    assert totals_of(bob.pk).calls_made == 2


def test_where_all_is_right_neither_waits_for_a_writer(live_people):
    make_call(live_people.alice, 60)
    with held(live_people.alice):
        assert differences() == []
        assert rebuild() == 1


def test_a_day_is_compared_and_written_at_a_time(live_people):
    for ago in range(1, 6):
        make_call(live_people.alice, 60, ago=days_ago(ago))
    spoil()
    with CaptureQueriesContext(connection) as first:
        found = each_difference()
        assert next(found).stored.ring_time == 77
    with CaptureQueriesContext(connection) as rest:
        assert len(list(found)) == 10  # the others of five days, a sum and a shape each; the total
    assert len(rest) > 3 * len(first)
    assert rebuild() == 5
    assert differences() == []


def test_a_person_without_any_sums_yet_gets_all(live_people):
    make_call(live_people.alice, 60)
    for model in (DailyMetrics, DailyShape, UserMetrics):
        model.objects.all().delete()
    assert rebuild() == 1
    assert differences() == []
    assert totals_of(live_people.alice.pk).calls_made == 1


def test_a_call_without_an_agent_is_in_no_sum(live_people):
    pbx = ProviderAccount.objects.create(kind="generic", name="pbx")
    make_call(live_people.alice, 60, ago=days_ago(1))
    began = yesterday_noon()
    events = [
        ProviderEvent("started", "c", began),
        ProviderEvent("answered", "c", began + 1),
        ProviderEvent("ended", "c", began + 60_000),
    ]
    intake.record(pbx, events, received=now())
    call = CallLog.objects.unassigned().get()
    assert call.end_time is not None
    assert differences() == []
    assert rebuild() == 1
    assert DailyShape.objects.get().user == live_people.alice
