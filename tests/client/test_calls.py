"""What the client does on its own computer: lengths, timers, figures, and whatever goes wrong."""

import datetime as dt
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import call_tracking
import pytest
from call_tracking import (
    CallSession,
    CallTracker,
    JournalError,
    Problem,
    format_duration,
    get_tracker,
    initialize_tracker,
)

from tests.support.client import NOWHERE, DrivenClock, Program, apart, timed
from tests.support.patience import await_that

pytestmark = pytest.mark.once


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def tracker(tmp_path, clock):
    """Without a server, and with the time in the test's hands."""
    tracker = CallTracker(NOWHERE, "cm_x", journal=tmp_path / "calls", timeout=0.5, clock=clock)
    with closing(tracker):
        yield tracker


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("call ")]


# --- A session by itself ---


def test_a_session_measures_itself(clock):
    session = CallSession("c_1", "contact_7", "8888 7777", clock=clock)
    assert session.to_dict()["status"] == "IN_PROGRESS" and session.to_dict()["end_time"] is None
    clock.advance(64.999)
    assert session.get_duration() == 64
    clock.advance(0.001)
    assert session.end_call("NO_ANSWER") == 65
    clock.advance(1)
    assert session.end_call("COMPLETED") == session.get_duration() == 65
    shown = session.to_dict()
    assert list(shown) == [
        "call_id",
        "contact_id",
        "contact_phone",
        "start_time",
        "end_time",
        "duration_seconds",
        "status",
    ]
    assert (shown["contact_id"], shown["status"], shown["duration_seconds"]) == (
        "contact_7",
        "NO_ANSWER",
        65,
    )
    start, end = (dt.datetime.fromisoformat(shown[name]) for name in ("start_time", "end_time"))
    assert end - start == dt.timedelta(seconds=65)


def test_a_session_goes_by_the_machines_clock():
    earliest = time.time()
    begun = timed(lambda: CallSession("c_1"))
    latest = time.time()
    time.sleep(0.03)
    seen = timed(begun.said.tracked_ms)
    least, most = apart(begun, seen)
    assert least - 0.001 <= seen.said / 1000 <= most
    assert earliest - 0.001 <= begun.said.started.wall_ms / 1000 <= latest


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00"),
        (59.9, "00:59"),
        (60, "01:00"),
        (3599, "59:59"),
        (3600, "01:00:00"),
        (360000, "100:00:00"),
        (-5, "00:00"),
    ],
)
def test_lengths_as_people_read_them(seconds, text):
    assert format_duration(seconds) == CallTracker.format_duration(seconds) == text


# --- One tracker for a program ---


def test_no_tracker_before_it_is_initialized(tmp_path):
    program = """
    import call_tracking, sys
    try:
        call_tracking.get_tracker()
    except RuntimeError as error:
        print(error)
    made = call_tracking.initialize_tracker(server_url=sys.argv[1], journal=sys.argv[2])
    print(call_tracking.get_tracker() is made)
    """
    code, printed = Program(program, NOWHERE, tmp_path / "calls").finish()
    assert (code, printed.splitlines()) == (
        0,
        [
            "The call tracker has not been initialized. "
            "Call initialize_tracker(base_url, api_key) first.",
            "True",
        ],
    )


def test_a_new_tracker_closes_the_one_before(tmp_path):
    first = initialize_tracker(NOWHERE, journal=tmp_path / "one")
    second = initialize_tracker(NOWHERE, journal=tmp_path / "two")
    assert get_tracker() is second
    with pytest.raises(JournalError):
        first.start_call()
    second.close()


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("", ""),
        ("calls.example.com", ""),
        ("ftp://calls", ""),
        ("http://", ""),
        ("http://x:port", ""),
        ("http://calls.test", "two\nlines"),
        ("http://calls.test", "clé"),
    ],
)
def test_an_address_or_key_that_cannot_be_one(tmp_path, address, key):
    with pytest.raises(ValueError):
        CallTracker(address, key, journal=tmp_path / "calls")
    await_that(lambda: ours() == [])


# --- Calls without a server ---


def test_bad_arguments_change_nothing(tracker):
    with pytest.raises(RuntimeError, match="No call is running"):
        tracker.end_call()
    with pytest.raises(ValueError):
        tracker.start_call(contact_phone="9" * 65)
    with pytest.raises(ValueError):
        tracker.start_call(direction="sideways")
    tracker.start_call()
    with pytest.raises(ValueError, match="COMPLETED"):
        tracker.end_call("DONE")
    with pytest.raises(ValueError):
        tracker.end_call(notes="x" * 10_001)
    assert tracker.current_call.running and tracker.get_metrics()["total_calls"] == 0


