"""The client against the real server: what a program says is what the server has."""

import datetime as dt
import time
from itertools import pairwise
from pathlib import Path

import pytest
from call_tracking import CallTracker, Problem
from django.core.management import call_command

from accounts.models import ApiKey
from calls.models import CallLog
from metrics.models import UserMetrics
from tests.client import Program, await_that
from tests.people import key_of
from tests.server import Server, free_port

pytestmark = pytest.mark.server


@pytest.fixture
def journal(tmp_path) -> Path:
    return tmp_path / "calls.sqlite3"


@pytest.fixture
def tracker(live_people, server, journal):
    with CallTracker(server.url, key_of(live_people.alice), journal=journal) as tracker:
        yield tracker


def length_ms(call: CallLog) -> int:
    return round((call.end_time - call.start_time).total_seconds() * 1000)


def test_three_lines(tracker):
    call_id = tracker.start_call(contact_phone="+506 8888 7777")
    result = tracker.end_call("COMPLETED", notes="Will call back")
    call = CallLog.objects.get()
    assert (str(call.call_id), call.phone_e164, call.notes) == (
        call_id,
        "+50688887777",
        "Will call back",
    )
    assert result == {
        "call_id": call_id,
        "status": "COMPLETED",
        "duration_seconds": call.duration_seconds,
        "new_average": 0,
        "calls_made": 1,
        "calls_success": 1,
        "total_talk_time": 0,
        "confirmed": True,
    }


def test_every_step_is_told_at_its_instant(tracker):
    tracker.start_call("c_1", direction="inbound")
    for wait, step in [
        (0.10, tracker.answer),
        (0.05, tracker.hold),
        (0.20, tracker.resume),
        (0.05, tracker.pause),
        (0.30, tracker.resume),
    ]:
        time.sleep(wait)
        step()
        step()  # saying it twice is saying it once
    tracker.end_call()
    call = CallLog.objects.get()
    events = list(call.events.order_by("occurred_at", "pk").values_list("kind", "occurred_at"))
    kinds = ["started", "answered", "held", "resumed", "paused", "unpaused", "ended"]
    assert [kind for kind, _ in events] == kinds
    gaps = [(b[1] - a[1]).total_seconds() for a, b in pairwise(events)]
    assert gaps[:5] == pytest.approx([0.10, 0.05, 0.20, 0.05, 0.30], abs=0.05)
    assert call.direction == "inbound" and call.paused_ms == pytest.approx(300, abs=50)
    [mine] = tracker.get_session_history()
    assert mine["duration_seconds"] == call.duration_seconds


def test_the_block_ends_its_call(tracker):
    with tracker.call(phone_number="8888 7777") as done:
        pass
    with pytest.raises(ZeroDivisionError), tracker.call() as failed:
        raise ZeroDivisionError
    with tracker.call() as unanswered:
        tracker.end_call("NO_ANSWER")
    tracker.flush()
    statuses = {str(call.call_id): call.status for call in CallLog.objects.all()}
    assert statuses == {
        done.call_id: "COMPLETED",
        failed.call_id: "FAILED",
        unanswered.call_id: "NO_ANSWER",
    }


def test_offline_calls_arrive_with_their_own_times(live_people, journal):
    server = Server()
    with CallTracker(server.url, key_of(live_people.alice), journal=journal) as tracker:
        begun = time.time()
        tracker.start_call(contact_phone="8888 7777")
        started = time.time()
        assert started - begun < 0.5
        time.sleep(1.1)
        result = tracker.end_call("DROPPED")
        assert time.time() - begun < 2
        assert (result["duration_seconds"], result["calls_made"]) == (1, 1)
        assert (result["total_talk_time"], result["confirmed"]) == (1, False)
        assert tracker.pending == 2
        server.start()
        try:
            await_that(lambda: tracker.pending == 0)
        finally:
            server.kill()
    call = CallLog.objects.get()
    assert begun - 0.2 < call.start_time.timestamp() < started + 0.2
    assert (call.status, call.duration_seconds) == ("DROPPED", 1)
    assert tracker.get_metrics()["total_duration"] == 1


