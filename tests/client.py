"""Programs that use the client: in this process, or in one of their own that can be killed."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.server import ROOT, free_port

NOWHERE = f"http://127.0.0.1:{free_port()}"  # nothing listens there


def await_that(fact: Callable[[], Any], seconds: float = 10) -> Any:
    """What `fact` says as soon as it says something true."""
    deadline = time.monotonic() + seconds
    while not (said := fact()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)
    return said


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
        self.process = subprocess.Popen(
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
        rest, _ = self.process.communicate(timeout=20)
        return self.process.returncode, rest


class CommandLine:
    """`callmanager-track` with one server, key and journal."""

    def __init__(self, url: str, key: str, journal: Path):
        self.variables = environment(
            CALLMANAGER_URL=url, CALLMANAGER_API_KEY=key, CALLMANAGER_JOURNAL=str(journal)
        )
        self.url, self.journal = url, journal

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "callmanager_track", *map(str, arguments)]

    def __call__(self, *arguments: object, expect: int = 0) -> str:
        """Runs one command: what it prints, complaints included."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
        )
        assert done.returncode == expect, done.stdout
        return done.stdout.strip()

    def leave(self, *arguments: object) -> "subprocess.Popen[str]":
        """Starts a command that stays."""
        return subprocess.Popen(
            self.command(*arguments), env=self.variables, stdout=subprocess.PIPE, text=True
        )
