"""An installation of its own for a benchmark: a data folder with demo data, a worker, servers.

Seeding a million calls takes minutes, so it is done once, in a cache folder (BENCH_CACHE, else
`~/.cache/callmanager-bench`); each run works on copies.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, Literal

from bench.peers import environment
from bench.servers import Server, free_port
from bench.wire import HOST

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = Path(os.environ.get("BENCH_CACHE") or Path.home() / ".cache" / "callmanager-bench")
AGENTS: Final = 500
TEAMS: Final = 25
DAYS: Final = 365
KEYS: Final = 3000  # of the agents, so that each is used now and then, as in life
_NO_LIMIT: Final = "1000000000/h"

Kind = Literal["daphne", "uvicorn"]


class Installation:
    """The site on the data in `folder`, or on the `engines` (DATABASE_URL, REDIS_URL) given."""

    def __init__(self, folder: Path, engines: dict[str, str] | None = None):
        self.folder = folder
        plain = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        self.environment = plain | {
            "DATA_DIR": str(folder),
            "DEMO": "1",
            "API_RATE_LIMIT": _NO_LIMIT,
            **(engines or {}),
        }
        self._servers: list[Server] = []
        self._worker: subprocess.Popen[str] | None = None

    @classmethod
    def copied(cls, calls: int, folder: Path) -> "Installation":
        """A copy in `folder` of the data with `calls` calls, seeded if it never was."""
        shutil.copytree(_seeded(calls), folder, dirs_exist_ok=True)
        made = cls(folder)
        made.manage("migrate", "-v0")
        return made

    @property
    def database(self) -> Path:
        return self.folder / "callmanager.sqlite3"

    def seed(self, calls: int) -> None:
        """Migrates, makes the demo organisation with `calls` calls of a year, and issues keys."""
        self.manage("migrate", "-v0")
        sizes = {"calls": calls, "agents": AGENTS, "teams": TEAMS, "days": DAYS}
        self.manage("seed_demo", *(f"--{name}={size}" for name, size in sizes.items()))
        issued = self.ask(what="issue", count=KEYS)
        (self.folder / "keys.json").write_text(json.dumps(issued))

    def keys(self) -> tuple[list[str], str]:
        """The keys of agents, and one of an administrator."""
        issued = json.loads((self.folder / "keys.json").read_text())
        return issued["agents"], issued["admin"]

    def manage(self, *arguments: str) -> str:
        """What the management command prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def ask(self, **question: Any) -> Any:
        """Has the worker process, which has Django on this data, answer one question."""
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "bench.worker"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        assert self._worker.stdin is not None and self._worker.stdout is not None
        print(json.dumps(question), file=self._worker.stdin, flush=True)
        return json.loads(self._worker.stdout.readline())

    def serve(self, kind: Kind = "daphne", *, pinned: bool = True) -> Server:
        """One more web process."""
        port = free_port()
        server = Server(_command(kind, port), port, ROOT, self.environment, pinned=pinned)
        self._servers.append(server)
        return server

    def close(self) -> None:
        for server in self._servers:
            server.stop()
        if self._worker is not None:
            self._worker.terminate()
            self._worker.wait()


def _command(kind: Kind, port: int) -> list[str]:
    application, bound = "callmanager.asgi:application", str(port)
    if kind == "daphne":
        return [sys.executable, "-m", "daphne", "-v0", "-b", HOST, "-p", bound, application]
    uvicorn = [sys.executable, "-m", "bench.peers.under_uvicorn", environment.packages()]
    return [*uvicorn, application, "--host", HOST, "--port", bound, "--no-access-log"]


def _seeded(calls: int) -> Path:
    """The cache's folder with `calls` calls; seeds it where it is missing or was not finished."""
    folder = CACHE / f"{calls}"
    if not folder.exists():
        unfinished = CACHE / f"seeding-{calls}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        print(f"Seeding {calls} calls into {folder} ...", flush=True)
        begun = time.perf_counter()
        installation = Installation(unfinished)
        try:
            installation.seed(calls)
        finally:
            installation.close()
        unfinished.rename(folder)
        print(f"... took {time.perf_counter() - begun:.0f} s", flush=True)
    return folder
