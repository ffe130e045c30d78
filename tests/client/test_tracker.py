"""The client against the real server: what a program says is what the server has."""

import re
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from call_tracking import CallTracker, Problem
from callmanager_track.end_words import END_WORDS
from django.core.management import call_command

from accounts.models import ApiKey
from calls.models import CallAlias, CallLog
from calls.timeline import end_words
from metrics.models import UserMetrics
from tests.support.client import DrivenClock, Program, Timed, apart, last_sign_ms, timed
from tests.support.faults import FaultyLine
from tests.support.patience import await_that
from tests.support.people import key_of
from tests.support.server import Server

pytestmark = [pytest.mark.server, pytest.mark.once]


@pytest.fixture
def journal(tmp_path) -> Path:
    return tmp_path / "calls.sqlite3"


@pytest.fixture
def tracker(live_people, server, journal):
    with CallTracker(server.url, key_of(live_people.alice), journal=journal) as tracker:
        yield tracker


@pytest.fixture
def line(server) -> Iterator[FaultyLine]:
    """The network between a program and the server."""
    line = FaultyLine(server.port)
    yield line
    line.close()


def advance_until(clock: DrivenClock, fact: Callable[[], bool]) -> None:
    """Lets a client that found no server ask again and again."""
    await_that(lambda: fact() or clock.advance(1))


def length_ms(call: CallLog) -> int:
    return round((call.end_time - call.start_time).total_seconds() * 1000)


def test_words_for_an_end_are_the_servers(tracker):
    """What the program says arrives as it is, so that the server keeps why the call ended."""
    assert {word: outcome.status for word, outcome in end_words.END_WORDS.items()} == END_WORDS
    tracker.start_call()
    result = tracker.end_call("Ocupado")
    assert (result["status"], result["confirmed"]) == ("NO_ANSWER", True)
    assert tracker.get_session_history()[0]["status"] == "NO_ANSWER"
    call = CallLog.objects.get()
    assert (call.status, call.end_reason) == ("NO_ANSWER", "busy")


@pytest.mark.engines
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
        "new_average": call.duration_seconds,
        "calls_made": 1,
        "calls_success": 1,
        "total_talk_time": call.duration_seconds,
        "confirmed": True,
    }


@pytest.mark.engines
def test_every_step_is_told_at_its_instant(tracker):
    steps = [timed(lambda: tracker.start_call("c_1", direction="inbound"))]
    for step in (tracker.answer, tracker.hold, tracker.resume, tracker.pause, tracker.resume):
        time.sleep(0.03)
        steps.append(timed(step))
        step()  # saying it twice is saying it once
    steps.append(timed(tracker.end_call))
    call = CallLog.objects.get()
    events = list(call.events.order_by("occurred_at", "pk").values_list("kind", "occurred_at"))
    kinds = ["started", "answered", "held", "resumed", "paused", "unpaused", "ended"]
    assert [kind for kind, _ in events] == kinds
    gaps = [(b[1] - a[1]).total_seconds() for a, b in pairwise(events)]
    for gap, (least, most) in zip(gaps, map(apart, steps, steps[1:]), strict=True):
        assert least - 0.002 <= gap <= most + 0.002
    assert call.direction == "inbound" and call.paused_ms == round(gaps[4] * 1000)
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


def test_offline_calls_arrive_with_their_own_times(live_people, line, journal):
    line.cut()
    key = key_of(live_people.alice)
    with CallTracker(line.url, key, journal=journal, timeout=60) as tracker:
        begun = time.time()
        start = timed(lambda: tracker.start_call(contact_phone="8888 7777"))
        started = time.time()
        time.sleep(0.03)
        end = timed(lambda: tracker.end_call("DROPPED"))
        for step in (start, end):  # neither waits for a server that is away
            assert step.after - step.before < 30
        assert tracker.pending == 2
        line.mend()
        await_that(lambda: tracker.pending == 0)
    call = CallLog.objects.get()
    # The server's clock is known as well as its answers were quick.
    assert begun - 0.2 < call.start_time.timestamp() < started + 0.2
    least, most = apart(start, end)
    assert least - 0.002 <= length_ms(call) / 1000 <= most + 0.002
    assert call.status == "DROPPED"


