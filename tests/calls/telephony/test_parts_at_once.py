"""Two write of one conversation at once, each before the other has committed: neither is missed.

The order is forced: one transaction is held open until the other writer has done all it can, or is
seen to wait for it.
"""

import datetime as dt
import threading
from contextlib import contextmanager

import pytest
from django.db import connection

from calls import services
from calls.models import CallLog
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime, wrap_up
from calls.telephony import assignment, intake
from common.instants import from_ms, local_day, now, to_ms
from metrics.rollups.daily import sums_of
from metrics.rollups.rebuild import differences
from tests.support.beside import beside
from tests.support.patience import PATIENCE, await_that
from tests.support.people import make_pbx, yesterday_noon

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

NUMBER = "+50651234567"
SECOND = dt.timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _several_writers():
    if not connection.features.has_select_for_update:
        pytest.skip("SQLite has one writer at a time")


@pytest.fixture
def pbx(live_people):
    return make_pbx(live_people, "generic")


class Hold:
    """Holds a writer up once, within its transaction, until it is let go."""

    def __init__(self):
        self.holding, self._go = threading.Event(), threading.Event()

    def __call__(self):
        self.holding.set()
        assert self._go.wait(PATIENCE)

    def let_go(self):
        self._go.set()


@contextmanager
def held_up(job):
    """`job`, which takes a Hold, beside: held up when this begins, let go when it ends."""
    hold = Hold()
    with beside(lambda: job(hold)):
        try:
            assert hold.holding.wait(PATIENCE)
            yield hold
        finally:
            hold.let_go()


@contextmanager
def held_up_before(statement, hold):
    """Has this thread's connection wait before it carries out `statement`."""

    def pause(execute, sql, params, many, context):
        if sql.startswith(statement):
            hold()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(pause):
        yield


def somebody_waits():
    """Whether a connection to this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]


def part(call, agent, number=None, **more):
    """A call of 30 s of `agent`, as its phone system tells it, in the conversation `talk`."""
    begun = yesterday_noon()
    told = {"conversation": "talk", "conversation_sequence": number, "agents": (agent,), **more}
    return [
        ProviderEvent("started", call, begun, direction="outbound", number=NUMBER, **told),
        ProviderEvent("ended", call, begun + 30_000, data={"status": "COMPLETED"}, **told),
    ]


def shared():
    return set(CallLog.objects.filter(is_shared=True).values_list("provider_call_id", flat=True))


def test_two_parts_that_are_made_at_once_are_one_call(live_people, pbx):
    def make(hold):
        intake.record(pbx, part("a", "1001"), received=now(), with_last=hold)

    with held_up(make):
        intake.record(pbx, part("b", "1002"), received=now())
    assert shared() == {"a", "b"}
    day = local_day(from_ms(yesterday_noon()))
    assert sums_of([live_people.alice.pk, live_people.bob.pk], day, day).calls_made == 1
    assert differences() == []


def test_parts_that_join_each_others_conversation_at_once_wait_in_no_circle(live_people, pbx):
    """Each holds its own part while it is told of the other's conversation."""
    for call, agent, own in (("a", "1001", "first"), ("b", "1002", "second")):
        intake.record(pbx, part(call, agent, conversation=own), received=now())

    def join(call, own, other, hold):
        said = ProviderEvent("noted", call, 1, conversation=own, data={"joined": other})
        with held_up_before('INSERT INTO "calls_callevent"', hold):
            intake.record(pbx, [said], received=now())

    with (
        held_up(lambda hold: join("a", "first", "second", hold)) as one,
        held_up(lambda hold: join("b", "second", "first", hold)) as other,
    ):
        one.let_go()
        other.let_go()
    assert set(CallLog.objects.values_list("conversation", flat=True)) == {"first", "second"}


def while_it_becomes_one_with_its_click(heard, agent, actor, job):
    """Runs `job` until it waits for `heard`, which becomes one with a click of `agent`."""

    def join(hold):
        with held_up_before('INSERT INTO "calls_callalias"', hold):
            assignment.assign(heard, agent, actor)

    with held_up(join) as hold, beside(job) as running:
        await_that(somebody_waits)
        assert not running.done()
        hold.let_go()


