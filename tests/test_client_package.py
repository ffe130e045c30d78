"""What is installed: by itself, typed, with nothing but the standard library."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT

CLIENT = ROOT / "client"
FILES = sorted([CLIENT / "call_tracking.py", *(CLIENT / "callmanager_track").glob("*.py")])
OURS = {"call_tracking", "callmanager_track"}
EXTRA = {"websockets": "live.py"}


def imported_by(path: Path) -> set[str]:
    """The first names of all that a file imports, wherever it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_the_standard_library_is_imported(path):
    strange = imported_by(path) - set(sys.stdlib_module_names) - OURS
    assert {name for name in strange if EXTRA.get(name) != path.name} == set()


PROGRAM = """
from call_tracking import CallTracker, get_tracker
tracker: CallTracker = get_tracker()
call_id: str = tracker.start_call(contact_phone="1")
tracker.end_call(404)
"""


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=kept, capture_output=True, text=True, timeout=120
    )


def build_options() -> list[str]:
    """CI fetches the build tool as people's pip does; elsewhere the one that is there will do."""
    if os.environ.get("CI"):
        return []
    pytest.importorskip("setuptools")
    pytest.importorskip("wheel")
    return ["--no-build-isolation"]


def test_it_installs_by_itself_with_its_command_and_its_types(tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    shutil.copytree(CLIENT, tmp_path / "source")
    built = run(*pip, "wheel", *build_options(), "--no-deps", "./source", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    done = run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = run(python.with_name("callmanager-track"), "--version", cwd=tmp_path)
    assert shown.stdout.strip() == "0.1.0", shown.stderr
    (tmp_path / "program.py").write_text(PROGRAM)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", python]
    typed = run(*mypy, "program.py", cwd=tmp_path)
    assert [line.split(": ", 1)[1] for line in typed.stdout.splitlines()[:-1]] == [
        'error: Argument 1 to "end_call" of "CallTracker" has incompatible type "int"; '
        'expected "str"  [arg-type]'
    ]
