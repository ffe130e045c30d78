"""Journal and courier together: what happens to calls is written down, then reported.

A tracker in a program owns its calls by a lock that dies with the process; calls of the command
line belong to nobody (book.DETACHED) and outlive the commands.
"""

from __future__ import annotations

import threading
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any, Callable

from callmanager_track import book
from callmanager_track.clocks import CLOCK, Clock, ServerClock
from callmanager_track.courier import Courier, Problem
from callmanager_track.end_words import checked_status
from callmanager_track.folders import journal_of
from callmanager_track.journal import Journal, JournalError
from callmanager_track.locks import FileLock
from callmanager_track.session import CallSession, Step
from callmanager_track.wire import Wire

_PULSE_SECONDS = 1.0


class Recorder:
    """Writes calls into the journal of one server and key, and has them delivered."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        journal: Path | None,
        timeout: float,
        report: Callable[[Problem], None],
        owned: bool,
        clock: Clock = CLOCK,
    ):
        server_clock = ServerClock(clock)
        wire = Wire(base_url, api_key, timeout, server_clock)
        self.journal = Journal(Path(journal) if journal else journal_of(base_url, api_key))
        self._report, self._clock = report, clock
        self.owner = uuid.uuid4().hex if owned else book.DETACHED
        self._lock = self._lock_of(self.owner)
        if owned:
            self._lock.acquire()
        self.live: dict[str, CallSession] = {}  # the running calls to keep alive
        self._closing = threading.Event()
        self._calls_run = threading.Event()
        self.courier = Courier(self.journal, wire, server_clock, report, lambda: list(self.live))
        self._pulse = threading.Thread(target=self._beat, name="call pulse", daemon=True)
        self._pulse.start()
        if self.journal.set_aside:
            report(Problem(f"The journal was damaged; it is kept as {self.journal.set_aside}."))
        self.journal.post(partial(book.forget_old, now=clock.now()))

    def _lock_of(self, owner: str) -> FileLock:
        return FileLock(self.journal.path.with_name(f"{self.journal.path.name}.{owner}.owner"))

    # --- What happens to a call: on the disk when these return ---

    def begin(self, session: CallSession, direction: str = "outbound", provider: str = "") -> None:
        self.journal.do(
            partial(
                book.add_call,
                session=session,
                owner=self.owner,
                direction=direction,
                provider=provider,
            ),
            durable=True,
        )
        self.keep_alive(session)
        self.courier.wake()

    def note(self, session: CallSession, step: Step, **data: Any) -> bool:
        """Writes `step` down; False if another process has ended the call meanwhile."""
        if step.kind == "end":
            self._let_go(session)
        known = self.journal.do(
            partial(book.add_step, session=session, step=step, data=data), durable=True
        )
        self.courier.wake()
        return known

    def keep_alive(self, session: CallSession) -> None:
        self.live[session.call_id] = session
        self._calls_run.set()

    def _let_go(self, session: CallSession) -> None:
        self.live.pop(session.call_id, None)

    def result_of(self, session: CallSession, timeout: float) -> dict[str, Any]:
        """What ending the call led to: the server's figures, or an estimate while it is away."""
        self.courier.wait_for(session.call_id, timeout)
        answer = self.journal.do(partial(book.answer_to_end, call_id=session.call_id))
        figures = answer or self.journal.do(book.estimated_figures)
        return {
            "call_id": session.call_id,
            "status": session.status,
            "duration_seconds": session.get_duration(),
            **{name: _whole(figures.get(name)) for name in book.FIGURES},
            "confirmed": answer is not None,
        }

    def flush(self, timeout: float) -> bool:
        """Whether everything has been reported, after waiting for it; gives up while offline."""
        self.courier.wake()
        return self.courier.wait_for_all(timeout)

    # --- Calls that a dead program left ---

    def unfinished(self) -> list[CallSession]:
        """The running calls whose program is no more, oldest first."""
        rows = self.journal.do(book.running)
        orphans = [row for row in rows if self._is_orphan(row["owner"])]
        return [book.session_of(row, self._clock) for row in orphans]

    def _is_orphan(self, owner: str) -> bool:
        if owner in (self.owner, book.DETACHED):
            return False
        lock = self._lock_of(owner)
        if not lock.acquire():
            return False
        lock.release(remove=True)
        return True

    def adopt(self, call_id: str) -> CallSession:
        """Goes on with a call that its program left. LookupError if there is none such."""
        row = self.journal.do(partial(book.call, call_id=call_id))
        if row is None or row["end_ms"] is not None or not self._is_orphan(row["owner"]):
            raise LookupError(f"There is no unfinished call {call_id} here.")
        taken = partial(book.take_over, call_id=call_id, owner=self.owner, former=row["owner"])
        if not self.journal.do(taken, durable=True):
            raise LookupError(f"The call {call_id} was taken over by another program.")
        session = book.session_of(row, self._clock)
        self.keep_alive(session)
        return session

    def close_at_last_sign(self, session: CallSession, status: str, notes: str = "") -> None:
        """Ends a call at the last moment it was known to be alive."""
        row = self.journal.do(partial(book.call, call_id=session.call_id))
        if row is None:
            return
        ms = max(row["alive_ms"], row["last_ms"])
        step = session.finish(checked_status(status), at_ms=ms)
        if step is not None:
            self.note(session, step, **end_data(status, notes))

    # --- Calls that no program holds ---

    def detached(self) -> list[CallSession]:
        """The running calls of the command line, oldest first."""
        rows = self.journal.do(partial(book.running, owner=book.DETACHED))
        return [book.session_of(row, self._clock) for row in rows]

    def look_after(self, sessions: list[CallSession]) -> None:
        """Keeps these calls alive and no others."""
        for call_id in set(self.live) - {session.call_id for session in sessions}:
            self.live.pop(call_id, None)
        for session in sessions:
            self.keep_alive(session)

    # --- Signs of life, and the end ---

    def _beat(self) -> None:
        """Notes every second which calls live, so that a dead program's call ends then."""
        while self._calls_run.wait():
            self._clock.wait(self._closing, _PULSE_SECONDS)
            if self._closing.is_set():
                return
            self._note_alive()
            if not self.live:
                self._calls_run.clear()
                if self.live or self._closing.is_set():  # said between the look and the clearing
                    self._calls_run.set()

    def _note_alive(self) -> None:
        now = self._clock.now()
        signs = {one.call_id: one.elapsed_ms(now) for one in list(self.live.values())}
        if signs:
            self.journal.post(partial(book.note_alive, signs=signs))

    def close(self, timeout: float) -> None:
        """Delivers for at most `timeout` seconds what can be, and stops every thread."""
        deadline = time.monotonic() + timeout
        try:
            self._note_alive()
            self.flush(timeout)
        except JournalError as error:
            self._report(Problem(str(error)))
        self._closing.set()
        self._calls_run.set()
        self._pulse.join()
        self.courier.close(max(0.2, deadline - time.monotonic()))
        self.journal.close()
        self._lock.release(remove=True)


def end_data(status: str, notes: str) -> dict[str, str]:
    return {"status": status, "notes": notes} if notes else {"status": status}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
