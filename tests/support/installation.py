"""`make run` in a process of its own, on an installation of its own."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.processes import spawn
from tests.support.server import ROOT, Server

READY = "Stop with Ctrl-C"


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a machine whose installation lies in `folder`; its static files too are
    its own, or it would replace those that servers of other tests are reading."""
    ours = {"DATABASE_URL", "REDIS_URL", "DEMO", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
    plain = {name: value for name, value in os.environ.items() if name not in ours}
    return plain | {"DATA_DIR": str(folder), "STATIC_ROOT": str(folder / "static")}


class MakeRun:
    """`make run` on the installation in `folder`, each start at the same address.

    `with` it nothing is left behind, however the test ends.
    """

    def __init__(self, folder: Path):
        self.environment = surroundings(folder)
        self._address = Server()  # it is never started: it keeps the port
        self.port = self._address.port
        self.process = self.launch()

    def __enter__(self) -> "MakeRun":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.rest()

    def launch(self) -> "subprocess.Popen[str]":
        """One more of them at the same address."""
        return spawn(
            [sys.executable, "-m", "callmanager.run", "--port", str(self.port)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def printed_until(self, wanted: str) -> str:
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if wanted in line:
                return "".join(lines)
        raise AssertionError(f"{wanted!r} never came:\n{''.join(lines)}")

    def rest(self) -> str:
        """What it prints until it has ended."""
        return self.process.communicate(timeout=PATIENCE)[0]

    def children(self) -> dict[int, str]:
        """The command of each process it has started, by its number."""
        listed = subprocess.run(
            ["ps", "--ppid", str(self.process.pid), "-o", "pid=,args="],
            capture_output=True,
            text=True,
        )
        lines = (line.split(maxsplit=1) for line in listed.stdout.splitlines())
        return {int(number): command for number, command in lines}

    def kill(self, victim: str) -> None:
        """Kills the child whose command has the word `victim`."""
        (number,) = (number for number, command in self.children().items() if victim in command)
        os.kill(number, signal.SIGKILL)

    def stop_deaf(self, first: signal.Signals) -> list[int]:
        """Asks it to stop by the signal `first` and then by others, while its children do not hear
        of that; their numbers once all has ended."""
        children = list(self.children())
        for number in children:
            os.kill(number, signal.SIGSTOP)
        self.process.send_signal(first)
        self.printed_until("Stopping")
        for again in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            self.process.send_signal(again)
        for number in children:
            os.kill(number, signal.SIGCONT)
        self.rest()
        return children

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def are_gone(numbers: list[int]) -> bool:
    listed = subprocess.run(["ps", "-p", ",".join(map(str, numbers))], capture_output=True)
    return listed.returncode == 1


def check_end_after_a_death(running: MakeRun, victim: str) -> None:
    """When one of the two dies, the other stops."""
    running.kill(victim)
    assert "ended by itself" in running.rest()
    assert running.process.returncode == 1 and not running.listens()


def check_end_when_asked_again(running: MakeRun, first: signal.Signals) -> None:
    """Who asks again while it stops leaves no process behind."""
    children = running.stop_deaf(first)
    assert len(children) == 2 and are_gone(children)
    assert running.process.returncode == 0 and not running.listens()
