"""A phone system's own records laid over the calls of a year: rows a second, and memory."""

import csv
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from bench.installation import ROOT, Installation
from bench.sizes import short
from bench.stage import Stage

SHORT: Final = 20_000
ACCOUNT: Final = "bench"
_COLUMNS: Final = ("start", "answered", "end", "agent", "number", "direction", "status", "call id")
_WORDS: Final = {"NO_ANSWER": "no answer"}
# What a phone system knows of the calls: whole seconds, cut, and ids of its own.
_SELECT: Final = """SELECT substr(c.start_time, 1, 19),
coalesce(substr(c.answered_time, 1, 19), ''), substr(c.end_time, 1, 19),
u.extension, c.phone_e164, c.direction, c.status, 'id' || c.id
FROM calls_calllog c JOIN accounts_user u ON u.id = c.user_id
WHERE c.end_time IS NOT NULL AND c.phone_line <> '' ORDER BY c.start_time"""


def measure(stage: Stage) -> None:
    _measure(stage, SHORT)


def measure_many(stage: Stage) -> None:
    _measure(stage, stage.options.calls)


def _measure(stage: Stage, calls: int) -> None:
    stage.record.head(f"Records of {calls} calls are brought in")
    installation = stage.copy(calls, "records")
    installation.manage("provider_account", "add", "generic", ACCOUNT)
    path = installation.folder / "records.csv"
    rows = _write(installation, path)
    first = _import(installation, path)
    again = _import(installation, path)
    name = f"records-{short(calls)}"
    stage.record.put(name, [rows / first.seconds], " a second")
    stage.record.put(f"{name}-again", [rows / again.seconds], " a second")
    stage.record.put(f"{name}-memory", [first.peak], " MB")
    stage.record.say(first.said)


def _write(installation: Installation, path: Path) -> int:
    with sqlite3.connect(installation.database) as database, path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(_COLUMNS)
        rows = 0
        for *cells, status, call in database.execute(_SELECT):
            table.writerow([*cells, _WORDS.get(status, status.lower()), call])
            rows += 1
    return rows


class _Done:
    """An import in a process of its own: seconds, and the most memory it had, in MB."""

    def __init__(self, process: "subprocess.Popen[str]", begun: float):
        assert process.stdout is not None
        self.said = process.stdout.read().strip().splitlines()[-1]
        _pid, status, used = os.wait4(process.pid, 0)
        self.seconds = time.perf_counter() - begun
        self.peak = used.ru_maxrss / 1024
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, self.said


def _import(installation: Installation, path: Path) -> _Done:
    command = [sys.executable, "manage.py", "import_records", str(path), "--account", ACCOUNT]
    command += ["--format", "table", "--time-zone", "UTC"]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env=installation.environment, stdout=subprocess.PIPE, text=True
    )
    return _Done(process, begun)
