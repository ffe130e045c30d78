"""A person's running calls as the desk and the header's timer show them: one query a request."""

import datetime as dt
from dataclasses import dataclass

from accounts.models import User
from accounts.requests import PageRequest
from calls.instants import now
from calls.models import CallLog

KEPT = "kept_calls"  # session: running calls whose owner chose to keep them beside another
_ASKED = "_running_calls"


@dataclass(frozen=True)
class RunningCall:
    """A running call at the instant the page is made. Lengths in ms and whole seconds."""

    call: CallLog
    elapsed_ms: int
    amber: int
    red: int
    asks: bool = False  # another call was started while this one runs: what to do with it?

    @property
    def seconds(self) -> int:
        return self.elapsed_ms // 1000

    @property
    def runs(self) -> bool:
        return self.call.paused_since is None

    @property
    def level(self) -> str:
        """green, amber or red: the colour of its clock."""
        if self.seconds >= self.red:
            return "red"
        return "amber" if self.seconds >= self.amber else "green"


def running_calls(request: PageRequest) -> list[RunningCall]:
    """The signed-in person's running calls, newest first; asked once a request."""
    if _ASKED not in request.__dict__:
        request.__dict__[_ASKED] = _ask(request.user, set(request.session.get(KEPT, ())))
    return request.__dict__[_ASKED]


def forget(request: PageRequest) -> None:
    """The request changed a call: whoever asks next asks the database."""
    request.__dict__.pop(_ASKED, None)


def _ask(user: User, kept: set[str]) -> list[RunningCall]:
    calls = (
        CallLog.objects.filter(user=user)
        .active()
        .select_related("contact", "user__team")
        .order_by("-start_time", "-pk")
    )
    present = now()
    return [_shown(call, place, kept, present) for place, call in enumerate(calls)]


def _shown(call: CallLog, place: int, kept: set[str], present: dt.datetime) -> RunningCall:
    undecided = call.activity in ("calling", "talking") and str(call.call_id) not in kept
    return RunningCall(
        call=call,
        elapsed_ms=call.tracked_ms(present),
        amber=call.user.amber_seconds,
        red=call.user.red_seconds,
        asks=place > 0 and undecided,
    )


@dataclass(frozen=True)
class Timer:
    """What the header shows: the newest call that is not paused, and how many more there are."""

    shown: RunningCall | None
    more: int

    @classmethod
    def of(cls, calls: list[RunningCall]) -> "Timer":
        ticking = [running for running in calls if running.runs]
        shown = next(iter(ticking or calls), None)
        return cls(shown, max(0, len(calls) - 1))
