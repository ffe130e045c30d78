"""An installation of its own for a benchmark: a data folder, its demo data, its server."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
AGENTS = 40
DAYS = 365


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """Embedded engines in `folder`, seeded with `calls` calls of a year."""

    def __init__(self, folder: Path, calls: int):
        self.calls = calls
        self.port = free_port()
        plain = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        self._environment = plain | {
            "DATA_DIR": str(folder),
            "DEMO": "1",
            "API_RATE_LIMIT": "1000000000/h",
        }
        self._server: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[str] | None = None

    def seed(self) -> float:
        """Migrates and seeds; how many seconds the seeding took."""
        self.manage("migrate", "-v0")
        self.manage("collectstatic", "--noinput", "-v0")
        begun = time.perf_counter()
        sizes = {"calls": self.calls, "agents": AGENTS, "days": DAYS}
        self.manage("seed_demo", *(f"--{name}={size}" for name, size in sizes.items()))
        return time.perf_counter() - begun

    def manage(self, *arguments: str) -> str:
        """What the management command prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def ask(self, **question: Any) -> Any:
        """Has the worker process, which has Django on this data, answer one question."""
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "bench.worker"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._worker.stdin is not None and self._worker.stdout is not None
        print(json.dumps(question), file=self._worker.stdin, flush=True)
        return json.loads(self._worker.stdout.readline())

    def serve(self) -> None:
        daphne = [sys.executable, "-m", "daphne", "-v", "0", "-b", "127.0.0.1"]
        self._server = subprocess.Popen(
            [*daphne, "-p", str(self.port), "callmanager.asgi:application"],
            cwd=ROOT,
            env=self._environment,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("the server did not start")

    def close(self) -> None:
        for process in (self._server, self._worker):
            if process is not None:
                process.terminate()
                process.wait()
