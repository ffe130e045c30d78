"""Limits of how often somebody may do something, counted by the cache in one step.

With Redis all processes count together; without it there is one web process, which counts in its
memory.
"""

import time
from functools import lru_cache
from typing import Protocol, cast

from django.core.cache import cache

from common.sliding_window import Rate, Usage

rate_of = lru_cache(maxsize=16)(Rate.of)


class _Counters(Protocol):
    """What our caches can beside Django's."""

    def take(self, key: str, rate: Rate, now: int) -> Usage: ...

    def give_back(self, key: str, place: int) -> None: ...


def take(key: str, rate: str) -> Usage:
    """Counts one more for `key`, unless it has had its `rate` (such as `1000/h`).

    What asks at the same moment gets different counts, in whatever thread or process. Raises
    common.databases.drivers.cache_errors() while the counters cannot be reached.
    """
    return _counters().take(key, rate_of(rate), int(time.time() * 1000))


def give_back(key: str, usage: Usage) -> None:
    """Takes back what `take` counted."""
    _counters().give_back(key, usage.place)


def _counters() -> _Counters:
    return cast(_Counters, cache)
