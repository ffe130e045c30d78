"""A process that stays while a call of the command line runs, or something is still to be sent.

`callmanager-track start` leaves it behind: it tells the server that the call is alive, notes it in
the journal every second, and delivers what could not be delivered at once.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from callmanager_track import book
from callmanager_track.locks import FileLock
from callmanager_track.recorder import Recorder
from callmanager_track.settings import Settings, environment_of

_LOOK_SECONDS = 1.0
_LONGEST_LIFE = 24 * 3600.0


def lock_of(settings: Settings) -> FileLock:
    return FileLock(settings.journal.with_name(settings.journal.name + ".keeper"))


def leave_behind(settings: Settings) -> None:
    """Starts the process in the background, unless there is one."""
    lock = lock_of(settings)
    if not lock.acquire():
        return
    lock.release()
    # Windows: a process without a console, in a group of its own.
    flags = 0x00000208 if sys.platform == "win32" else 0
    subprocess.Popen(
        [sys.executable, "-m", "callmanager_track", "keep"],
        env=environment_of(settings),
        cwd=settings.journal.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=flags,
    )


def keep(settings: Settings, recorder: Recorder, stop: threading.Event) -> None:
    """Stays until nothing runs and nothing waits, until `stop`, at most a day."""
    lock = lock_of(settings)
    deadline = time.monotonic() + _LONGEST_LIFE
    while lock.acquire():
        while _has_work(recorder) and time.monotonic() < deadline and not stop.is_set():
            stop.wait(_LOOK_SECONDS)
        lock.release()
        # Whoever wrote something while we still held the lock has left it to us.
        if stop.is_set() or time.monotonic() >= deadline or not _has_work(recorder):
            return


def _has_work(recorder: Recorder) -> bool:
    calls = recorder.detached()
    recorder.look_after(calls)
    waiting = recorder.journal.do(book.pending)
    if waiting:
        recorder.courier.wake()
    return bool(calls or waiting)
