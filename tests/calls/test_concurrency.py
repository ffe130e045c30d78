"""Many at once, on real threads with their own connections: one call, counted once."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from calls import services
from calls.errors import CallConflict, CallError
from calls.models import CallEvent, CallLog, ProviderAccount, ProviderIdentity
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime
from calls.telephony import intake
from common.instants import day_start, now, to_ms, today
from metrics.rollups.daily import totals_of
from metrics.rollups.rebuild import differences
from tests.support.patience import PATIENCE
from tests.support.people import make_call
from upkeep.verification import Run, Wanted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

BEGUN = to_ms(day_start(today()) - dt.timedelta(hours=12))


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Runs the jobs on threads that begin together; results or CallErrors in their order."""
    barrier = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(index: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE)
            results[index] = jobs[index]()
        except Exception as error:
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    unexpected = [r for r in results if isinstance(r, Exception) and not isinstance(r, CallError)]
    assert unexpected == []
    return results


def running_call(user, seconds=60):
    begun = now() - dt.timedelta(seconds=seconds)
    return services.start_call(user, reported=ReportedTime(begun, explicit=True))[0]


def ended_after(call: CallLog, seconds: int) -> ReportedTime:
    return ReportedTime(call.start_time + dt.timedelta(seconds=seconds), explicit=True)


def test_a_start_sent_eight_times_at_once_is_one_call(live_people):
    call_id = uuid.uuid4()
    results = at_once(
        *[lambda: services.start_call(live_people.alice, call_id=call_id) for _ in range(8)]
    )
    assert sorted(made for _, made in results) == [False] * 7 + [True]
    assert (CallLog.objects.count(), CallEvent.objects.count()) == (1, 1)


def test_a_click_and_its_phone_system_at_once_are_one_call(live_people):
    pbx = ProviderAccount.objects.create(kind="generic", name="pbx")
    ProviderIdentity.objects.create(account=pbx, identity="1001", user=live_people.alice)
    for number in range(6):
        phone = f"+5065123456{number}"
        begun = now()
        event = {"agents": ("1001",), "number": phone, "direction": "outbound"}
        events = [
            ProviderEvent("started", f"c{number}", to_ms(begun), **event),
            ProviderEvent("answered", f"c{number}", to_ms(begun) + 1, **event),
        ]
        at_once(
            lambda: services.start_call(live_people.alice, contact_phone=phone),
            *[lambda one=one: intake.record(pbx, [one], received=begun) for one in events * 2],
        )
        call = CallLog.objects.get(phone_e164=phone)
        assert (call.provider_call_id, call.events.count()) == (f"c{number}", 3)
    assert CallLog.objects.count() == 6


def test_numbers_and_the_parts_they_count_for_at_once(live_people):
    """Whichever is first, every part ends up with every number."""
    pbx = ProviderAccount.objects.create(kind="ringcentral", name="pbx")
    ProviderIdentity.objects.create(account=pbx, identity="1001", user=live_people.alice)
    ProviderIdentity.objects.create(account=pbx, identity="1002", user=live_people.bob)

    def message(talk, number, *parts):
        numbered = {"at": BEGUN + number, "conversation": talk, "conversation_sequence": number}
        remark = ProviderEvent("noted", "", **numbered)
        ended = {"status": "NO_ANSWER"}
        return [
            *(
                ProviderEvent(kind, f"{talk}:{agent}", agents=(agent,), data=ended, **numbered)
                for kind, agent in parts
            ),
            remark,
        ]

    for talk in ("t1", "t2", "t3", "t4", "t5", "t6"):
        messages = [
            *(message(talk, 2, ("started", "1001")), message(talk, 3)),
            *(message(talk, 4, ("started", "1002")), message(talk, 5)),
            message(talk, 6, ("ended", "1001"), ("ended", "1002")),
        ]
        at_once(*[lambda one=one: intake.record(pbx, one, received=now()) for one in messages])
        one, two = CallLog.objects.filter(conversation=talk)
        for part in (one, two):
            numbers = part.events.values_list("data__conversation_seq", flat=True)
            assert sorted(numbers) == [2, 3, 4, 5, 6]
            assert (part.status, part.lacks) == ("NO_ANSWER", [])
    assert differences() == []


def test_two_ends_at_once_count_once(live_people):
    for _ in range(5):
        call = running_call(live_people.alice)
        results = at_once(
            *[lambda: services.end_call(call.call_id, live_people.alice) for _ in range(4)]
        )
        assert len({result.duration_seconds for result in results}) == 1
        assert call.events.filter(kind="ended").count() == 1
    assert totals_of(live_people.alice.pk).calls_made == 5
    assert differences() == []


def test_of_two_ends_with_different_statuses_one_wins(live_people):
    for _ in range(5):
        call = running_call(live_people.alice)
        results = at_once(
            lambda: services.end_call(call.call_id, live_people.alice, status="COMPLETED"),
            lambda: services.end_call(call.call_id, live_people.alice, status="DROPPED"),
        )
        assert [isinstance(result, CallConflict) for result in results].count(True) == 1
    assert totals_of(live_people.alice.pk).calls_made == 5
    assert differences() == []


