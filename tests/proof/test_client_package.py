"""Proves that the client installs as people install it: pip builds it, with fetched tools."""

import shutil
import sys

from tests.support.packaging import CLIENT, complaints, new_python, run


def test_pip_installs_it_with_its_command_and_its_types(tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    shutil.copytree(CLIENT, tmp_path / "source")
    run(*pip, "wheel", "--no-deps", "./source", cwd=tmp_path)
    [wheel] = tmp_path.glob("*.whl")
    python, _ = new_python(tmp_path)
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    shown = run(python.with_name("callmanager-track"), "--version", cwd=tmp_path)
    assert shown.stdout.strip() == "0.1.0"
    [complaint] = complaints(python, tmp_path)
    assert complaint.startswith('error: Argument 1 to "end_call"')