def test_an_offline_call_is_as_long_as_it_was(live_people, line, journal):
    line.cut()
    clock, key = DrivenClock(), key_of(live_people.alice)
    with CallTracker(line.url, key, journal=journal, clock=clock) as tracker:
        tracker.start_call()
        clock.advance(3725.5)
        result = tracker.end_call()
        assert (result["duration_seconds"], result["calls_made"]) == (3725, 1)
        assert (result["total_talk_time"], result["confirmed"]) == (3725, False)
        ended, begun = clock.seconds(), time.time()
        line.mend()
        advance_until(clock, lambda: tracker.pending == 0)
        arrived, waited = time.time(), clock.seconds() - ended
    call = CallLog.objects.get()
    assert (call.status, call.duration_seconds, length_ms(call)) == ("COMPLETED", 3725, 3_725_500)
    assert begun - waited - 0.002 <= call.end_time.timestamp() <= arrived + 0.002
    assert tracker.get_metrics()["total_duration"] == 3725


KILLED = """
import sys, time
from call_tracking import CallTracker
tracker = CallTracker(sys.argv[1], sys.argv[2], journal=sys.argv[3])
print(time.monotonic(), flush=True)  # one clock for all processes
print(tracker.start_call(contact_phone="8888 7777"), flush=True)
print(time.monotonic(), flush=True)
tracker.flush()
print("told", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def killed(live_people, server, journal) -> Timed:
    """A program that was killed in mid-call after its first sign of life: its call's id, and when
    it began."""
    key = key_of(live_people.alice)
    program = Program(KILLED, server.url, key, journal)
    before = float(program.line())
    begun = Timed(program.line(), before, float(program.line()))
    assert program.line() == "told"
    await_that(lambda: last_sign_ms(journal) >= 1000)
    program.kill()
    return begun


def test_a_killed_programs_call_ends_at_its_last_sign_of_life(live_people, server, journal, killed):
    ran, sign = time.monotonic() - killed.before, last_sign_ms(journal)
    with CallTracker(server.url, key_of(live_people.alice), journal=journal) as tracker:
        assert tracker.flush(30)
    call = CallLog.objects.get()
    assert (str(call.call_id), call.status) == (killed.said, "DROPPED")
    assert 1000 <= sign == length_ms(call) <= ran * 1000


def test_a_killed_programs_call_goes_on(live_people, server, journal, killed):
    call_id = killed.said
    key = key_of(live_people.alice)
    with CallTracker(server.url, key, journal=journal, unfinished="keep") as tracker:
        [left] = tracker.unfinished_calls()
        assert (left.call_id, left.contact_phone) == (call_id, "8888 7777")
        tracker.resume_call(call_id)
        assert tracker.unfinished_calls() == []
        now = timed(tracker.get_current_duration)
        least, most = apart(killed, now)
        assert int(least) <= now.said <= int(most)
        ended = timed(lambda: tracker.end_call(wait=30))
        assert ended.said["confirmed"]
        with pytest.raises(LookupError):
            tracker.resume_call(call_id)
    call = CallLog.objects.get()
    assert call.status == "COMPLETED"
    least, most = apart(killed, ended)
    assert least - 0.002 <= length_ms(call) / 1000 <= most + 0.002


def test_another_running_programs_call_is_left_alone(live_people, server, journal):
    key = key_of(live_people.alice)
    program = Program(KILLED, server.url, key, journal)
    program.line()
    call_id = program.line()
    with CallTracker(server.url, key, journal=journal, unfinished="keep") as tracker:
        assert tracker.unfinished_calls() == []
        with pytest.raises(LookupError):
            tracker.resume_call(call_id)
        program.kill()
        tracker.close_call(call_id, "FAILED", "the phone died")
        assert tracker.flush(30)
    call = CallLog.objects.get()
    assert (call.status, call.notes) == ("FAILED", "the phone died")


def test_a_program_that_ends_in_mid_call_drops_it(live_people, server, journal):
    source = KILLED.replace("sys.stdin.read()", "")
    key = key_of(live_people.alice)
    code, _ = Program(source, server.url, key, journal).finish()
    # At its end it has 2 s for the server; what it itself noted is then delivered by the next.
    with CallTracker(server.url, key, journal=journal, unfinished="keep") as tracker:
        assert tracker.unfinished_calls() == [] and tracker.flush(30)
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
    assert tracker.flush(30)
    ApiKey.objects.get(owner=live_people.alice).revoke()
    assert tracker.end_call(wait=30)["confirmed"] is False
    assert [letter.kind for letter in tracker.dead_letters()] == ["end"]
    with other:
        other.start_call()
        assert other.end_call(wait=30)["confirmed"] is True
    assert CallLog.objects.get(call_id=first).status == "COMPLETED"


def test_a_call_that_has_another_id_by_now_goes_on(tracker):
    """The server knows the program's id still, and answers with the one that the call has now."""
    call_id = tracker.start_call()
    assert tracker.flush(30)
    call = CallLog.objects.get()
    CallAlias.objects.create(alias=call.call_id, call=call)
    CallLog.objects.filter(pk=call.pk).update(call_id=uuid.uuid4())
    tracker.hold()
    assert tracker.end_call("NO_ANSWER", wait=30)["confirmed"] is True
    call.refresh_from_db()
    assert (call.status, str(call.call_id) == call_id) == ("NO_ANSWER", False)
    assert tracker.dead_letters() == []