def test_figures_and_history(tracker, clock):
    assert set(tracker.get_metrics().values()) == {0} and tracker.get_session_history() == []
    ids = []
    for length, status in [(61.9, "COMPLETED"), (0.4, "FAILED"), (125, "COMPLETED")]:
        ids.append(tracker.start_call())
        clock.advance(length)
        assert tracker.end_call(status)["duration_seconds"] == int(length)
    assert tracker.get_metrics() == {
        "total_calls": 3,
        "completed_calls": 2,
        "total_duration": 186,
        "avg_duration": 62,
        "longest_call": 125,
        "shortest_call": 0,
    }
    assert [call["call_id"] for call in tracker.get_session_history(2)] == [ids[2], ids[1]]
    assert tracker.get_session_history(0) == []


def test_without_a_server_figures_are_estimated(tracker, clock):
    tracker.start_call()
    clock.advance(75)
    tracker.end_call()
    tracker.start_call()
    clock.advance(20)
    result = tracker.end_call("NO_ANSWER")
    result.pop("call_id")
    assert result == {
        "status": "NO_ANSWER",
        "duration_seconds": 20,
        "new_average": 37,
        "calls_made": 2,
        "calls_success": 1,
        "total_talk_time": 75,
        "confirmed": False,
    }


def test_a_pause_is_not_counted(tracker, clock):
    tracker.start_call()
    clock.advance(40)
    tracker.pause()
    clock.advance(70)
    assert tracker.get_current_duration() == 40
    tracker.resume()
    call = tracker.current_call
    assert call.tracked_ms() == 40_000
    clock.advance(25.5)
    assert (call.tracked_ms(), tracker.get_current_duration()) == (65_500, 65)
    tracker.hold()
    clock.advance(10)
    assert tracker.end_call()["duration_seconds"] == 75
    assert tracker.get_current_duration() == 0


def test_each_thread_ends_its_own_call(tracker):
    """And a thread that started none ends the last one."""
    both = threading.Barrier(8)

    def one(_: int) -> bool:
        call_id = tracker.start_call()
        both.wait()
        return tracker.end_call()["call_id"] == call_id

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(8)))
    call_id = tracker.start_call()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(tracker.end_call).result()["call_id"] == call_id


# --- The timer ---


def test_the_timer_is_on_time_and_ends_with_its_call(tracker, clock):
    ticks: list[tuple[float, int, str]] = []
    begun = clock.seconds()

    def passed() -> float:
        return round(clock.seconds() - begun, 3)

    tracker.set_timer_callback(lambda seconds, text: ticks.append((passed(), seconds, text)))
    tracker.start_call()
    await_that(lambda: len(ticks) == 1)
    for _ in range(3):
        clock.advance(0.999)
        tracker.hold()  # wakes the timer up: it must go on waiting
        clock.advance(0.001)
        tracker.resume()
        await_that(lambda: ticks[-1][0] == passed())
    clock.advance(2.5)  # and late is not made up for
    await_that(lambda: len(ticks) == 5)
    tracker.end_call()
    await_that(lambda: "call timer" not in ours())
    assert ticks == [
        (0, 0, "00:00"),
        (1, 1, "00:01"),
        (2, 2, "00:02"),
        (3, 3, "00:03"),
        (5.5, 5, "00:05"),
    ]


def test_the_timer_goes_by_the_machines_clock(tmp_path):
    ticks: list[tuple[float, int]] = []
    with CallTracker(NOWHERE, journal=tmp_path / "calls") as tracker:
        tracker.set_timer_callback(lambda seconds, _: ticks.append((time.monotonic(), seconds)))
        begun = time.monotonic()
        tracker.start_call()
        await_that(lambda: len(ticks) == 2)
    (_, first), (at, then) = ticks
    assert first < then <= at - begun


def test_a_callback_that_fails_or_is_slow_harms_nothing(tracker, clock):
    ticks: list[int] = []
    turns = threading.Semaphore(0)

    def terrible(seconds: int, text: str) -> None:
        ticks.append(seconds)
        turns.acquire()  # and misses seconds
        raise ZeroDivisionError

    tracker.set_timer_callback(terrible)
    tracker.start_call()  # returns while the callback does not
    await_that(lambda: ticks == [0])
    clock.advance(2.1)
    turns.release()
    # What was missed is not made up for, and the time went on after the failure.
    await_that(lambda: ticks == [0, 2])
    assert tracker.end_call()["duration_seconds"] == 2  # the same
    turns.release()
    await_that(lambda: "call timer" not in ours())
    assert ticks == [0, 2]