KILLED = """
import sys, time
from call_tracking import CallTracker
tracker = CallTracker(sys.argv[1], sys.argv[2], journal=sys.argv[3])
print(tracker.start_call(contact_phone="8888 7777"), flush=True)
tracker.flush()
print("told", flush=True)
time.sleep(600)
"""


@pytest.fixture
def killed(live_people, server, journal) -> tuple[str, float]:
    """A program that was killed in mid-call: the call's id, and when it began (monotonic)."""
    key = key_of(live_people.alice)
    program = Program(KILLED, server.url, key, journal)
    call_id, begun = program.line(), time.monotonic()
    assert program.line() == "told"
    time.sleep(2.2)
    program.kill()
    return call_id, begun


def test_a_killed_programs_call_ends_at_its_last_sign_of_life(live_people, server, journal, killed):
    call_id, begun = killed
    ran = time.monotonic() - begun
    time.sleep(1)
    with CallTracker(server.url, key_of(live_people.alice), journal=journal) as tracker:
        assert tracker.flush()
    call = CallLog.objects.get()
    assert (str(call.call_id), call.status) == (call_id, "DROPPED")
    assert ran - 1.3 < length_ms(call) / 1000 <= ran


def test_a_killed_programs_call_goes_on(live_people, server, journal, killed):
    call_id, begun = killed
    key = key_of(live_people.alice)
    with CallTracker(server.url, key, journal=journal, unfinished="keep") as tracker:
        [left] = tracker.unfinished_calls()
        assert (left.call_id, left.contact_phone) == (call_id, "8888 7777")
        tracker.resume_call(call_id)
        assert tracker.unfinished_calls() == []
        ran = time.monotonic() - begun
        assert tracker.get_current_duration() == int(ran)
        assert tracker.end_call()["confirmed"]
        with pytest.raises(LookupError):
            tracker.resume_call(call_id)
    call = CallLog.objects.get()
    assert call.status == "COMPLETED"
    assert length_ms(call) / 1000 == pytest.approx(ran, abs=0.2)


def test_another_running_programs_call_is_left_alone(live_people, server, journal):
    key = key_of(live_people.alice)
    program = Program(KILLED, server.url, key, journal)
    call_id = program.line()
    with CallTracker(server.url, key, journal=journal, unfinished="keep") as tracker:
        assert tracker.unfinished_calls() == []
        with pytest.raises(LookupError):
            tracker.resume_call(call_id)
        program.kill()
        tracker.close_call(call_id, "FAILED", "the phone died")
        assert tracker.flush()
    call = CallLog.objects.get()
    assert (call.status, call.notes) == ("FAILED", "the phone died")


def test_a_program_that_ends_in_mid_call_drops_it(live_people, server, journal):
    source = KILLED.replace("time.sleep(600)", "")
    code, _ = Program(source, server.url, key_of(live_people.alice), journal).finish()
    assert (code, CallLog.objects.get().status) == (0, "DROPPED")


def test_a_wrong_key_is_reported_and_nothing_is_lost(live_people, server, journal):
    problems: list[Problem] = []
    with CallTracker(server.url, "cm_wrong", journal=journal, on_error=problems.append) as tracker:
        call_id = tracker.start_call()
        tracker.pause()
        tracker.end_call()
        await_that(lambda: tracker.pending == 0)
        letters = tracker.dead_letters()
    assert {(problem.call_id, problem.code) for problem in problems} == {(call_id, 401)}
    assert [(letter.kind, letter.code) for letter in letters] == [
        ("start", 401),
        ("pause", 401),
        ("end", 401),
    ]
    right = key_of(live_people.alice)
    with CallTracker(server.url, right, journal=journal) as tracker:
        assert (tracker.retry_dead_letters(), tracker.flush()) == (3, True)
        assert tracker.dead_letters() == []
    assert str(CallLog.objects.get().call_id) == call_id