@pytest.fixture
def heard(live_people, pbx):
    """A call of nobody known, of whose conversation the second number has not come, and the click
    that asked for it."""
    one, two = part("a", "1999", 1)[0], part("a", "1999", 3)[1]
    intake.record(pbx, [one, two], received=now())
    at = ReportedTime(from_ms(yesterday_noon()), explicit=True)
    services.start_call(live_people.carol, contact_phone=NUMBER, reported=at)
    return CallLog.objects.get(provider_call_id="a")


def test_a_part_that_is_made_while_another_becomes_one_with_its_click(live_people, pbx, heard):
    def make():
        intake.record(pbx, part("b", "1002"), received=now())

    while_it_becomes_one_with_its_click(heard, live_people.carol, live_people.ada, make)
    assert shared() == {"a", "b"}
    assert differences() == []


def test_a_number_that_is_told_while_a_part_becomes_one_with_its_click(live_people, pbx, heard):
    number = ProviderEvent(
        "noted", "", yesterday_noon() + 9, conversation="talk", conversation_sequence=2
    )
    assert heard.lacks == ["answer", "events"]
    while_it_becomes_one_with_its_click(
        *(heard, live_people.carol, live_people.ada),
        lambda: intake.record(pbx, [number], received=now()),
    )
    assert CallLog.objects.get().lacks == ["answer"]


def test_what_is_said_of_a_call_while_it_becomes_one_with_its_click(live_people, pbx, heard):
    gap = ProviderEvent("noted", "a", 1, data={"gap": [yesterday_noon(), yesterday_noon() + 9]})
    while_it_becomes_one_with_its_click(
        *(heard, live_people.carol, live_people.ada),
        lambda: intake.record(pbx, [gap], received=now()),
    )
    assert "gap" in CallLog.objects.get().lacks


def test_what_somebody_writes_of_a_call_while_it_becomes_one_with_its_click(live_people, heard):
    while_it_becomes_one_with_its_click(
        *(heard, live_people.carol, live_people.ada),
        lambda: services.add_note(heard, live_people.ada, "Calls back on Monday"),
    )
    assert CallLog.objects.get().notes == "Calls back on Monday"


def test_a_click_that_is_dialled_stays_linked_to_what_was_dialled(live_people, pbx):
    """Its phone system reports another call to the number while it answers with its id."""
    click, _ = services.start_call(live_people.alice, contact_phone=NUMBER)
    more = {"agents": ("1001",), "number": NUMBER, "direction": "outbound"}
    other = ProviderEvent("started", "other", to_ms(click.start_time), **more)

    def expect(hold):
        with held_up_before('UPDATE "calls_calllog"', hold):
            intake.expect(click, pbx, "dialled")

    with held_up(expect) as hold:
        with beside(lambda: intake.record(pbx, [other], received=now())):
            await_that(somebody_waits)
            hold.let_go()
    click.refresh_from_db()
    assert click.provider_call_id == "dialled"
    assert CallLog.objects.get(provider_call_id="other").user == live_people.alice


def test_the_work_after_a_call_that_ends_as_another_begins_is_over_soon(live_people):
    """Neither the end nor the start sees the other's call; the worker does."""
    call, _ = services.start_call(live_people.alice)

    def end(hold):
        with held_up_before('INSERT INTO "calls_callevent"', hold):
            services.end_call(call.call_id, live_people.alice, wrap_up=True)

    with held_up(end):
        other, _ = services.start_call(live_people.alice)
    call.refresh_from_db()
    assert call.wrap_up_since is not None
    assert wrap_up.close_wrap_ups() == 1
    call.refresh_from_db()
    assert call.wrap_up_since is None
    assert call.wrap_up_seconds == max(0, (other.start_time - call.end_time) // SECOND)
    assert wrap_up.close_wrap_ups() == 0
