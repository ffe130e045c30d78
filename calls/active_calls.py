"""A person's running calls as the desk and the header's timer show them: one query a request, and
one instant, so that all clocks of a page agree."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from accounts.models import User
from accounts.requests import PageRequest
from calls.models import CallLog, Disposition
from calls.models.readers import Reader
from common.databases.prepared_sql import A_NUMBER, Prepared
from common.instants import now, to_ms

# Session: keys of running calls whose owner chose to keep them beside another.
KEPT = "kept_calls"
_ASKED = "_running_calls"  # request: the instant, and the calls that ran then


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
    return _asked(request)[1]


def shown_at(request: PageRequest) -> dt.datetime:
    """The instant at which the lengths of the running calls are what they say."""
    return _asked(request)[0]


def _asked(request: PageRequest) -> tuple[dt.datetime, list[RunningCall]]:
    if _ASKED not in request.__dict__:
        request.__dict__[_ASKED] = _ask(request.user, set(request.session.get(KEPT, ())))
    asked: tuple[dt.datetime, list[RunningCall]] = request.__dict__[_ASKED]
    return asked


def forget(request: PageRequest) -> None:
    """The request changed a call: whoever asks next asks the database."""
    request.__dict__.pop(_ASKED, None)


def _ask(user: User, kept: set[int]) -> tuple[dt.datetime, list[RunningCall]]:
    calls: list[CallLog] = _OWN_ACTIVE.found(user.pk)
    reader = Reader(user)
    for call in calls:
        call.show_to(reader)
    present = now()
    return present, [_shown(call, place, kept, present) for place, call in enumerate(calls)]


# What `own(user).active()` asks for: every page does.
_OWN_ACTIVE: Final = Prepared(
    lambda: (
        CallLog.objects.filter(user_id=A_NUMBER)
        .active()
        .select_related("contact", "user__team")
        .order_by("-start_time", "-pk")
    ),
    A_NUMBER,
)


def _shown(call: CallLog, place: int, kept: set[int], present: dt.datetime) -> RunningCall:
    undecided = call.activity in ("calling", "talking") and call.pk not in kept
    return RunningCall(
        call=call,
        elapsed_ms=call.tracked_ms(present),
        amber=call.amber_seconds,
        red=call.red_seconds,
        asks=place > 0 and undecided,
    )


@dataclass(frozen=True)
class Timer:
    """What the header shows at an instant (epoch ms): the newest call that is not paused, and how
    many more there are."""

    shown: RunningCall | None
    more: int
    at_ms: int

    @classmethod
    def of(cls, request: PageRequest) -> "Timer":
        calls = running_calls(request)
        ticking = [running for running in calls if running.runs]
        shown = next(iter(ticking or calls), None)
        return cls(shown, max(0, len(calls) - 1), to_ms(shown_at(request)))


@dataclass(frozen=True)
class WrapUp:
    """The work after a call at the instant the page is made. Its clock counts up to the cap."""

    call: CallLog
    elapsed_ms: int
    cap: int  # seconds

    @property
    def seconds(self) -> int:
        return self.elapsed_ms // 1000

    @property
    def amber(self) -> int:
        """Seconds from which the cap is near."""
        return self.cap * 3 // 4


def wrap_up_of(user: User, present: dt.datetime) -> WrapUp | None:
    """What `user` has not been ready with since the last call, if anything."""
    calls = CallLog.objects.own(user).wrapping_up().select_related("contact")
    call = calls.order_by("-wrap_up_since").first()
    if call is None or call.wrap_up_since is None:
        return None
    cap = settings.WRAP_UP_CAP_SECONDS
    elapsed = to_ms(present) - to_ms(call.wrap_up_since)
    # The worker closes it within a minute of the cap; the page need not wait for that.
    return WrapUp(call, max(0, elapsed), cap) if elapsed < cap * 1000 else None


def current_context(request: PageRequest) -> dict[str, Any]:
    """What calls/_current_calls.html shows."""
    present = shown_at(request)
    wrap_up = wrap_up_of(request.user, present)
    running = running_calls(request)
    asks = wrap_up is not None or (running and not settings.WRAP_UP_CAP_SECONDS)
    outcomes = list(Disposition.objects.offered_to(request.user)) if asks else []
    return {
        "running": running,
        "at_ms": to_ms(present),
        "wrap_up": wrap_up,
        "outcomes": outcomes,
        "asks_at_end": not settings.WRAP_UP_CAP_SECONDS,  # else after it
    }