def test_too_many_requests_are_waited_for(live_people, server, line, journal):
    """As long as the server says, and without asking meanwhile; a while later it takes them."""
    limited = Server(API_RATE_LIMIT="3/h").start()
    line.target = limited.port
    problems: list[Problem] = []
    clock, key = DrivenClock(), key_of(live_people.alice)
    with CallTracker(
        line.url, key, journal=journal, on_error=problems.append, clock=clock
    ) as tracker:
        for _ in range(4):
            tracker.start_call()
            tracker.end_call(wait=0)
        await_that(lambda: problems)
        said = re.fullmatch(r"Too many requests; waiting (\d+) s\.", problems[0].message)
        assert said is not None and 1 <= int(said[1]) <= 3600
        clock.advance(int(said[1]) - 0.5)
        assert not tracker.flush(0.05) and tracker.pending
        line.cut()
        limited.kill()
        line.target = server.port
        line.mend()
        advance_until(clock, lambda: tracker.pending == 0)
        assert tracker.dead_letters() == []
    assert [problem.permanent for problem in problems] == [False]
    assert CallLog.objects.filter(status="COMPLETED").count() == 4


WRONG_CLOCK = """
import sys, time
from time import monotonic
ahead = float(sys.argv[4])
time_ns, wall = time.time_ns, time.time
time.time_ns = lambda: time_ns() + int(ahead * 1e9)
time.time = lambda: wall() + ahead
from call_tracking import CallTracker
with CallTracker(sys.argv[1], sys.argv[2], journal=sys.argv[3]) as tracker:
    for _ in range(2):
        before = monotonic()
        call_id = tracker.start_call()
        least = -monotonic()
        time.sleep(0.03)
        least += monotonic()
        confirmed = tracker.end_call(wait=30)["confirmed"]
        print(call_id, confirmed, least, monotonic() - before)
"""


@pytest.mark.parametrize("ahead", [3600, -90 * 86400], ids=["an hour fast", "a quarter slow"])
def test_a_wrong_clock_changes_nothing(live_people, server, journal, ahead):
    begun = time.time()
    program = Program(WRONG_CLOCK, server.url, key_of(live_people.alice), journal, ahead)
    code, printed = program.finish()
    said = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    assert (code, len(said)) == (0, 2)
    for call in CallLog.objects.all():
        confirmed, least, most = said.pop(str(call.call_id))
        assert confirmed == "True" and call.duration_seconds == length_ms(call) // 1000
        assert float(least) - 0.002 <= length_ms(call) / 1000 <= float(most) + 0.002
        assert begun <= call.start_time.timestamp() <= time.time()


def test_pauses_count_though_the_watch_has_closed_the_call(live_people, line, journal, settings):
    """The network went away in mid-call; the server gave the call up; then the facts arrive."""
    with CallTracker(line.url, key_of(live_people.alice), journal=journal) as tracker:
        tracker.start_call()
        assert tracker.flush(30)
        line.cut()
        settings.STALE_CALL_SECONDS = 0
        time.sleep(0.05)
        call_command("close_stale_calls")
        assert CallLog.objects.get().evidence == "E"
        paused = timed(tracker.pause)
        time.sleep(0.03)
        least, most = apart(paused, timed(tracker.resume))
        ending = time.monotonic()
        tracker.end_call()
        line.mend()
        await_that(lambda: tracker.pending == 0)
        late = time.monotonic() - ending > 9  # what comes 10 s late counts as reported offline
        assert tracker.dead_letters() == []
    call = CallLog.objects.get()
    assert call.status == "COMPLETED" and call.evidence in ("CD" if late else "C")
    assert least - 0.002 <= call.paused_ms / 1000 <= most + 0.002
    assert UserMetrics.objects.get(user=live_people.alice).calls_made == 1


@pytest.mark.engines
def test_two_programs_share_one_journal(live_people, server, journal):
    key = key_of(live_people.alice)
    first = CallTracker(server.url, key, journal=journal)
    second = CallTracker(server.url, key, journal=journal)
    ids = {tracker.start_call() for tracker in (first, second) for _ in range(5)}
    for tracker in (first, second) * 5:
        assert tracker.end_call(wait=30)["confirmed"]
    first.close()
    second.close()
    assert {str(call.call_id) for call in CallLog.objects.ended()} == ids
