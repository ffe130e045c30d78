"""Numbers of what is said to the web processes, by which each of them notices what it has missed.

Whoever says something takes the next number first. A web process looks now and then at the last
number that was given out: one that was out at the look before and has not come is lost, be it
that a queue was full, that the message grew too old in it, or that its sender died. The count is
in Redis or, without it, in a file beside the sockets of `metrics.live.local_bus`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from django.conf import settings

from metrics.live import local_bus

LOOK_SECONDS: Final = 2  # longer than any message is under way between processes that are well
_KEY: Final = "live:said"
_TIMEOUT_SECONDS: Final = 5
_BYTES: Final = 8


def take() -> int:
    """The next number; OSError or RedisError where the count cannot be reached."""
    if settings.REDIS_URL:
        return int(_redis().incr(_KEY))
    with _counted() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        number = _read(file) + 1
        os.pwrite(file, number.to_bytes(_BYTES, "big"), 0)
        return number


def last() -> int:
    """The last number that was given out, 0 before the first; raises what `take` does."""
    if settings.REDIS_URL:
        return int(_redis().get(_KEY) or 0)
    with _counted() as file:
        return _read(file)


@cache
def _redis() -> Any:
    import redis  # an installation without it need not load its driver

    return redis.from_url(settings.REDIS_URL, socket_timeout=_TIMEOUT_SECONDS)


@contextmanager
def _counted() -> Iterator[int]:
    """The file of the count, open; closing it ends the lock."""
    file = os.open(local_bus.folder() / "said", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield file
    finally:
        os.close(file)


def _read(file: int) -> int:
    return int.from_bytes(os.pread(file, _BYTES, 0), "big")


class Arrivals:
    """Which numbers have come to one process."""

    def __init__(self) -> None:
        self._complete: int | None = None  # all up to this one have come, or are known as lost
        self._due = 0  # what had been given out at the last look
        self._beyond: set[int] = set()

    def note(self, number: int) -> None:
        self._beyond.add(number)
        self._advance()

    def are_lacking(self, given_out: int) -> bool:
        """Whether something was lost since the last look; `given_out` is the last number so far.

        A loss is told once. The first look only says where to begin. A count that began anew is a
        loss, too: what was said meanwhile cannot be told apart.
        """
        first, anew = self._complete is None, given_out < self._due
        lacking = anew or (self._complete is not None and self._complete < self._due)
        if first or anew:
            self._go_on_from(given_out)
        elif lacking:
            self._go_on_from(self._due)
        self._due = given_out
        return lacking

    def _go_on_from(self, number: int) -> None:
        self._complete = number
        self._beyond = {one for one in self._beyond if one > number}
        self._advance()

    def _advance(self) -> None:
        while self._complete is not None and self._complete + 1 in self._beyond:
            self._complete += 1
            self._beyond.remove(self._complete)