def test_a_paused_timer_stands_still_and_a_callback_may_come_late(tracker, clock):
    ticks: list[int] = []
    tracker.start_call()
    clock.advance(3.5)
    tracker.set_timer_callback(lambda seconds, text: ticks.append(seconds))
    tracker.pause()
    await_that(lambda: ticks == [3])
    clock.advance(70)
    tracker.resume()
    clock.advance(0.5)
    await_that(lambda: len(ticks) == 2)
    assert ticks == [3, 4]
    tracker.end_call()
    await_that(lambda: "call timer" not in ours())


def test_closing_stops_every_thread(tmp_path):
    tracker = CallTracker(NOWHERE, journal=tmp_path / "calls")
    tracker.set_timer_callback(lambda seconds, text: None)
    tracker.start_call()
    begun = time.monotonic()
    tracker.close(timeout=120)
    tracker.close()
    assert time.monotonic() - begun < 60  # a server that is away is not waited for
    await_that(lambda: ours() == [])


# --- The journal ---


def test_a_started_call_is_on_the_disk_before_anybody_knows_of_it(tmp_path):
    """Killed right after the start: the call and its event are there."""
    program = Program(
        """
        import os, signal, sys
        from call_tracking import CallTracker
        tracker = CallTracker(sys.argv[1], journal=sys.argv[2])
        print(tracker.start_call(contact_phone="1"), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        NOWHERE,
        tmp_path / "calls",
    )
    call_id = program.line()
    program.finish()
    with CallTracker(NOWHERE, journal=tmp_path / "calls", unfinished="keep") as tracker:
        assert [call.call_id for call in tracker.unfinished_calls()] == [call_id]
        assert tracker.pending == 1


def test_a_call_left_open_at_closing_goes_on_at_the_next_start(tmp_path, clock):
    first = CallTracker(NOWHERE, journal=tmp_path / "calls", clock=clock)
    call_id = first.start_call()
    first.close(status=None)
    clock.advance(65)
    with CallTracker(NOWHERE, journal=tmp_path / "calls", unfinished="keep", clock=clock) as second:
        second.resume_call(call_id)
        assert second.end_call()["duration_seconds"] == 65


def test_a_journal_that_is_none_is_kept_and_replaced(tmp_path):
    path = tmp_path / "calls"
    path.write_bytes(b"not a database" * 100)
    problems: list[Problem] = []
    with CallTracker(NOWHERE, journal=path, on_error=problems.append) as tracker:
        tracker.start_call()
    [kept] = tmp_path.glob("calls.broken-*")
    assert kept.read_bytes().startswith(b"not a database")
    assert str(kept) in problems[0].message


def test_a_journal_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be used"):
        CallTracker(NOWHERE, journal=tmp_path / "file" / "calls")
    await_that(lambda: ours() == [])  # the thread that found out is on its way


def test_calls_are_nobody_elses(tracker, tmp_path):
    assert Path(tmp_path / "calls").stat().st_mode & 0o077 == 0


def test_each_key_has_its_own_journal(monkeypatch, tmp_path):
    """Agents who share a computer do not send each other's calls."""
    monkeypatch.setenv("CALLMANAGER_DATA", str(tmp_path / "data"))
    with CallTracker(NOWHERE, "cm_alice") as alice, CallTracker(NOWHERE, "cm_bob") as bob:
        alice.start_call()
        assert (alice.pending, bob.pending) == (1, 0)


# --- Servers that are none ---

DEEP = b"[" * 100_000
NONSENSE = {
    "silence": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a captive portal": b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html>hello!",
    "an empty object": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a list": b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n[]",
    "odd headers": b"HTTP/1.1 429 No\r\nRetry-After: -1e999\r\nX-RateLimit-Limit: many\r\n"
    b"X-RateLimit-Remaining: -3\r\nX-Server-Time: yesterday\r\nContent-Length: 0\r\n\r\n",
    "a depth": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DEEP) + DEEP,
    "a redirection": b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    "not UTF-8": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\xff\xfe{",
    "a broken body": b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
    "a trouble": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
    "another's 404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope",
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_no_answer_can_crash_the_client_or_lose_a_call(tmp_path, answer):
    asked = threading.Semaphore(0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line, suppress(OSError):  # the client may have given this one up
                    line.recv(65536)
                    line.sendall(answer)
                    asked.release()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with CallTracker(url, "cm_x", journal=tmp_path / "calls", timeout=0.5) as tracker:
            tracker.start_call()
            assert asked.acquire(timeout=60)
            assert tracker.end_call(wait=0)["confirmed"] is False
            assert (tracker.pending, tracker.dead_letters()) == (2, [])
            assert "call courier" in ours()
        listener.shutdown(socket.SHUT_RDWR)


def test_the_module_says_what_it_gives():
    assert all(hasattr(call_tracking, name) for name in call_tracking.__all__)
