"""What the client does on its own computer: lengths, timers, figures, and whatever goes wrong."""

import socket
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
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

from tests.client import NOWHERE, Program, Stalls, apart, await_that, timed

pytestmark = pytest.mark.once


@pytest.fixture
def tracker(tmp_path):
    with closing(CallTracker(NOWHERE, "cm_x", journal=tmp_path / "calls", timeout=0.5)) as tracker:
        yield tracker


def ours() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("call ")]


# --- A session by itself ---


def test_a_session_measures_itself():
    begun = timed(lambda: CallSession("c_1", "contact_7", "8888 7777"))
    session = begun.said
    assert session.to_dict()["status"] == "IN_PROGRESS" and session.to_dict()["end_time"] is None
    time.sleep(1.05)
    running, ended = timed(session.get_duration), timed(lambda: session.end_call("NO_ANSWER"))
    for seen in (running, ended):
        least, most = apart(begun, seen)
        assert int(least) <= seen.said <= int(most)
    length = ended.said
    time.sleep(1)
    assert session.end_call("COMPLETED") == session.get_duration() == length
    told = session.to_dict()
    assert list(told) == [
        "call_id",
        "contact_id",
        "contact_phone",
        "start_time",
        "end_time",
        "duration_seconds",
        "status",
    ]
    assert (told["contact_id"], told["status"], told["duration_seconds"]) == (
        "contact_7",
        "NO_ANSWER",
        length,
    )


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


def test_figures_and_history(tracker):
    assert set(tracker.get_metrics().values()) == {0} and tracker.get_session_history() == []
    ids, lengths = [], []
    for length, status in [(1.02, "COMPLETED"), (0, "FAILED"), (2.02, "COMPLETED")]:
        start = timed(tracker.start_call)
        time.sleep(length)
        end = timed(partial(tracker.end_call, status))
        ids.append(start.said)
        lengths.append(end.said["duration_seconds"])
        least, most = apart(start, end)
        assert int(least) <= lengths[-1] <= int(most)
    assert tracker.get_metrics() == {
        "total_calls": 3,
        "completed_calls": 2,
        "total_duration": sum(lengths),
        "avg_duration": sum(lengths) // 3,
        "longest_call": max(lengths),
        "shortest_call": min(lengths),
    }
    assert [call["call_id"] for call in tracker.get_session_history(2)] == [ids[2], ids[1]]
    assert tracker.get_session_history(0) == []


def test_without_a_server_figures_are_estimated(tracker):
    tracker.start_call()
    time.sleep(1.02)
    talked = tracker.end_call()["duration_seconds"]
    tracker.start_call()
    result = tracker.end_call("NO_ANSWER")
    result.pop("call_id")
    assert talked >= 1
    assert result == {
        "status": "NO_ANSWER",
        "duration_seconds": tracker.get_session_history(1)[0]["duration_seconds"],
        "new_average": talked // 2,
        "calls_made": 2,
        "calls_success": 1,
        "total_talk_time": talked,
        "confirmed": False,
    }


def test_a_pause_is_not_counted(tracker):
    start = timed(tracker.start_call)
    time.sleep(0.6)
    pause = timed(tracker.pause)
    time.sleep(0.7)
    resume = timed(tracker.resume)
    (before, at_most_before), call = apart(start, pause), tracker.current_call
    for wait in (0, 0.45):
        time.sleep(wait)
        now = timed(call.tracked_ms)
        after, at_most_after = apart(resume, now)
        assert before + after - 0.003 <= now.said / 1000 <= at_most_before + at_most_after + 0.003
    assert tracker.get_current_duration() >= now.said // 1000
    tracker.hold()
    assert tracker.end_call()["duration_seconds"] == call.tracked_ms() // 1000
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


def test_the_timer_is_on_time_and_ends_with_its_call(tracker):
    ticks: list[tuple[float, int, str]] = []
    tracker.set_timer_callback(lambda *tick: ticks.append((time.monotonic(), *tick)))
    with Stalls() as stalls:
        start = timed(tracker.start_call)
        time.sleep(3.3)
        end = timed(tracker.end_call)
    await_that(lambda: "call timer" not in ours())
    least, most = apart(start, end)
    told = [seconds for _, seconds, _ in ticks]
    assert [text for _, _, text in ticks] == [f"00:0{seconds}" for seconds in told]
    assert told == sorted(set(told)) and told[-1] <= int(most)
    # Each second is told at its time, but for what the machine or the disk stood still.
    slack = 0.1 + stalls.worst + (start.after - start.before)
    assert len(set(range(int(least - slack) + 1)) - set(told)) <= int(slack)
    late = [at - start.before - seconds for at, seconds, _ in ticks]
    assert min(late) > -0.005 and statistics.median(late) < slack


def test_a_callback_that_fails_or_is_slow_harms_nothing(tracker):
    ticks: list[int] = []
    turns = threading.Semaphore(0)

    def terrible(seconds: int, text: str) -> None:
        ticks.append(seconds)
        turns.acquire()  # and misses seconds
        raise ZeroDivisionError

    tracker.set_timer_callback(terrible)
    start = timed(tracker.start_call)  # returns while the callback does not
    await_that(lambda: len(ticks) == 1)
    time.sleep(2.1)
    assert len(ticks) == 1
    turns.release()
    await_that(lambda: len(ticks) == 2)
    end = timed(tracker.end_call)  # the same
    least, most = apart(start, end)
    assert int(least) <= end.said["duration_seconds"] <= int(most)
    turns.release()
    await_that(lambda: "call timer" not in ours())
    # What was missed is not made up for, and the time went on after the failure.
    assert len(ticks) == 2 and ticks[0] + 2 <= ticks[1] <= end.said["duration_seconds"]


def test_a_paused_timer_stands_still_and_a_callback_may_come_late(tracker):
    ticks: list[int] = []
    tracker.start_call()
    time.sleep(0.5)
    tracker.set_timer_callback(lambda seconds, text: ticks.append(seconds))
    tracker.pause()
    call = tracker.current_call
    stands = call.get_duration()
    await_that(lambda: ticks[-1:] == [stands])
    before = list(ticks)
    time.sleep(1.2)
    assert ticks == before and call.get_duration() == stands
    tracker.resume()
    await_that(lambda: len(ticks) > len(before))
    assert stands < ticks[len(before)] <= call.get_duration()
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


def test_a_call_left_open_at_closing_goes_on_at_the_next_start(tmp_path):
    first = CallTracker(NOWHERE, journal=tmp_path / "calls")
    start = timed(first.start_call)
    call_id = start.said
    first.close(status=None)
    time.sleep(1)
    with CallTracker(NOWHERE, journal=tmp_path / "calls", unfinished="keep") as second:
        second.resume_call(call_id)
        end = timed(second.end_call)
    least, most = apart(start, end)
    assert 1 <= int(least) <= end.said["duration_seconds"] <= int(most)


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