def test_a_refused_event_does_not_stop_the_next(live_people, server, journal, tracker):
    first = tracker.start_call()
    tracker.end_call()
    other = CallTracker(server.url, key_of(live_people.bob), journal=journal.with_name("bob"))
    tracker.start_call()
    assert tracker.flush()
    ApiKey.objects.filter(owner=live_people.alice).update(revoked_at=dt.datetime.now(dt.UTC))
    assert tracker.end_call()["confirmed"] is False
    assert [letter.kind for letter in tracker.dead_letters()] == ["end"]
    with other:
        other.start_call()
        assert other.end_call()["confirmed"] is True
    assert CallLog.objects.get(call_id=first).status == "COMPLETED"


def test_too_many_requests_are_waited_for(live_people, journal):
    server = Server(API_RATE_LIMIT="3/s").start()
    problems: list[Problem] = []
    key = key_of(live_people.alice)
    try:
        with CallTracker(server.url, key, journal=journal, on_error=problems.append) as tracker:
            for _ in range(4):
                tracker.start_call()
                tracker.end_call(wait=0)
            await_that(lambda: tracker.pending == 0)
            assert tracker.dead_letters() == []
    finally:
        server.kill()
    assert any("Too many requests" in problem.message for problem in problems)
    assert not any(problem.permanent for problem in problems)
    assert CallLog.objects.filter(status="COMPLETED").count() == 4


WRONG_CLOCK = """
import sys, time
ahead = float(sys.argv[4])
time_ns, wall = time.time_ns, time.time
time.time_ns = lambda: time_ns() + int(ahead * 1e9)
time.time = lambda: wall() + ahead
from call_tracking import CallTracker
with CallTracker(sys.argv[1], sys.argv[2], journal=sys.argv[3]) as tracker:
    for _ in range(2):
        tracker.start_call()
        time.sleep(1.05)
        print(tracker.end_call()["confirmed"])
"""


@pytest.mark.parametrize("ahead", [3600, -90 * 86400], ids=["an hour fast", "a quarter slow"])
def test_a_wrong_clock_changes_nothing(live_people, server, journal, ahead):
    begun = time.time()
    program = Program(WRONG_CLOCK, server.url, key_of(live_people.alice), journal, ahead)
    assert program.finish() == (0, "True\nTrue\n")
    for call in CallLog.objects.all():
        assert call.duration_seconds == 1
        assert begun <= call.start_time.timestamp() <= time.time()


def test_pauses_count_though_the_watch_has_closed_the_call(live_people, journal, settings):
    """The network went away in mid-call; the server gave the call up; then the facts arrive."""
    port = free_port()
    server = Server(port).start()
    with CallTracker(server.url, key_of(live_people.alice), journal=journal) as tracker:
        tracker.start_call()
        assert tracker.flush()
        server.kill()
        settings.STALE_CALL_SECONDS = 0
        time.sleep(0.05)
        call_command("close_stale_calls")
        assert CallLog.objects.get().evidence == "E"
        tracker.pause()
        time.sleep(0.5)
        tracker.resume()
        tracker.end_call()
        server.start()
        try:
            await_that(lambda: tracker.pending == 0)
        finally:
            server.kill()
        assert tracker.dead_letters() == []
    call = CallLog.objects.get()
    assert (call.status, call.evidence) == ("COMPLETED", "C")
    assert call.paused_ms == pytest.approx(500, abs=50)
    assert UserMetrics.objects.get(user=live_people.alice).calls_made == 1


def test_two_programs_share_one_journal(live_people, server, journal):
    key = key_of(live_people.alice)
    first = CallTracker(server.url, key, journal=journal)
    second = CallTracker(server.url, key, journal=journal)
    ids = {tracker.start_call() for tracker in (first, second) for _ in range(5)}
    for tracker in (first, second) * 5:
        assert tracker.end_call()["confirmed"]
    first.close()
    second.close()
    assert {str(call.call_id) for call in CallLog.objects.ended()} == ids
