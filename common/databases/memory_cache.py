"""Django's cache in memory, with counters of a sliding window."""

from threading import Lock
from typing import Final

from django.core.cache.backends.locmem import LocMemCache

from common.sliding_window import Rate, Usage, Window

_SWEEP_EVERY: Final = 1000
# Of the process, like what Django keeps in memory: every thread has a cache object of its own.
_windows: dict[str, tuple[Window, int]] = {}  # and when nothing in it counts any more


class MemoryCache(LocMemCache):
    _lock: Lock  # all threads' one

    def take(self, key: str, rate: Rate, now: int) -> Usage:
        """See common.rate_limits.take; `now` in milliseconds."""
        key = self.make_and_validate_key(key)
        with self._lock:
            window = _windows[key][0] if key in _windows else Window()
            usage = window.take(rate, now)
            if key not in _windows and len(_windows) % _SWEEP_EVERY == _SWEEP_EVERY - 1:
                self._sweep(now)
            _windows[key] = window, now + rate.period
        return usage

    def give_back(self, key: str, place: int) -> None:
        key = self.make_and_validate_key(key)
        with self._lock:
            if key in _windows:
                _windows[key][0].give_back(place)

    def clear(self) -> None:
        super().clear()
        with self._lock:
            _windows.clear()

    @staticmethod
    def _sweep(now: int) -> None:
        """Forgets who has not come for so long that nothing counts any more."""
        for key in [key for key, (_window, end) in _windows.items() if end <= now]:
            del _windows[key]
