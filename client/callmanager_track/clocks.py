"""Moments that survive a wrong clock, the server's clock as far as it is known, and ids in order.

Lengths are taken from the monotonic clock; the wall clock is asked only where the two ends of a
length lie in different boots of the machine. What is measured and what is due goes by one Clock,
which the tracker is given; how long a caller or a request may be held up is the system's time.
"""

from __future__ import annotations

import datetime as dt
import os
import time
import uuid
from pathlib import Path
from typing import NamedTuple, Protocol

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_MILLISECOND = dt.timedelta(milliseconds=1)
# How far two clocks drift apart, in nanoseconds a nanosecond: 0.2 s in a quarter of an hour.
_DRIFT = 0.0002


def _boot() -> str:
    """Names this boot of the machine; where the system does not say, this process."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"process-{os.getpid()}-{uuid.uuid4()}"


BOOT = _boot()


class Moment(NamedTuple):
    """An instant as this machine's clocks saw it: epoch ms, monotonic ns, and which boot."""

    wall_ms: int
    mono_ns: int
    boot: str

    def ms_until(self, later: Moment) -> int:
        """Milliseconds from this moment to `later`, floored; never negative."""
        if self.boot == later.boot:
            return max(0, (later.mono_ns - self.mono_ns) // 1_000_000)
        return max(0, later.wall_ms - self.wall_ms)

    def plus_ms(self, milliseconds: int) -> Moment:
        return Moment(
            self.wall_ms + milliseconds, self.mono_ns + milliseconds * 1_000_000, self.boot
        )


class Signal(Protocol):
    """Something that wakes up those who wait: an Event, or a Condition that is held."""

    def wait(self, timeout: float | None = None) -> bool: ...


class Clock:
    """This machine's clocks, and waiting by them."""

    def wall_ns(self) -> int:
        return time.time_ns()

    def mono_ns(self) -> int:
        return time.monotonic_ns()

    def now(self) -> Moment:
        return Moment(self.wall_ns() // 1_000_000, self.mono_ns(), BOOT)

    def seconds(self) -> float:
        """Monotonic seconds."""
        return self.mono_ns() / 1e9

    def wait(self, signal: Signal, seconds: float | None) -> None:
        """Until `signal` wakes us, for at most `seconds`; it may return early."""
        signal.wait(seconds)


CLOCK = Clock()


class ServerClock:
    """The server's clock, learnt from its answers; each narrows the difference by its round trip.

    Of all answers the quickest is the most exact; an old one fades as the clocks drift.
    """

    def __init__(self, here: Clock = CLOCK) -> None:
        self.here = here
        self._best: tuple[int, float, int] | None = None  # difference, error, taken at; all in ns

    def learn(self, sent_ns: int, received_ns: int, server_ms: int) -> None:
        """The server read `server_ms` on its clock between our two monotonic instants."""
        error = (received_ns - sent_ns) / 2
        best = self._best
        if best is None or error <= best[1] + (received_ns - best[2]) * _DRIFT:
            middle = (sent_ns + received_ns) // 2
            self._best = (server_ms * 1_000_000 - middle, error, received_ns)

    @property
    def error_ms(self) -> float:
        """By how much at most the difference may be wrong; infinite while nothing is known."""
        return float("inf") if self._best is None else self._best[1] / 1_000_000

    def ms_at(self, moment: Moment) -> int | None:
        """What the server's clock showed at `moment`, in epoch ms; None while nothing is known."""
        if self._best is None:
            return None
        if moment.boot == BOOT:
            return (moment.mono_ns + self._best[0]) // 1_000_000
        here = self.here.now()
        now_ms = (here.mono_ns + self._best[0]) // 1_000_000
        return now_ms - (here.wall_ms - moment.wall_ms)

    def now_ms(self) -> int | None:
        return self.ms_at(self.here.now())


def isoformat(epoch_ms: int) -> str:
    """ISO 8601 with milliseconds and `Z`, as the server writes every instant."""
    instant = _EPOCH + epoch_ms * _MILLISECOND
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{epoch_ms % 1000:03d}Z"


def parse_instant(text: object) -> int | None:
    """Epoch milliseconds of an instant as the server writes it; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        instant = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return (instant - _EPOCH) // _MILLISECOND
    except (ValueError, TypeError, OverflowError):
        return None


def new_call_id(at: Moment) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of epoch ms, then chance; made without asking anybody."""
    head = (at.wall_ms & (1 << 48) - 1) << 80
    chance = int.from_bytes(os.urandom(10), "big")
    value = head | 0x7 << 76 | (chance >> 4 & 0xFFF) << 64 | 0b10 << 62 | chance & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def format_duration(seconds: float) -> str:
    """`MM:SS`, from an hour on `HH:MM:SS`; what is negative counts as nothing."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"
