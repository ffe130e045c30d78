"""All calls as a CSV file: ours, Flask's, and what SQLite's own command line makes of ours."""

import os
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import machine
from bench.servers import Server
from bench.sizes import short
from bench.stage import Side, Stage, ratios
from bench.wire import HOST

ROUNDS: Final = 3  # at most: one takes many seconds
_PIECE: Final = 1 << 20
_WARM: Final = 0.1  # the share of the file after which memory should not grow
# The columns and the order of our own file.
_SELECT: Final = """SELECT c.call_id, trim(u.first_name || ' ' || u.last_name), t.name,
coalesce(p.name, c.contact_ref), c.phone_e164, c.direction, c.status, c.start_time, c.answered_time,
c.end_time, c.duration_seconds, c.talk_seconds, c.ring_seconds, c.hold_seconds, c.paused_seconds,
c.evidence, c.notes FROM calls_calllog c LEFT JOIN accounts_user u ON u.id = c.user_id
LEFT JOIN accounts_team t ON t.id = u.team_id LEFT JOIN calls_contact p ON p.id = c.contact_id
ORDER BY c.start_time DESC, c.id DESC"""


@dataclass
class Taken:
    """A whole file: rows, seconds, and how much the server's own memory grew, in MB."""

    rows: int
    seconds: float
    grown: float = 0.0

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def measure(stage: Stage) -> None:
    calls = stage.options.calls
    stage.record.head(f"{calls} calls as a CSV file")
    ours, flask = stage.sides("daphne", "flask", calls=calls)
    found: dict[str, list[Taken]] = {"daphne": [], "flask": [], "sqlite3": []}
    for _ in range(min(ROUNDS, stage.options.rounds)):
        found["daphne"].append(_fetch(ours, calls))
        found["flask"].append(_fetch(flask, calls))
        if shutil.which("sqlite3"):
            found["sqlite3"].append(_by_command_line(stage.copy(calls).database))
    rates = {name: [one.rate for one in taken] for name, taken in found.items()}
    for name, taken in found.items():
        for one in taken:
            stage.record.say(
                f"{name}: {one.rows} lines in {one.seconds:.1f} s, {one.rate:.0f} a second"
            )
    figure = f"export-{short(calls)}"
    stage.record.put(f"{figure}-flask", ratios(rates["daphne"], rates["flask"]))
    if rates["sqlite3"]:
        stage.record.put(f"{figure}-sqlite3", ratios(rates["daphne"], rates["sqlite3"]))
    stage.record.put(f"{figure}-memory", [one.grown for one in found["daphne"]], " MB")


def _fetch(side: Side, calls: int) -> Taken:
    """Reads the file away as fast as it comes, weighing the server meanwhile."""
    scale, asked = _Scale(side.server), next(side.program.export())
    rows = 0
    begun = time.perf_counter()
    with socket.create_connection((HOST, side.server.port), timeout=120) as line:
        line.sendall(asked.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        while piece := line.recv(_PIECE):
            rows += piece.count(b"\r\n") - piece.count(b"\r\n\r\n")
            if rows > calls * _WARM:
                scale.begin()
    seconds = time.perf_counter() - begun
    grown = scale.end()
    if rows < calls * 0.9:
        raise RuntimeError(f"{side.name} sent {rows} lines of {calls} calls")
    return Taken(rows, seconds, grown)


class _Scale:
    """How much a server's own memory grows from `begin` to `end`, at most, in MB."""

    def __init__(self, server: Server):
        self._server = server
        self._first = self._most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._weigh, daemon=True)

    def begin(self) -> None:
        if not self._first:
            self._first = self._most = self._server.memory("RssAnon")
            self._thread.start()

    def _weigh(self) -> None:
        while not self._done.wait(0.25):
            self._most = max(self._most, self._server.memory("RssAnon"))

    def end(self) -> float:
        if self._first:
            self._done.set()
            self._thread.join()
        return self._most - self._first


def _by_command_line(database: Path) -> Taken:
    machine.pin(machine.SERVER)
    try:
        begun = time.perf_counter()
        made = subprocess.Popen(
            ["sqlite3", "-readonly", "-csv", "-header", str(database), _SELECT],
            stdout=subprocess.PIPE,
        )
    finally:
        machine.pin(machine.CLIENT)
    assert made.stdout is not None
    rows = 0
    while piece := os.read(made.stdout.fileno(), _PIECE):
        rows += piece.count(b"\n")
    if made.wait():
        raise RuntimeError("the sqlite3 command line failed")
    return Taken(rows, time.perf_counter() - begun)
