"""Real workers in processes of their own, on the test database.

As a program (`python -m tests.support.workers FOLDER`): a worker with two ticks of the tests', one
that writes which process ran it into FOLDER/ticks, and one that always fails.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import ROOT, kill, spawn


class TickingWorker:
    """A worker whose ticks leave their process's number in `folder`."""

    def __init__(self, folder: Path):
        from tests.support.server import Server

        self.folder = folder
        with (folder / "worker.log").open("ab") as log:
            self.process = spawn(
                [sys.executable, "-m", "tests.support.workers", folder],
                cwd=ROOT,
                env=Server(DATA_DIR=str(folder)).surroundings(),
                stderr=log,
            )

    @property
    def has_ticked(self) -> bool:
        return str(self.process.pid) in ticked(self.folder)

    def end(self) -> int:
        """As a service manager ends it; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        kill(self.process)


def ticked(folder: Path) -> list[str]:
    """Which process ran each tick, the oldest first."""
    path = folder / "ticks"
    return path.read_text().split() if path.exists() else []


@contextmanager
def ticking_workers(folder: Path, number: int) -> Iterator[list[TickingWorker]]:
    workers = [TickingWorker(folder) for _ in range(number)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def main(folder: Path) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")
    django.setup()
    from django.core.management import call_command

    from upkeep.jobs.ticker import every

    @every(1)
    def tick() -> None:
        with (folder / "ticks").open("a") as file:
            file.write(f"{os.getpid()}\n")

    @every(1)
    def broken() -> None:
        raise RuntimeError("it is broken,\nas ever")

    call_command("run_huey", skip_checks=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
