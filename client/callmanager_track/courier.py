"""Carries the journal's events to the server: in order, each until it is answered, then no more.

Every event names its call's id and its instant, and repeats name the same ones, so that the server
takes a repeated event as the one it has: lost answers and duplicated requests change nothing.
"""

from __future__ import annotations

import random
import threading
import time
from functools import partial
from typing import Any, Callable, NamedTuple

from callmanager_track import book
from callmanager_track.book import Letter
from callmanager_track.clocks import ServerClock, isoformat, parse_instant
from callmanager_track.journal import Journal, JournalError
from callmanager_track.locks import FileLock
from callmanager_track.wire import Answer, Unreachable, Wire

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 60.0
_ELSEWHERE = 0.1  # how often to look while another process delivers
# A refusal that is not in the server's own words may come from something in between; it is then
# asked again this many times.
_STRANGERS_ATTEMPTS = 8
_HEARTBEAT, _SLOWEST_HEARTBEAT = 30.0, 120.0  # the server gives a stale call 300 s
_HEARTBEAT_SHARE = 0.25  # of the requests that a key may make
_MOST_AHEAD_MS = 2000
# A server's clock known less well than this is asked for again, so often at most.
_ROUGH_MS, _MOST_ASKED = 50, 3
_INSTANT_OF = {"start": "started_at", "end": "ended_at"}


class Problem(NamedTuple):
    """Something an error callback is told. `permanent`: the event is now a dead letter."""

    message: str
    permanent: bool = False
    call_id: str = ""
    kind: str = ""
    code: int = 0


def verdict(answer: Answer, letter: Letter) -> str:
    """What to do after `answer`: the event is `delivered`, `refused`, or to be sent `later`."""
    body = answer.body
    if 200 <= answer.status < 300:
        # The call may have another id by now, under which the server knows it as well.
        ours = isinstance(body, dict) and isinstance(body.get("call_id"), str)
        start = parse_instant(body.get("start_time")) if ours else None
        return "later" if not ours or (letter.kind == "start" and start is None) else "delivered"
    if not 400 <= answer.status < 500 or answer.status in (408, 425, 429):
        return "later"
    return "refused" if answer.error or letter.attempts >= _STRANGERS_ATTEMPTS else "later"


