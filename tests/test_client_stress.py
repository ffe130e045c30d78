"""Many threads, a proxy that loses, delays and doubles, and a server that is killed under them.

`CLIENT_STRESS=50x100 pytest -s tests/test_client_stress.py` makes 50 threads with 100 calls each
and tells its figures; the suite makes fewer.
"""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from call_tracking import CallTracker, Problem
from django.core.management import call_command

from calls.models import CallEvent, CallLog
from metrics.models import UserMetrics
from tests.faults import FaultProxy
from tests.people import key_of
from tests.server import Server

pytestmark = pytest.mark.server

FULL = "CLIENT_STRESS" in os.environ
THREADS, CALLS = map(int, os.environ.get("CLIENT_STRESS", "15x4").split("x"))
KILLS = 5 if FULL else 2
STATUSES = ("COMPLETED", "COMPLETED", "NO_ANSWER", "DROPPED", "FAILED")


class Made:
    """What the program knows of its calls: status, start, shortest and longest possible length."""

    def __init__(self, tracker: CallTracker):
        self.tracker = tracker
        # Epoch seconds before and after the start, milliseconds.
        self.calls: dict[str, tuple[str, tuple[float, float], int, int]] = {}

    def one_thread(self, number: int) -> None:
        chance = random.Random(number)
        for _ in range(CALLS):
            begun, before = time.time(), time.monotonic_ns()
            call_id = self.tracker.start_call(contact_phone=f"+506 8888 {number:04d}")
            after, began_by = time.monotonic_ns(), time.time()
            time.sleep(chance.uniform(0, 0.03) if chance.random() < 0.97 else 2.2)
            paused = 0
            if chance.random() < 0.2:
                began = time.monotonic_ns()
                self.tracker.pause()
                time.sleep(0.02)
                self.tracker.resume()
                paused = time.monotonic_ns() - began
            status = chance.choice(STATUSES)
            ending = time.monotonic_ns()
            self.tracker.end_call(status)
            ended = time.monotonic_ns()
            shortest, longest = ending - after - paused, ended - before
            start = begun, began_by
            self.calls[call_id] = (status, start, shortest // 10**6, longest // 10**6 + 1)


def killings(server: Server, times: int, over: threading.Event) -> int:
    """Kills and restarts the server `times` times, while the calls are made and after."""
    for done in range(times):
        if over.wait(random.uniform(5, 30) if FULL else random.uniform(0.3, 1.0)):
            return done
        server.kill()
        over.wait(0.3)
        server.start()
    return times


def test_every_call_once_whatever_happens_between(live_people, server, tmp_path):
    proxy = FaultProxy(server.port, longest=1.2 if FULL else 0.6)
    problems: list[Problem] = []
    tracker = CallTracker(
        proxy.url,
        key_of(live_people.alice),
        journal=tmp_path / "calls.sqlite3",
        timeout=1.0 if FULL else 0.5,
        on_error=problems.append,
    )
    made, over, begun = Made(tracker), threading.Event(), time.monotonic()
    with ThreadPoolExecutor(THREADS + 1) as pool:
        killed = pool.submit(killings, server, KILLS, over)
        list(pool.map(made.one_thread, range(THREADS)))
        calling = time.monotonic() - begun
        killed.result()
    waiting, since = tracker.pending, time.monotonic()
    while waiting and time.monotonic() - since < 130:  # twice the client's longest wait
        tracker.flush(1)
        time.sleep(0.05)
        if (now := tracker.pending) < waiting:
            waiting, since = now, time.monotonic()
    assert (tracker.pending, tracker.dead_letters()) == (0, [])
    delivered = time.monotonic() - begun
    while proxy._late:
        time.sleep(0.05)
    length, start = compare(made, live_people.alice.pk)
    print(
        f"\n{len(made.calls)} calls by {THREADS} threads in {calling:.1f} s, all delivered after"
        f" {delivered:.1f} s; the server was killed {KILLS} times; {dict(proxy.seen)};"
        f" at most {length} ms off in length, {start:.3f} s in its start"
    )
    assert made.tracker.get_metrics()["total_calls"] == THREADS * CALLS
    tracker.close()
    proxy.close()


def compare(made: Made, user_id: int) -> tuple[int, float]:
    """The server has exactly the calls that were made; the largest differences of length and start.

    Milliseconds beyond what the program itself measured; seconds.
    """
    rows = {str(call.call_id): call for call in CallLog.objects.all()}
    assert rows.keys() == made.calls.keys()
    assert {key: row.status for key, row in rows.items()} == {
        key: known[0] for key, known in made.calls.items()
    }
    worst, latest = 0, 0.0
    for key, row in rows.items():
        _, (begun, began_by), shortest, longest = made.calls[key]
        length = round((row.end_time - row.start_time).total_seconds() * 1000) - row.paused_ms
        assert row.duration_seconds == length // 1000
        worst = max(worst, shortest - length, length - longest)
        start = row.start_time.timestamp()
        latest = max(latest, begun - start, start - began_by)
    assert worst <= 1 and latest < 1
    ends = CallEvent.objects.filter(kind="ended").count()
    starts = CallEvent.objects.filter(kind="started").count()
    assert (starts, ends) == (len(rows), len(rows))
    sums = UserMetrics.objects.get(user_id=user_id)
    assert (sums.calls_made, sums.total_talk_time) == (
        len(rows),
        sum(row.talk_seconds for row in rows.values()),
    )
    call_command("rebuild_metrics", check=True)
    return worst, latest
