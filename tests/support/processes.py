"""Processes that die with the test run, and ports that nobody else can take."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

# Reads which processes were begun ("1234 5678": its number, and when the kernel began it). The
# input ends with the test run, however that ends: then it kills the groups that are left.
KEEPER = """
import os, signal, sys
from tests.support.processes import birth_of
signal.signal(signal.SIGINT, signal.SIG_IGN)
begun = [line.split() for line in sys.stdin]
for number, birth in begun:
    # The number of a group that has members belongs to nobody else.
    if birth_of(number) in (birth, ""):
        try:
            os.killpg(int(number), signal.SIGKILL)
        except OSError:
            pass
"""
ROOT = Path(__file__).resolve().parents[2]


def spawn(command: list[Any], **options: Any) -> "subprocess.Popen[Any]":
    """`subprocess.Popen` in a process group of its own that ends with the test run at the latest,
    even when that is killed."""
    process = subprocess.Popen([*map(str, command)], start_new_session=True, **options)
    print(process.pid, birth_of(process.pid) or "?", file=_keeper().stdin)
    return process


def kill(process: "subprocess.Popen[Any]") -> None:
    """SIGKILL for the process and what it has started: no goodbye."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def birth_of(number: int | str) -> str:
    """When the kernel began the process, in its ticks; "" if there is none (or no /proc)."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[19]
    return ""


@cache
def _keeper() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", KEEPER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
        text=True,
        bufsize=1,
    )


class HeldPort:
    """A port of 127.0.0.1 that nobody gets by chance for as long as this object lives.

    The socket never listens: a server that sets SO_REUSEADDR, as ours and most do, can listen
    there, stop and come back; while none does, connections are refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]


_closed = socket.socket()  # without SO_REUSEADDR: nobody can listen there
_closed.bind(("127.0.0.1", 0))


def closed_port() -> int:
    """A port where nothing listens and nothing can."""
    return _closed.getsockname()[1]
