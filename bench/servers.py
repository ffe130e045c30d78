"""A server under measurement: started on its own processor, timed, weighed, and ended."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import machine
from bench.wire import HOST

_PATIENCE: Final = 60.0  # seconds until the first answer
_MEBIBYTE: Final = 1024 * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Server:
    """A process that answers HTTP on `port`, and what it starts. TimeoutError, with the end of its
    log, if it does not.

    `pinned`: kept on the servers' processor. `cold_seconds`: from its start to its first answer.
    """

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        pinned: bool = True,
    ):
        self.port = port
        if pinned:
            machine.pin(machine.SERVER)
        else:
            machine.unpin()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (for as long as the server runs)
        begun = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=None if environment is None else dict(environment),
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        finally:
            machine.pin(machine.CLIENT)
        try:
            self._wait()
        except TimeoutError as error:
            self.stop()
            self._log.seek(0)
            raise TimeoutError(f"{error}\n{self._log.read().decode()[-2000:]}") from error
        self.cold_seconds = time.perf_counter() - begun

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise TimeoutError(f"{self._process.args!r} ended before it answered")
            if self._answers():
                return
            time.sleep(0.01)
        raise TimeoutError(f"{self._process.args!r} did not answer within {_PATIENCE:.0f} s")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            with socket.create_connection((HOST, self.port), timeout=5) as line:
                line.sendall(f"GET /api/calls/active HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
                return line.recv(5) == b"HTTP/"
        return False

    def memory(self, field: str = "VmRSS") -> float:
        """MB of all its processes. VmRSS counts the mapped database too, RssAnon only its own."""
        total = 0
        for process in self._group():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{process}/status").read_text().splitlines():
                    if line.startswith(f"{field}:"):
                        total += int(line.split()[1]) * 1024
        return total / _MEBIBYTE

    def _group(self) -> list[int]:
        """Of a session of its own, everybody has the number of the first as process group."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.getpgid(int(folder.name)) == self._process.pid:
                    found.append(int(folder.name))
        return found

    def stop(self) -> None:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
                return
