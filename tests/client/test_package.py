"""What is installed: by itself, typed, with nothing but the standard library."""

import ast
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.packaging import CLIENT, complaints, new_python, run

pytestmark = pytest.mark.once
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


BUILD = "import setuptools; setuptools.setup()"


def test_it_installs_by_itself_with_its_command_and_its_types(tmp_path):
    """Without pip, which would fetch the build tool: that is in tests/proof."""
    if not os.environ.get("CI"):
        pytest.importorskip("setuptools")
    python, packages = new_python(tmp_path)
    shutil.copytree(CLIENT, tmp_path / "source")
    build = ["--quiet", "build", "--build-lib", packages, "egg_info", "--egg-base", packages]
    run(sys.executable, "-c", BUILD, *build, cwd=tmp_path / "source")
    shown = run(python, "-c", COMMAND, "--version", cwd=tmp_path)
    assert shown.stdout.strip() == "0.1.0"
    assert complaints(python, tmp_path) == [
        'error: Argument 1 to "end_call" of "CallTracker" has incompatible type "int"; '
        'expected "str"  [arg-type]'
    ]


# What a script that pip makes does.
COMMAND = """
from importlib.metadata import entry_points
[command] = entry_points(group="console_scripts", name="callmanager-track")
command.load()()
"""