def test_an_end_racing_a_correction(live_people):
    """Whichever is first: the corrected status stands, the call counts once."""
    for _ in range(5):
        call = running_call(live_people.alice)
        services.end_call(call.call_id, live_people.alice)
        at_once(
            lambda: services.end_call(call.call_id, live_people.alice),
            lambda: services.correct_call(call, live_people.ada, reason="r", status="NO_ANSWER"),
        )
        call.refresh_from_db()
        assert call.status == "NO_ANSWER"
    sums = totals_of(live_people.alice.pk)
    assert (sums.calls_made, sums.calls_no_answer) == (5, 5)
    assert differences() == []


def test_an_end_racing_the_watchdog_is_the_truth(live_people):
    call = running_call(live_people.alice, 1000)
    at_once(
        services.close_stale_calls,
        lambda: services.end_call(
            call.call_id, live_people.alice, reported=ended_after(call, 1000)
        ),
    )
    call.refresh_from_db()
    assert (call.status, call.evidence, call.duration_seconds) == ("COMPLETED", "C", 1000)
    assert differences() == []


def test_one_agents_calls_ending_at_once_are_all_counted(live_people):
    calls = [running_call(live_people.alice) for _ in range(8)]
    at_once(
        *[
            lambda call=call: services.end_call(
                call.call_id, live_people.alice, reported=ended_after(call, 60)
            )
            for call in calls
        ]
    )
    sums = totals_of(live_people.alice.pk)
    assert (sums.calls_made, sums.total_talk_time) == (8, 8 * 60)
    assert differences() == []


def test_ends_corrections_and_deletions_of_many_agents_at_once(live_people):
    users = [live_people.alice, live_people.bob, live_people.carol]
    for user in users:
        make_call(user, 30)
    old = {user.pk: CallLog.objects.get(user=user) for user in users}
    calls = {user.pk: running_call(user) for user in users}
    jobs = []
    for user in users:
        jobs.append(lambda user=user: services.end_call(calls[user.pk].call_id, user))
        jobs.append(
            lambda user=user: services.correct_call(
                old[user.pk], live_people.ada, reason="r", status="FAILED"
            )
        )
    jobs.append(lambda: make_call(live_people.alice, 10))
    jobs.append(lambda: CallLog.objects.filter(pk=old[live_people.bob.pk].pk).delete())
    at_once(*jobs)
    assert differences() == []
    assert totals_of(live_people.alice.pk).calls_made == 3


def test_steps_at_once_open_one_hold(live_people):
    call = running_call(live_people.alice)
    at_once(*[lambda: services.step(call.call_id, live_people.alice, "hold") for _ in range(6)])
    assert call.events.filter(kind="held").count() == 1


def test_a_phone_that_rings_and_its_answer_at_once(live_people):
    """Whichever is first, the call that is made has both, and a phone in vain has none."""
    pbx = ProviderAccount.objects.create(kind="ringcentral", name="pbx")
    ProviderIdentity.objects.create(account=pbx, identity="1001", user=live_people.alice)
    for number in range(6):

        def fact(kind, at, call=f"s:{number}", **more):
            return ProviderEvent(kind, call, BEGUN + at, agents=("1001",), **more)

        messages = [
            [fact("started", 0, tentative=True)],
            [fact("ringing", 1, tentative=True)],
            [fact("answered", 9_000)],
            [fact("ended", 9_000, f"vain:{number}", tentative=True)],
        ]
        at_once(*[lambda one=one: intake.record(pbx, one, received=now()) for one in messages])
        call = CallLog.objects.get(provider_call_id=f"s:{number}")
        assert (call.ring_seconds, call.events.count()) == (9, 3)
    assert CallLog.objects.count() == 6


def test_the_turns_of_one_person_at_once(live_people):
    pbx = ProviderAccount.objects.create(kind="generic", name="pbx")
    ProviderIdentity.objects.create(account=pbx, identity="1001", user=live_people.alice)
    for number in range(6):
        facts = [
            *(("started", 0, {"turn": True}), ("ended", 60_000, {"status": "COMPLETED"})),
            *(("started", 90_000, {"turn": True}), ("ended", 120_000, {"status": "COMPLETED"})),
        ]
        events = [
            ProviderEvent(kind, f"c{number}", BEGUN + at, agents=("1001",), data=data)
            for kind, at, data in facts
        ]
        at_once(*[lambda one=one: intake.record(pbx, [one], received=now()) for one in events])
        parts = CallLog.objects.filter(conversation=f"c{number}").order_by("start_time")
        assert [part.duration_seconds for part in parts] == [60, 30]
    assert differences() == []


def test_lines_that_come_at_once_are_one_chain(people, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    call = make_call(people.alice)

    def note(text):
        return lambda: services.add_note(call, people.alice, text)

    at_once(*(note(str(number)) for number in range(8)))
    places = call.events.order_by("pk").values_list("place", flat=True)
    assert list(places) == list(range(1, 11))
    assert list(Run(Wanted()).faults()) == []
