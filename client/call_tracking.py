"""Tracks the calls that a program makes, in three lines.

    tracker = initialize_tracker("https://calls.example.com", "cm_...")
    tracker.start_call(contact_phone="+506 8888 7777")
    result = tracker.end_call("COMPLETED", notes="Will call back")

Starting and ending never wait for the network longer than a moment. What happens is written to a
journal on this computer first and delivered to the server in the background, exactly once; no
second is lost when the network, the server or this program dies in mid-call.
"""

from __future__ import annotations

import atexit
import collections
import contextlib
import logging
import threading
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Callable

from callmanager_track import book
from callmanager_track.book import DeadLetter
from callmanager_track.clocks import CLOCK, Clock, Moment, format_duration, new_call_id
from callmanager_track.courier import Problem
from callmanager_track.end_words import STATUSES, checked_status
from callmanager_track.journal import JournalError
from callmanager_track.live import Subscription
from callmanager_track.recorder import Recorder, end_data
from callmanager_track.session import CallSession
from callmanager_track.ticker import Ticker, TimerCallback

__all__ = [
    "STATUSES",
    "CallSession",
    "CallTracker",
    "DeadLetter",
    "JournalError",
    "Problem",
    "Subscription",
    "format_duration",
    "get_tracker",
    "initialize_tracker",
]

logger = logging.getLogger("call_tracking")
_MOST_NOTES = 10_000
_HISTORY = 1000


