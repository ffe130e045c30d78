"""The client installed into a Python of its own, and what a type checker says of its users."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT

CLIENT = ROOT / "client"
PROGRAM = """
from call_tracking import CallTracker, get_tracker
tracker: CallTracker = get_tracker()
call_id: str = tracker.start_call(contact_phone="1")
tracker.end_call(404)
"""


def run(*command: object, cwd: Path, expect: int = 0) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=kept, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def new_python(folder: Path) -> tuple[Path, Path]:
    """A Python that knows nothing yet, and the folder in which it looks for packages."""
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=folder)
    [packages] = folder.glob("venv/lib/python*/site-packages")
    return folder / "venv" / "bin" / "python", packages


def complaints(python: Path, folder: Path) -> list[str]:
    """What mypy says of a program that uses the client of `python`, and makes one mistake.

    It keeps what it has learnt of the standard library from one run of the tests to the next.
    """
    (folder / "program.py").write_text(PROGRAM)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", ROOT / ".mypy_cache/installed"]
    output = run(*mypy, "--python-executable", python, "program.py", cwd=folder, expect=1)
    return [line.split(": ", 1)[1] for line in output.stdout.splitlines()[:-1]]
