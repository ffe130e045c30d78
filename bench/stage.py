"""What the parts of a run share: sizes, copies of the data, servers, and the record."""

import math
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.figures import Record
from bench.installation import Installation
from bench.load import Burst
from bench.peers import environment, timetagger
from bench.programs import FlaskKeyed, Keyed
from bench.servers import Server, free_port

FEW: Final = 10_000


@dataclass(frozen=True)
class Options:
    calls: int = 1_000_000
    rounds: int = 5
    seconds: float = 1.5
    day_seconds: float = 60.0
    open_pages: int = 200
    hook_calls: int = 60
    flask_threads: int = (
        4  # as many as our own; with more it answers no more and its 99 % are later
    )


@dataclass(frozen=True)
class Side:
    """One of those that are compared: a server, and a program that speaks to it."""

    name: str
    server: Server
    program: Any


@dataclass
class Stage:
    options: Options
    record: Record
    folder: Path
    _copies: dict[str, Installation] = field(default_factory=dict)
    _sides: dict[tuple[str, int], Side] = field(default_factory=dict)
    _peers: list[Server] = field(default_factory=list)

    def copy(self, calls: int, purpose: str = "main") -> Installation:
        """The copy of the data with `calls` calls that is kept for that purpose."""
        name = f"{calls}-{purpose}"
        if name not in self._copies:
            self._copies[name] = Installation.copied(calls, self.folder / name)
        return self._copies[name]

    def sides(self, *names: str, calls: int = FEW) -> list[Side]:
        """`daphne`, `uvicorn`, `flask` or `timetagger`, each started when first asked for."""
        for name in names:
            if (name, calls) not in self._sides:
                self._sides[name, calls] = getattr(self, f"_{name}")(calls)
        return [self._sides[name, calls] for name in names]

    def _daphne(self, calls: int) -> Side:
        installation = self.copy(calls)
        return Side("daphne", installation.serve(), Keyed(*installation.keys()))

    def _uvicorn(self, calls: int) -> Side:
        installation = self.copy(calls, "uvicorn")
        return Side("uvicorn", installation.serve("uvicorn"), Keyed(*installation.keys()))

    def _flask(self, calls: int) -> Side:
        here, python = environment.HERE, str(environment.PYTHON)
        file = self.folder / f"flask-{calls}.sqlite3"
        installation = self.copy(calls)
        surroundings = {**installation.environment, "PEER_DATABASE": str(file)}
        filling = [python, "flask_peer.py", str(installation.database)]
        subprocess.run(filling, cwd=here, env=surroundings, check=True)
        port = free_port()
        gunicorn = [python, "-m", "gunicorn", "-w1", "--threads", str(self.options.flask_threads)]
        gunicorn += ["--keep-alive", "60", "--log-level", "warning"]
        gunicorn += ["-b", f"127.0.0.1:{port}", "flask_peer:app"]
        server = self._started(gunicorn, port, here, surroundings)
        return Side("flask", server, FlaskKeyed(*installation.keys()))

    def _timetagger(self, calls: int) -> Side:
        port, folder = free_port(), self.folder / "timetagger"
        folder.mkdir()
        surroundings = self.copy(calls).environment | timetagger.surroundings(port, folder)
        server = self._started(timetagger.command(), port, folder, surroundings)
        return Side("timetagger", server, timetagger.TimeTagger(port))

    def _started(self, command: list[str], port: int, folder: Path, env: dict[str, str]) -> Server:
        server = Server(command, port, folder, env)
        self._peers.append(server)
        return server

    def interleaved(
        self, sides: Sequence[Side], burst: Callable[[Side], Burst]
    ) -> dict[str, list[Burst]]:
        """Rounds of one burst of each side in turn, after one each that does not count."""
        for side in sides:
            burst(side)
        found: dict[str, list[Burst]] = {side.name: [] for side in sides}
        for _ in range(self.options.rounds):
            for side in sides:
                found[side.name].append(burst(side))
        for name, bursts in found.items():
            for complaint in filter(None, (one.complaint for one in bursts)):
                self.record.say(f"{name} FAILED: {complaint}")
        return found

    def close(self) -> None:
        for installation in self._copies.values():
            installation.close()
        for server in self._peers:
            server.stop()


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Ours divided by theirs, round by round; NaN where they did nothing."""
    pairs = zip(ours, theirs, strict=True)
    return [one / other if other else math.nan for one, other in pairs]
