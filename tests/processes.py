"""Processes that die with the test run, and ports that nobody else can take."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from typing import Any

# Reads the process groups that were begun ("+1234") and have ended ("-1234"). Its input ends with
# the test run, however that ends: then it kills whatever is left.
KEEPER = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
alive = set()
for line in sys.stdin:
    change, group = line[0], int(line[1:])
    alive.add(group) if change == "+" else alive.discard(group)
for group in alive:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""
_keeper: "subprocess.Popen[str] | None" = None


def spawn(command: list[Any], **options: Any) -> "subprocess.Popen[Any]":
    """`subprocess.Popen` in a process group of its own that ends with the test run at the latest,
    even when that is killed."""
    process = subprocess.Popen([*map(str, command)], start_new_session=True, **options)
    _tell_keeper(f"+{process.pid}")
    return process


def kill(process: "subprocess.Popen[Any]") -> None:
    """SIGKILL for the process and what it has started: no goodbye."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    _tell_keeper(f"-{process.pid}")


def _tell_keeper(line: str) -> None:
    global _keeper
    if _keeper is None:
        command = [sys.executable, "-S", "-c", KEEPER]
        _keeper = subprocess.Popen(
            command, stdin=subprocess.PIPE, start_new_session=True, text=True, bufsize=1
        )
    assert _keeper.stdin is not None
    print(line, file=_keeper.stdin)


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
