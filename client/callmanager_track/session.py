"""One call as this computer sees it: exact lengths from the monotonic clock."""

from __future__ import annotations

import threading
from typing import Any, Callable, NamedTuple

from callmanager_track.clocks import CLOCK, Clock, Moment, isoformat
from callmanager_track.end_words import checked_status

IN_PROGRESS = "IN_PROGRESS"


class Step(NamedTuple):
    """Something that happened in a call, `ms` after its start; no two at the same millisecond."""

    kind: str
    ms: int


def _reference(name: str, value: object, longest: int) -> str | None:
    text = None if value is None else str(value)
    if text is not None and len(text) > longest:
        raise ValueError(f"{name} may have at most {longest} characters.")
    return text


class CallSession:
    """A call that begins as the object is made. Safe to use from several threads.

    Lengths are whole seconds, floored; a pause is not counted, a hold is.
    """

    def __init__(
        self,
        call_id: str,
        contact_id: str | None = None,
        contact_phone: str | None = None,
        *,
        started: Moment | None = None,
        clock: Clock = CLOCK,
    ):
        self.call_id = call_id
        self.contact_id = _reference("contact_id", contact_id, 100)
        self.contact_phone = _reference("contact_phone", contact_phone, 64)
        self.clock = clock
        self.started = started or clock.now()
        self.status = IN_PROGRESS
        self.answered_ms: int | None = None
        self.end_ms: int | None = None
        self.paused_ms = 0
        self.paused_since: int | None = None
        self.held_since: int | None = None
        self.last_ms = 0
        self.by: threading.Thread | None = None  # which thread began it
        self.on_change = threading.Condition()  # told of pause, resume and end
        self._end: Callable[[str], int] | None = None  # how a tracker ends it

    def end_call(self, status: str = "COMPLETED") -> int:
        """Ends the call: its tracked seconds. Again changes nothing. ValueError: unknown status."""
        meant = checked_status(status)
        if self._end is not None:
            return self._end(status)
        self.finish(meant)
        return self.get_duration()

    def get_duration(self) -> int:
        """Tracked seconds up to now, or up to the end."""
        return self.tracked_ms() // 1000

    def to_dict(self) -> dict[str, Any]:
        """The call for JSON; instants by this computer's clock, ISO 8601 in UTC."""
        end = self.end_ms
        return {
            "call_id": self.call_id,
            "contact_id": self.contact_id,
            "contact_phone": self.contact_phone,
            "start_time": isoformat(self.started.wall_ms),
            "end_time": None if end is None else isoformat(self.started.wall_ms + end),
            "duration_seconds": self.get_duration(),
            "status": self.status,
        }

    @property
    def running(self) -> bool:
        return self.end_ms is None

    def elapsed_ms(self, at: Moment | None = None) -> int:
        """Milliseconds since the start."""
        return self.started.ms_until(at or self.clock.now())

    def tracked_ms(self) -> int:
        """Milliseconds up to now (or the end, or the pause that lasts), less the pauses."""
        with self.on_change:
            until = self.end_ms if self.end_ms is not None else self.paused_since
            return max(0, (self.elapsed_ms() if until is None else until) - self.paused_ms)

    def step(self, kind: str, at: Moment | None = None) -> Step | None:
        """Notes that `kind` happened; None if that was so already, or the call is over."""
        with self.on_change:
            if not self.running or self._says_nothing(kind):
                return None
            ms = max(self.last_ms + 1, self.elapsed_ms(at))
            self._apply(kind, ms)
            self.on_change.notify_all()
            return Step(kind, ms)

    def finish(self, status: str, at_ms: int | None = None) -> Step | None:
        """Ends the call, now or `at_ms` after its start; None if it was over already."""
        with self.on_change:
            if not self.running:
                return None
            ms = max(self.last_ms, self.elapsed_ms() if at_ms is None else at_ms)
            if self.paused_since is not None:
                self.paused_ms += ms - self.paused_since
                self.paused_since = None
            self.end_ms = self.last_ms = ms
            self.status = status
            self.on_change.notify_all()
            return Step("end", ms)

    def _says_nothing(self, kind: str) -> bool:
        return {
            "answer": self.answered_ms is not None,
            "hold": self.held_since is not None,
            "resume": self.held_since is None,
            "pause": self.paused_since is not None,
            "unpause": self.paused_since is None,
        }[kind]

    def _apply(self, kind: str, ms: int) -> None:
        self.last_ms = ms
        if kind == "answer":
            self.answered_ms = ms
        elif kind == "hold":
            self.held_since = ms
        elif kind == "resume":
            self.held_since = None
        elif kind == "pause":
            self.paused_since = ms
        elif self.paused_since is not None:
            self.paused_ms += ms - self.paused_since
            self.paused_since = None
