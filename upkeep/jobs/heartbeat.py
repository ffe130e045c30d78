"""That a worker is there: a sign of life now and then, taken away when it ends."""

import datetime as dt
import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from django.db import Error, close_old_connections
from django.db.models import QuerySet

from common.instants import now
from upkeep.models import WorkerBeat

logger = logging.getLogger(__name__)

BEAT_SECONDS: Final = 20
# A worker that was not heard of for so long is gone, or its machine stands still.
SILENT_SECONDS: Final = 3 * BEAT_SECONDS + 5
_FORGOTTEN_AFTER: Final = dt.timedelta(days=1)


def worker_name() -> str:
    """This process among the workers: its machine and number."""
    return f"{socket.gethostname()[:100]}:{os.getpid()}"


def living_workers() -> QuerySet[WorkerBeat]:
    """The workers that were heard of lately, the one that leads first."""
    since = now() - dt.timedelta(seconds=SILENT_SECONDS)
    return WorkerBeat.objects.filter(seen_at__gte=since).order_by("-leads", "begun_at")


class Heartbeat:
    """The thread that writes the signs of life of this process.

    It is a thread of its own: a job or a tick that takes long must not make its worker look dead.
    """

    def __init__(self, about: Callable[[], dict[str, Any]]) -> None:
        """`about()` gives the other fields of the sign of life."""
        self._about = about
        self._begun_at = now()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="Heartbeat", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        pause = 1.0  # the first sign tells that it is there, the second what it has begun to do
        while True:
            self._guarded(self.beat)
            if self._stop.wait(pause):
                break
            pause = BEAT_SECONDS
        self._guarded(self._say_goodbye)

    def _guarded(self, write: Callable[[], None]) -> None:
        close_old_connections()
        try:
            write()
        except Error as error:
            logger.warning("A sign of life could not be written: %s", error)
        finally:
            close_old_connections()

    def beat(self) -> None:
        saying = {"begun_at": self._begun_at, "seen_at": now()} | self._about()
        mine = WorkerBeat.objects.filter(worker=worker_name())
        if not mine.update(**saying):
            WorkerBeat.objects.filter(seen_at__lt=now() - _FORGOTTEN_AFTER).delete()
            WorkerBeat.objects.create(worker=worker_name(), **saying)

    def _say_goodbye(self) -> None:
        WorkerBeat.objects.filter(worker=worker_name()).delete()
