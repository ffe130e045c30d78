"""What the worker does every few seconds, which is more often than its queue's clock allows.

`@every(seconds)` adds a function. One thread of one worker runs them, one after another; the others
stand by (`leadership.py`). A tick looks first and writes only where there is something to write.
When a leader dies in the middle of a tick, the next one runs it again.
"""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from django.db import close_old_connections

from common.instants import now
from upkeep.jobs.failures import FAILURES_TO_TELL, one_line
from upkeep.jobs.leadership import Leadership
from upkeep.signals import job_failed, job_recovered

logger = logging.getLogger(__name__)

TICKS: Final[list["Tick"]] = []

_LOOK_SECONDS: Final = 1.0  # so often it is seen whether this process leads
# A tick that goes on failing is told of so often; in between it is only counted.
_TELL_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Tick:
    run: Callable[[], None]
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.run.__module__}.{self.run.__qualname__}"


def every(seconds: float) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Has the worker call the function every `seconds`, in one worker of however many."""

    def add(run: Callable[[], None]) -> Callable[[], None]:
        TICKS.append(Tick(run, seconds))
        return run

    return add


@dataclass(frozen=True)
class TickState:
    """What is known of a tick in the process that runs it."""

    runs: int = 0
    failures: int = 0  # in a row
    started_at: dt.datetime | None = None
    took_seconds: float = 0.0
    error: str = ""  # of the last run, one line


@dataclass
class _Planned:
    tick: Tick
    due: float  # on the monotonic clock
    told_at: float = field(default=float("-inf"))


class Ticker:
    """The thread that runs the ticks while its process leads."""

    def __init__(self, ticks: list[Tick]) -> None:
        self._ticks = ticks
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.states: dict[str, TickState] = {}  # by the tick's name; replaced, never changed
        self.leads = False

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="Ticker", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Lets the running tick end, waits so long for that, and gives the lead away."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        leadership = Leadership()
        begun = time.monotonic()
        plan = [_Planned(tick, begun) for tick in self._ticks]
        try:
            while not self._stop.is_set():
                self.leads = leadership.is_held()
                pause = _LOOK_SECONDS
                if self.leads:
                    self._run_due(plan)
                    next_due = min((one.due for one in plan), default=float("inf"))
                    pause = min(pause, max(next_due - time.monotonic(), 0))
                self._stop.wait(pause)
        finally:
            self.leads = False
            leadership.give_up()
            close_old_connections()

    def _run_due(self, plan: list[_Planned]) -> None:
        for one in plan:
            begun = time.monotonic()
            if one.due > begun or self._stop.is_set():
                continue
            self._run_one(one)
            # What was missed meanwhile is not made up for.
            missed = int(max(time.monotonic() - one.due, 0) // one.tick.seconds)
            one.due += one.tick.seconds * (missed + 1)

    def _run_one(self, one: _Planned) -> None:
        name = one.tick.name
        before = self.states.get(name, TickState())
        started_at, begun = now(), time.monotonic()
        error = ""
        failures = 0
        close_old_connections()
        try:
            one.tick.run()
        except Exception as reason:
            error, failures = one_line(reason), before.failures + 1
            self._tell_failure(one, failures, error)
        self.states = self.states | {
            name: replace(
                before,
                runs=before.runs + 1,
                failures=failures,
                started_at=started_at,
                took_seconds=time.monotonic() - begun,
                error=error,
            )
        }
        if not error and before.failures:
            self._tell_recovery(one, before.failures)
        close_old_connections()

    def _tell_failure(self, one: _Planned, failures: int, error: str) -> None:
        """In the log at the first, to others from the third on; then once a minute."""
        newly = failures in (1, FAILURES_TO_TELL)
        if not newly and time.monotonic() - one.told_at < _TELL_SECONDS:
            return
        one.told_at = time.monotonic()
        name = one.tick.name
        logger.exception("The tick %s failed (%d times in a row)", name, failures)
        if failures >= FAILURES_TO_TELL:
            job_failed.send_robust(sender=None, name=name, failures=failures, error=error)

    def _tell_recovery(self, one: _Planned, failures: int) -> None:
        one.told_at = float("-inf")
        name = one.tick.name
        logger.info("The tick %s goes well again, after %d failures", name, failures)
        if failures >= FAILURES_TO_TELL:
            job_recovered.send_robust(sender=None, name=name)
