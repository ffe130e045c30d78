"""API keys that a program used a moment ago, with their owners' rights.

A program asks often, and who it is changes rarely. What was found of a key is kept for two seconds
in each web process. All of it is forgotten at once where a key, a person's team, activity, groups
or permissions change: by `metrics.live.publisher`, which tells every web process. Only
an SQL statement past our models is noticed by the two seconds alone.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

SECONDS: Final = 2.0
_MOST: Final = 10_000


@dataclass
class KnownKey:
    """The columns of a usable key and its owner, what the owner may do, and when the key was last
    used as far as this process knows."""

    columns: Sequence[Any]
    permissions: frozenset[str]
    used: dt.datetime | None


class KnownKeys:
    """By the key's digest; for all threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, KnownKey]] = {}
        self._guard = threading.Lock()
        self._changes = 0

    def get(self, digest: str, look_up: Callable[[str], KnownKey | None]) -> KnownKey | None:
        """What is known of the key, or what `look_up` finds; None for no usable key."""
        until, known = self._known.get(digest, _NOTHING)
        if known is not None and time.monotonic() < until:
            return known
        changes = self._changes
        known = look_up(digest)
        if known is not None:
            self._remember(digest, known, changes)
        return known

    def _remember(self, digest: str, known: KnownKey, changes: int) -> None:
        with self._guard:
            if changes != self._changes:  # what was looked up may be older than the change
                return
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[digest] = (time.monotonic() + SECONDS, known)

    def forget(self) -> None:
        """Everything: a key or a right may have changed."""
        with self._guard:
            self._changes += 1
            self._known.clear()


_NOTHING: Final = (0.0, None)
known_keys = KnownKeys()