class CallTracker:
    """The calls of one program with one key. Every method may be used from any thread.

    Where a method means "the call", it is the one that this thread started last, else the one that
    was started last; a second call while one runs is two calls, as with two lines.

    `timeout`: seconds that a request, and the wait for an answer in `end_call`, may take.
    `journal`: the journal's file; without it one for this server and key in the user's data folder.
    `on_error`: told of every Problem, in a thread of ours; without it they are logged.
    `unfinished`: what becomes of calls that a killed program left in the journal: "close" ends them
    as DROPPED at their last sign of life, "keep" leaves them to `resume_call` and `close_call`.
    `clock`: by which calls are measured and reported; this machine's.
    Raises ValueError for an address or key that cannot be one, JournalError without a journal.
    """

    def __init__(
        self,
        base_url: str = "",
        api_key: str = "",
        *,
        server_url: str = "",
        timeout: float = 5.0,
        journal: str | Path | None = None,
        on_error: Callable[[Problem], object] | None = None,
        unfinished: str = "close",
        clock: Clock = CLOCK,
    ):
        if unfinished not in ("close", "keep"):
            raise ValueError('unfinished is "close" or "keep".')
        self.base_url = base_url or server_url
        self._api_key = api_key
        self._timeout = timeout
        self.clock = clock
        self._on_error = on_error
        self._on_tick: TimerCallback | None = None
        self._lock = threading.Lock()  # guards the four below; never held while anybody waits
        self._running: list[CallSession] = []
        self._ended: collections.deque[CallSession] = collections.deque(maxlen=_HISTORY)
        self._sums = _Sums()
        self._subscriptions: list[Subscription] = []
        self._closed = False
        self._recorder = Recorder(
            self.base_url,
            api_key,
            journal=Path(journal) if journal else None,
            timeout=timeout,
            report=self._report,
            owned=True,
            clock=clock,
        )
        if unfinished == "close":
            for session in self._recorder.unfinished():
                self._recorder.close_at_last_sign(session, "DROPPED")
        # An object of our own: unregister() takes away all that equal what it is given.
        self._at_exit = atexit.register(partial(_close_at_exit, weakref.ref(self)))

    # --- A call ---

    def start_call(
        self,
        contact_id: str | None = None,
        contact_phone: str | None = None,
        *,
        phone_number: str | None = None,
        direction: str = "outbound",
        provider: str = "",
        started: Moment | None = None,
    ) -> str:
        """Starts a call now: its id. On the disk when this returns; the network is not waited for.

        `direction`: outbound, inbound or internal. Raises ValueError for text that is too long.
        """
        if direction not in ("outbound", "inbound", "internal"):
            raise ValueError("direction is one of: outbound, inbound, internal.")
        session = CallSession(
            new_call_id(self.clock.now()),
            contact_id,
            contact_phone or phone_number,
            started=started,
            clock=self.clock,
        )
        self._recorder.begin(session, direction, provider)
        self._attach(session)
        return session.call_id

    def end_call(
        self,
        status: str = "COMPLETED",
        notes: str = "",
        *,
        call_id: str | None = None,
        at: Moment | None = None,
        wait: float | None = None,
    ) -> dict[str, Any]:
        """Ends the call, now or at a moment before: its duration and the agent's figures.

        `status`: one of STATUSES, or a plain word for it; of "busy" the server keeps why, too.
        All whole numbers. Waits at most `wait` seconds (`timeout`, unless given) for the server;
        without its answer the figures are estimated and `confirmed` is False. Raises ValueError
        for an unknown status or notes that are too long, RuntimeError if no call is running.
        """
        checked_status(status)
        if len(notes) > _MOST_NOTES:
            raise ValueError(f"Notes may have at most {_MOST_NOTES} characters.")
        session = self._the_call(call_id)
        self._finish(session, status, notes, at)
        return self._recorder.result_of(session, self._timeout if wait is None else wait)

    def pause(self, *, call_id: str | None = None) -> None:
        """Stops the timer: this time is not counted. RuntimeError if no call is running."""
        self._step("pause", call_id)

    def hold(self, *, call_id: str | None = None) -> None:
        """Puts the call on hold: counted as hold time, not as talk."""
        self._step("hold", call_id)

    def resume(self, *, call_id: str | None = None) -> None:
        """Goes on after a pause, a hold, or both."""
        self._step("unpause", call_id)
        self._step("resume", call_id)

    def answer(self, *, call_id: str | None = None, at: Moment | None = None) -> None:
        """The other side answered: what was before is ring time."""
        self._step("answer", call_id, at)

    @contextlib.contextmanager
    def call(
        self,
        contact_id: str | None = None,
        contact_phone: str | None = None,
        *,
        phone_number: str | None = None,
    ) -> Iterator[CallSession]:
        """`with tracker.call(contact_phone=...)`: COMPLETED at its end, FAILED by an exception.

        What ended inside the block stays as it ended.
        """
        call_id = self.start_call(contact_id, contact_phone, phone_number=phone_number)
        session = self._the_call(call_id)
        try:
            yield session
        except BaseException:
            self._finish(session, "FAILED")
            raise
        if session.running:
            self.end_call(call_id=call_id)

    @property
    def current_call(self) -> CallSession | None:
        """The call that runs now; None when idle."""
        with self._lock:
            return self._newest()

    def get_current_duration(self) -> int:
        """Tracked seconds of the call that runs; 0 when idle."""
        session = self.current_call
        return 0 if session is None else session.get_duration()

    @staticmethod
    def format_duration(seconds: float) -> str:
        """`MM:SS`, from an hour on `HH:MM:SS`."""
        return format_duration(seconds)

    def set_timer_callback(self, callback: TimerCallback | None) -> None:
        """Calls `callback(seconds, formatted)` at each second of the call that runs, from 0 on.

        In a thread of ours that ends with the call. A pause makes no seconds; a callback that is
        slow misses seconds and delays nothing. None stops it.
        """
        with self._lock:
            fresh, self._on_tick = self._on_tick is None, callback
            running = list(self._running) if fresh and callback is not None else []
        for session in running:
            self._tick(session)

    # --- What was ---

    def get_session_history(self, limit: int = 10) -> list[dict[str, Any]]:
        """The last calls that this tracker ended, newest first, as `CallSession.to_dict`."""
        with self._lock:
            ended = list(self._ended)
        return [session.to_dict() for session in ended[: -max(0, limit) - 1 : -1]]

    def get_metrics(self) -> dict[str, int]:
        """Figures of the calls that this tracker ended; lengths in whole seconds."""
        with self._lock:
            return self._sums.as_dict()

    # --- Calls that a killed program left ---

    def unfinished_calls(self) -> list[CallSession]:
        """The calls in the journal whose program is no more; with `unfinished="keep"`."""
        return self._recorder.unfinished()

    def resume_call(self, call_id: str) -> CallSession:
        """Goes on with such a call, as if nothing had been. LookupError if there is none."""
        session = self._recorder.adopt(call_id)
        self._attach(session)
        return session

    def close_call(self, call_id: str, status: str = "DROPPED", notes: str = "") -> None:
        """Ends such a call at its last sign of life. LookupError if there is none."""
        checked_status(status)
        for session in self._recorder.unfinished():
            if session.call_id == call_id:
                self._recorder.close_at_last_sign(session, status, notes)
                return
        raise LookupError(f"There is no unfinished call {call_id} here.")

    # --- Delivery ---

    @property
    def pending(self) -> int:
        """How many events wait to be delivered."""
        return self._recorder.journal.do(book.pending)

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until everything is delivered; False if it is not, or the server is away."""
        return self._recorder.flush(timeout)

    def dead_letters(self) -> list[DeadLetter]:
        """What the server refused, oldest first."""
        return self._recorder.journal.do(book.dead_letters)

    def retry_dead_letters(self) -> int:
        """Tries all of them again; how many."""
        revived = self._recorder.journal.do(book.revive, durable=True)
        self._recorder.courier.wake()
        return revived

    def subscribe(self, callback: Callable[[dict[str, Any]], object]) -> Subscription:
        """Calls back with each of the dashboard's events until the result is closed.

        RuntimeError without the extra `live` (`pip install './client[live]'`).
        """
        subscription = Subscription(self.base_url, self._api_key, callback)
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def close(self, timeout: float = 5.0, status: str | None = "DROPPED") -> None:
        """Ends what runs with `status`, delivers for at most `timeout` seconds, stops all threads.

        With `status=None` running calls stay in the journal for the next start. What could not be
        delivered is delivered then. Closing twice is closing once.
        """
        if status is not None:
            checked_status(status)
        with self._lock:
            if self._closed:
                return
            self._closed = True
            running, subscriptions = list(self._running), list(self._subscriptions)
        for subscription in subscriptions:
            subscription.close()
        for session in running:
            if status is None:
                session.finish(session.status)  # here only: timers end, the journal's call does not
            else:
                self._finish(session, status)
        self._recorder.close(timeout)
        atexit.unregister(self._at_exit)

    def __enter__(self) -> CallTracker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Within ---

    def _attach(self, session: CallSession) -> None:
        session.by = threading.current_thread()
        session._end = partial(self._end_session, session)
        with self._lock:
            self._running.append(session)
            ticking = self._on_tick is not None
        if ticking:
            self._tick(session)

    def _end_session(self, session: CallSession, status: str) -> int:
        self._finish(session, status)
        return session.get_duration()

    def _finish(
        self, session: CallSession, status: str, notes: str = "", at: Moment | None = None
    ) -> None:
        ms = None if at is None else session.elapsed_ms(at)
        step = session.finish(checked_status(status), ms)
        if step is None:
            return
        with self._lock:
            self._running.remove(session)
            self._ended.append(session)
            self._sums.add(session)
        self._recorder.note(session, step, **end_data(status, notes))

    def _step(self, kind: str, call_id: str | None, at: Moment | None = None) -> None:
        session = self._the_call(call_id)
        step = session.step(kind, at)
        if step is not None:
            self._recorder.note(session, step)

    def _the_call(self, call_id: str | None) -> CallSession:
        with self._lock:
            if call_id is None:
                session = self._newest()
            else:
                session = next((one for one in self._running if one.call_id == call_id), None)
        if session is None:
            raise RuntimeError("No call is running. Start one with start_call().")
        return session

    def _newest(self) -> CallSession | None:
        here = threading.current_thread()
        mine = [session for session in self._running if session.by is here]
        candidates = mine or self._running
        return candidates[-1] if candidates else None

    def _tick(self, session: CallSession) -> None:
        Ticker(session, partial(self._callback_for, session)).start()

    def _callback_for(self, session: CallSession) -> TimerCallback | None:
        """One display shows one call: the one that was started last."""
        with self._lock:
            return self._on_tick if self._running[-1:] == [session] else None

    def _report(self, problem: Problem) -> None:
        logger.warning("%s", problem.message)
        if self._on_error is None:
            return
        try:
            self._on_error(problem)
        except Exception:
            logger.exception("The error callback failed")


class _Sums:
    """Figures of ended calls, kept so that a long day takes no memory."""

    def __init__(self) -> None:
        self.calls = self.completed = self.total = self.longest = self.shortest = 0

    def add(self, session: CallSession) -> None:
        seconds = session.get_duration()
        self.shortest = seconds if self.calls == 0 else min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)
        self.calls += 1
        self.completed += session.status == "COMPLETED"
        self.total += seconds

    def as_dict(self) -> dict[str, int]:
        return {
            "total_calls": self.calls,
            "completed_calls": self.completed,
            "total_duration": self.total,
            "avg_duration": self.total // self.calls if self.calls else 0,
            "longest_call": self.longest,
            "shortest_call": self.shortest,
        }


# --- One tracker for a whole program ---

_tracker: CallTracker | None = None
_tracker_lock = threading.Lock()


def initialize_tracker(
    base_url: str = "", api_key: str = "", *, server_url: str = "", **options: Any
) -> CallTracker:
    """Makes the program's tracker, which `get_tracker` then gives; closes the one before.

    `options` are those of CallTracker.
    """
    global _tracker
    fresh = CallTracker(base_url, api_key, server_url=server_url, **options)
    with _tracker_lock:
        former, _tracker = _tracker, fresh
    if former is not None:
        former.close()
    return fresh


def get_tracker() -> CallTracker:
    """The program's tracker. RuntimeError before `initialize_tracker`."""
    tracker = _tracker
    if tracker is None:
        raise RuntimeError(
            "The call tracker has not been initialized. "
            "Call initialize_tracker(base_url, api_key) first."
        )
    return tracker


def _close_at_exit(reference: weakref.ref[CallTracker]) -> None:
    tracker = reference()
    if tracker is not None:
        tracker.close(timeout=2.0)
