"""Many threads, a proxy that loses, delays and doubles, and a server that is killed under them."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from call_tracking import CallTracker
from django.core.management import call_command

from accounts.models import User
from calls.models import CallEvent, CallLog
from metrics.models import UserMetrics
from tests.support.faults import FaultProxy
from tests.support.patience import await_that
from tests.support.people import key_of
from tests.support.server import Server

STATUSES = ("COMPLETED", "COMPLETED", "NO_ANSWER", "DROPPED", "FAILED")
_LONGEST_WAIT = 130  # seconds: twice the client's


class Dose(NamedTuple):
    """How much of it. `longest`: seconds that the proxy may be late; `timeout`: of a request."""

    threads: int
    calls: int  # of each thread
    kills: int
    longest: float = 0.6
    timeout: float = 0.5


class Known(NamedTuple):
    """What the program knows of a call: epoch seconds before and after its start, milliseconds."""

    status: str
    begun: float
    begun_by: float
    shortest: int
    longest: int


class Program:
    """Threads that make calls, each for itself."""

    def __init__(self, tracker: CallTracker, dose: Dose):
        self.tracker, self._dose = tracker, dose
        self.calls: dict[str, Known] = {}

    def one_thread(self, number: int) -> None:
        chance = random.Random(number)
        for _ in range(self._dose.calls):
            self._one_call(chance, f"+506 8888 {number:04d}")

    def _one_call(self, chance: random.Random, phone: str) -> None:
        ago = chance.choice((0, chance.randrange(3000)))  # began so many milliseconds before
        begun, before = time.time(), time.monotonic_ns()
        started = self.tracker.clock.now().plus_ms(-ago)
        call_id = self.tracker.start_call(contact_phone=phone, started=started)
        after, begun_by = time.monotonic_ns(), time.time()
        time.sleep(chance.uniform(0, 0.03))
        paused = self._pause() if chance.random() < 0.2 else 0
        status = chance.choice(STATUSES)
        ending = time.monotonic_ns()
        self.tracker.end_call(status)
        ended = time.monotonic_ns()
        shortest, longest = (ending - after - paused) // 10**6, (ended - before) // 10**6 + 1
        self.calls[call_id] = Known(
            status, begun - ago / 1000, begun_by - ago / 1000, shortest + ago, longest + ago
        )

    def _pause(self) -> int:
        """How many nanoseconds it lasted at most."""
        began = time.monotonic_ns()
        self.tracker.pause()
        time.sleep(0.02)
        self.tracker.resume()
        return time.monotonic_ns() - began


def run(dose: Dose, agent: User, server: Server, journal: Path) -> None:
    """Makes all calls and has them delivered: the server has each once, whatever happened."""
    proxy = FaultProxy(server.port, longest=dose.longest)
    begun = time.monotonic()
    with CallTracker(proxy.url, key_of(agent), journal=journal, timeout=dose.timeout) as tracker:
        program = Program(tracker, dose)
        with ThreadPoolExecutor(dose.threads + 1) as pool:
            killed = pool.submit(_kill, server, dose, proxy.seen.total)
            list(pool.map(program.one_thread, range(dose.threads)))
            killed.result()
        _deliver(tracker)
        delivered = time.monotonic() - begun
        await_that(lambda: not proxy.late)
        assert tracker.dead_letters() == []
        assert tracker.get_metrics()["total_calls"] == dose.threads * dose.calls
    proxy.close()
    length, start = _compare(program.calls, agent)
    print(
        f"\n{len(program.calls)} calls by {dose.threads} threads, all delivered after"
        f" {delivered:.1f} s; the server was killed {dose.kills} times; {dict(proxy.seen)};"
        f" at most {length} ms off in length, {start:.3f} s in its start"
    )


def _kill(server: Server, dose: Dose, asked: Callable[[], int]) -> None:
    """Kills and restarts the server in mid-work: evenly among two requests a call."""
    requests = 2 * dose.threads * dose.calls
    for number in range(1, dose.kills + 1):
        await_that(lambda: asked() >= requests * number // (dose.kills + 1), 600)  # noqa: B023
        server.kill()
        server.start()


def _deliver(tracker: CallTracker) -> None:
    """Until everything is delivered, as long as something is within the client's longest wait."""
    while waiting := tracker.pending:
        tracker.flush(0)
        await_that(lambda: tracker.pending < waiting, _LONGEST_WAIT)


def _compare(calls: dict[str, Known], agent: User) -> tuple[int, float]:
    """The server has exactly the calls that were made; the largest differences of length and start.

    Milliseconds beyond what the program itself measured; seconds.
    """
    rows = {str(call.call_id): call for call in CallLog.objects.all()}
    assert rows.keys() == calls.keys()
    assert {key: row.status for key, row in rows.items()} == {
        key: known.status for key, known in calls.items()
    }
    worst, latest = 0, 0.0
    for key, row in rows.items():
        known = calls[key]
        length = round((row.end_time - row.start_time).total_seconds() * 1000) - row.paused_ms
        assert row.duration_seconds == length // 1000
        worst = max(worst, known.shortest - length, length - known.longest)
        start = row.start_time.timestamp()
        latest = max(latest, known.begun - start, start - known.begun_by)
    assert worst <= 1 and latest < 1
    ends = CallEvent.objects.filter(kind="ended").count()
    starts = CallEvent.objects.filter(kind="started").count()
    assert (starts, ends) == (len(rows), len(rows))
    sums = UserMetrics.objects.get(user=agent)
    assert (sums.calls_made, sums.total_talk_time) == (
        len(rows),
        sum(row.talk_seconds for row in rows.values()),
    )
    call_command("rebuild_metrics", check=True)
    return worst, latest