class Courier:
    """The background sender of one journal. `running` tells the calls to keep alive."""

    def __init__(
        self,
        journal: Journal,
        wire: Wire,
        clock: ServerClock,
        report: Callable[[Problem], None],
        running: Callable[[], list[str]],
    ):
        self._journal, self._wire, self._clock = journal, wire, clock
        self._here = clock.here
        self._report, self._running = report, running
        self._turnstile = FileLock(journal.path.with_name(journal.path.name + ".deliver"))
        self._wake = threading.Condition()
        self._woken = self._stopping = False
        self._failures = 0
        self._not_before = 0.0  # seconds of our clock
        self._asked_the_time = 0
        self._elsewhere = False  # another process delivers
        self._awaited: dict[str, threading.Event] = {}  # by call, those in wait_for
        self._signs: dict[str, float] = {}  # call -> when the server last heard of it
        self._silent: set[str] = set()  # calls of which it wants to hear no more
        self._limit: int | None = None
        self._remaining: int | None = None
        self._thread = threading.Thread(target=self._run, name="call courier", daemon=True)
        self._thread.start()

    @property
    def offline(self) -> bool:
        """Whether the last attempt failed, or the server asked us to wait."""
        return self._failures > 0 or self._not_before > self._here.seconds()

    def wake(self) -> None:
        with self._wake:
            self._woken = True
            self._wake.notify_all()

    def wait_for(self, call_id: str, timeout: float) -> None:
        """Waits until all of the call has been answered; gives up while the server is away."""
        answered = self._awaited[call_id] = threading.Event()
        deadline = time.monotonic() + timeout
        try:
            while self._is_pending(call_id) and not self.offline and self._thread.is_alive():
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                # Another process that delivers tells us nothing.
                answered.wait(min(left, _ELSEWHERE if self._elsewhere else 1.0))
                answered.clear()
        finally:
            self._awaited.pop(call_id, None)

    def wait_for_all(self, timeout: float) -> bool:
        """Whether nothing waits any more; gives up while the server is away."""
        deadline = time.monotonic() + timeout
        while self._journal.do(book.pending):
            left = deadline - time.monotonic()
            if left <= 0 or self.offline or not self._thread.is_alive():
                return not self._journal.do(book.pending)
            with self._wake:
                self._wake.wait(min(left, _ELSEWHERE))
        return True

    def _is_pending(self, call_id: str) -> bool:
        return self._journal.do(partial(book.is_pending, call_id=call_id))

    def close(self, timeout: float) -> None:
        """Lets the request under way finish, for at most `timeout` seconds; sends no more."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopping:
            try:
                pause = self._turn()
            except JournalError as error:
                if self._stopping:
                    break
                self._report(Problem(str(error)))
                pause = _LONGEST_WAIT
            with self._wake:
                if not self._woken and not self._stopping:
                    self._here.wait(self._wake, pause)
                if self._failures == 0:
                    self._woken = False
                    continue
            self._sit_out()
        self._turnstile.release()
        self._wire.close()

    def _sit_out(self) -> None:
        """After a failure a new event is no reason to try earlier."""
        with self._wake:
            self._woken = False
        self._wait_until(self._not_before)

    def _turn(self) -> float:
        """Delivers one event, or one sign of life; seconds until there is something to do again."""
        if (left := self._not_before - self._here.seconds()) > 0:
            return left
        self._elsewhere = not self._turnstile.acquire()
        if self._elsewhere:
            return _ELSEWHERE
        try:
            letter = self._journal.do(book.next_letter)
            if letter is None:
                return self._keep_alive()
            self._deliver(letter)
            return 0.0
        finally:
            self._turnstile.release()

    def _deliver(self, letter: Letter) -> None:
        if letter.kind != "start" and self._is_hopeless(letter):
            return
        if not self._knows_the_time():
            return
        at_ms = letter.at_ms if letter.at_ms is not None else self._instant_of(letter)
        self._journal.do(partial(book.note_attempt, seq=letter.seq, at_ms=at_ms))
        answer = self._ask(_path(letter), self._body(letter, at_ms))
        if answer is None:
            return
        decided = verdict(answer, letter)
        if decided == "delivered":
            self._delivered(letter, answer)
        elif decided == "refused":
            self._refused(letter, answer)
        else:
            said = answer.error or "it did not answer as a call server does"
            self._fail(f"The server answered {answer.status}: {said}")

    def _knows_the_time(self) -> bool:
        """Asks what the server's clock shows; False if it does not answer now.

        A first call would otherwise begin as late as its request was under way. A server that has
        just started answers late, and is asked again.
        """
        while self._clock.error_ms > _ROUGH_MS and self._asked_the_time < _MOST_ASKED:
            if self._ask("/api/calls/active", None, "GET") is None:
                return False
            self._asked_the_time += 1
        return True

    def _is_hopeless(self, letter: Letter) -> bool:
        """Whether the server refused the call's start: then it cannot know of the rest either."""
        dead = self._journal.do(partial(book.bury_with_start, letter=letter))
        if dead is None:
            return False
        self._notify(letter.call_id)
        self._report(Problem(dead.error, True, letter.call_id, letter.kind, dead.code))
        return True

    def _ask(self, path: str, body: dict[str, Any] | None, method: str = "POST") -> Answer | None:
        """The server's answer; None if it must be asked again later."""
        try:
            answer = self._wire.ask(method, path, body)
        except Unreachable as error:
            self._fail(f"The server cannot be reached: {error}")
            return None
        self._limit = answer.limit if answer.limit is not None else self._limit
        self._remaining = answer.remaining
        if answer.status == 429:
            self._not_before = self._here.seconds() + answer.retry_after
            self._report(Problem(f"Too many requests; waiting {answer.retry_after:.0f} s."))
            self._notify()
            return None
        return answer

    def _fail(self, message: str) -> None:
        """Waits longer after each failure, and never exactly as long as others do."""
        self._failures += 1
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(self._failures - 1, 20))
        self._not_before = self._here.seconds() + longest * random.uniform(0.5, 1.0)
        if self._failures == 3:
            self._report(Problem(message))
        self._notify()

    def _delivered(self, letter: Letter, answer: Answer) -> None:
        self._failures = 0
        start = parse_instant(answer.body.get("start_time")) or 0
        self._journal.do(partial(book.delivered, letter=letter, answer=answer.body, start=start))
        self._signs[letter.call_id] = self._here.seconds()
        if letter.kind == "end":
            self._signs.pop(letter.call_id, None)
            self._silent.discard(letter.call_id)
        self._notify(letter.call_id)

    def _refused(self, letter: Letter, answer: Answer) -> None:
        self._failures = 0
        message = answer.error or f"HTTP {answer.status}"
        self._journal.do(
            partial(book.bury, letter=letter, code=answer.status, error=message), durable=True
        )
        self._notify(letter.call_id)
        self._report(Problem(message, True, letter.call_id, letter.kind, answer.status))

    def _notify(self, call_id: str | None = None) -> None:
        """Something changed for those who wait: for one call, or for all of them."""
        for awaited, answered in list(self._awaited.items()):
            if call_id in (None, awaited):
                answered.set()
        with self._wake:
            self._wake.notify_all()

    # --- Instants ---

    def _instant_of(self, letter: Letter) -> int | None:
        """When it happened on the server's clock, epoch ms; None while that clock is unknown.

        What follows a start is reported relative to it: so lengths are exact whatever the clocks.
        """
        now = self._clock.now_ms()
        if letter.kind == "start":
            return None if now is None else min(now, self._clock.ms_at(letter.started) or now)
        start = letter.server_start or 0  # its start was delivered before it
        reported = start + letter.ms
        if now is None:
            return reported
        if reported - now > _MOST_AHEAD_MS:  # the server's clock was set back
            return max(start, now)
        # The server would cut what lies in its future, and it may be behind by the clock's error.
        early = reported - now + min(self._clock.error_ms, _MOST_AHEAD_MS)
        self._wait_until(self._here.seconds() + early / 1000)
        return reported

    def _wait_until(self, due: float) -> None:
        """Until our clock shows `due`, or the courier stops."""
        with self._wake:
            while not self._stopping and (left := due - self._here.seconds()) > 0:
                self._here.wait(self._wake, left)

    def _body(self, letter: Letter, at_ms: int | None) -> dict[str, Any]:
        """The request: on the server's clock, or on ours with `sent_at` for it to compare."""
        name = _INSTANT_OF.get(letter.kind, "occurred_at")
        body = dict(letter.data)
        if letter.kind in _INSTANT_OF:
            body["call_id"] = letter.call_id
        if at_ms is not None:
            return body | {name: isoformat(at_ms)}
        here = self._here.now()
        started = here.wall_ms - letter.started.ms_until(here)
        return body | {name: isoformat(started), "sent_at": isoformat(here.wall_ms)}

    # --- Signs of life ---

    def _keep_alive(self) -> float:
        """Tells the server of one running call that is due; seconds until the next is."""
        calls = [one for one in self._running() if one not in self._silent]
        every = self._heartbeat_interval(len(calls))
        now = self._here.seconds()
        due = {one: self._signs.setdefault(one, now) + every for one in calls}
        for one in set(self._signs) - set(calls):
            del self._signs[one]
        if not due:
            return _LONGEST_WAIT
        call_id = min(due, key=lambda one: due[one])
        if (left := due[call_id] - now) > 0:
            return left
        self._signs[call_id] = now
        if self._remaining is None or self._remaining > (self._limit or 0) // 10:
            self._heartbeat(call_id)
        return 0.0

    def _heartbeat(self, call_id: str) -> None:
        answer = self._ask(f"/api/calls/{call_id}/heartbeat", None)
        if answer is None:
            return
        if answer.status >= 500:
            self._fail(f"The server answered {answer.status}")
            return
        self._failures = 0
        if answer.status >= 400:  # ended by the watch over stale calls, or never known there
            self._silent.add(call_id)

    def _heartbeat_interval(self, calls: int) -> float:
        """Seconds between two signs of life of a call, so that events always have room."""
        room = (self._limit or 1000) * _HEARTBEAT_SHARE
        return min(_SLOWEST_HEARTBEAT, max(_HEARTBEAT, calls * 3600 / max(1.0, room)))


def _path(letter: Letter) -> str:
    if letter.kind in _INSTANT_OF:
        return f"/api/calls/{letter.kind}"
    return f"/api/calls/{letter.call_id}/{letter.kind}"
