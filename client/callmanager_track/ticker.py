"""Calls back at every tracked second of one call, and ends with it."""

from __future__ import annotations

import logging
import threading
from typing import Callable

from callmanager_track.clocks import format_duration
from callmanager_track.session import CallSession

TimerCallback = Callable[[int, str], object]
logger = logging.getLogger("call_tracking")


class Ticker(threading.Thread):
    """Tells `callback_of()` each second once, at the second; late is skipped, never made up for."""

    def __init__(self, session: CallSession, callback_of: Callable[[], TimerCallback | None]):
        super().__init__(name="call timer", daemon=True)
        self._session, self._callback_of = session, callback_of

    def run(self) -> None:
        last = -1
        while self._session.running:
            tracked = self._session.tracked_ms()
            if tracked // 1000 > last:
                last = tracked // 1000
                self._tell(last)
            self._wait((last + 1) * 1000)

    def _tell(self, seconds: int) -> None:
        callback = self._callback_of()
        if callback is None:
            return
        try:
            callback(seconds, format_duration(seconds))
        except Exception:  # what a program does with the time must not stop the time
            logger.exception("The timer callback failed")

    def _wait(self, until_ms: int) -> None:
        """Until the tracked time may have reached `until_ms`, or the call changed."""
        session = self._session
        with session.on_change:
            if not session.running:
                return
            left = until_ms - session.tracked_ms()
            if left > 0:
                seconds = None if session.paused_since is not None else left / 1000
                session.clock.wait(session.on_change, seconds)
