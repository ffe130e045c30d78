"""Phone systems that are listened to over a lasting connection, and the commands that listen."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from calls.models import CallLog
from tests.support.patience import PATIENCE
from tests.support.processes import spawn
from tests.support.server import ROOT, test_database_url


class OnItsOwnLoop:
    """A simulated server on a loop of its own, moved from the test's thread; `scripted` has what
    happened there, as `sent`."""

    def __init__(self, server: Any, scripted: Any):
        self.server, self._scripted = server, scripted
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.port = self.do(self.server.start())
        self._played = 0

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)

    def play(self):
        """What happened there since the last time, to whoever listens."""
        sent = self._scripted.sent
        fresh, self._played = sent[self._played :], len(sent)

        async def emit():
            for _at, message in fresh:
                self.server.emit(message)

        self.do(emit())

    def synced(self):
        self.do(self.server.synced())

    def cut(self):
        async def cut():
            self.server.cut()

        self.do(cut())

    def close(self):
        self.do(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)


class ListeningProcess:
    """The real command."""

    def __init__(self, command: str, *arguments: Any):
        self.process = spawn(
            [sys.executable, "manage.py", command, "--retry", "0.05", *arguments],
            cwd=ROOT,
            env=os.environ
            | {
                "DATABASE_URL": test_database_url(),
                "DATA_DIR": str(settings.DATA_DIR),
                "SECRET_KEY": settings.SECRET_KEY,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def terminate(self):
        """Asks it to stop; what it printed."""
        self.process.send_signal(signal.SIGTERM)
        printed = self.process.communicate(timeout=PATIENCE)[0]
        assert self.process.returncode == 0, printed
        return printed

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


@contextmanager
def listeners(command: str) -> Iterator[Any]:
    """Starts `command` with the arguments that it is given; what still runs is killed."""
    started: list[ListeningProcess] = []

    def start(*arguments: Any) -> ListeningProcess:
        started.append(ListeningProcess(command, *arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


def only_call(**which: Any):
    return lambda: CallLog.objects.filter(**which).first()
