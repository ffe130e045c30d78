"""Programs that use the client: in this process, or in one of their own that can be killed."""

import io
import os
import socket
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from callmanager_track.clocks import Clock, Signal
from callmanager_track.command_line import main

from tests.support.processes import spawn
from tests.support.server import ROOT

_kept = socket.socket()  # bound for as long as the tests run, so that nobody else can listen there
_kept.bind(("127.0.0.1", 0))
NOWHERE = f"http://127.0.0.1:{_kept.getsockname()[1]}"  # nothing listens there


class DrivenClock(Clock):
    """Stands still until the test moves it on; who waits by it looks every few milliseconds."""

    def __init__(self) -> None:
        self._wall_ns, self._mono_ns, self._passed_ns = super().wall_ns(), super().mono_ns(), 0

    def wall_ns(self) -> int:
        return self._wall_ns + self._passed_ns

    def mono_ns(self) -> int:
        return self._mono_ns + self._passed_ns

    def advance(self, seconds: float) -> None:
        self._passed_ns += round(seconds * 1e9)

    def wait(self, signal: Signal, seconds: float | None) -> None:
        signal.wait(0.01)


class Timed(NamedTuple):
    """What an action said, and the monotonic seconds before and after it."""

    said: Any
    before: float
    after: float


def timed(action: Callable[[], Any]) -> Timed:
    before = time.monotonic()
    return Timed(action(), before, time.monotonic())


def apart(first: Timed, then: Timed) -> tuple[float, float]:
    """How many seconds lie between two actions at least, and at most, however slow the machine."""
    return then.before - first.after, then.after - first.before


class Stalls:
    """`with Stalls() as stalls:` measures in `worst` by how much a mere sleeper woke up late."""

    def __enter__(self) -> "Stalls":
        self.worst, self._over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            asked = time.monotonic()
            time.sleep(0.01)
            self.worst = max(self.worst, time.monotonic() - asked - 0.01)


def last_sign_ms(journal: Path) -> int:
    """The last sign of life of the journal's only call, in milliseconds since its start."""
    with closing(sqlite3.connect(journal, timeout=20)) as db:
        return db.execute("SELECT max(alive_ms, last_ms) FROM calls").fetchone()[0]


def environment(**more: str) -> dict[str, str]:
    """What a program needs to find the client and nobody's settings."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CALLMANAGER_", "DJANGO_", "XDG_"))
    }
    return plain | {"PYTHONPATH": str(ROOT / "client"), "LC_ALL": "en_US.UTF-8"} | more


class Program:
    """A Python program in a process of its own; `source` prints what the test wants to know."""

    def __init__(self, source: str, *arguments: object, python: str = sys.executable):
        self.process = spawn(
            [python, "-c", textwrap.dedent(source), *map(str, arguments)],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        """The next line it prints; "" if it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def finish(self) -> tuple[int, str]:
        """Its exit code and the rest of what it printed."""
        rest, _ = self.process.communicate(timeout=90)
        return self.process.returncode, rest


class CommandLine:
    """`callmanager-track` with one server, key and journal."""

    def __init__(self, url: str, key: str, journal: Path):
        self.variables = environment(
            CALLMANAGER_URL=url, CALLMANAGER_API_KEY=key, CALLMANAGER_JOURNAL=str(journal)
        )
        self.url, self.key, self.journal = url, key, journal

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "callmanager_track", *map(str, arguments)]

    def __call__(self, *arguments: object, expect: int = 0) -> str:
        """Runs one command in this process: what it prints, complaints included.

        Not for those that take signals: run, watch, follow.
        """
        printed = io.StringIO()
        with (
            patch.dict(os.environ, self.variables, clear=True),
            redirect_stdout(printed),
            redirect_stderr(printed),
        ):
            try:
                code = main(list(map(str, arguments)))
            except SystemExit as left:  # argparse: help, and what is no command
                code = int(left.code or 0)
        assert code == expect, printed.getvalue()
        return printed.getvalue().strip()

    def run(self, *arguments: object, expect: int = 0) -> str:
        """The same in a process of its own."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout.strip()

    def leave(self, *arguments: object) -> "subprocess.Popen[str]":
        """Starts a command that stays."""
        return spawn(
            self.command(*arguments),
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
