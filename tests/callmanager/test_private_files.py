"""The data folder and all in it are its owner's alone, whoever of ours starts first."""

import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import pytest

from tests.support.installation import surroundings
from tests.support.patience import await_that
from tests.support.processes import kill, spawn
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.server


def modes(folder) -> dict[str, int]:
    """The bits of the folder and of all in it, but for the static files."""
    found = {"": stat.S_IMODE(folder.stat().st_mode)}
    for path in folder.rglob("*"):
        if "static" not in path.parts:
            found[str(path.relative_to(folder))] = stat.S_IMODE(path.lstat().st_mode)
    return found


def opened(folder) -> None:
    """As an earlier version left them, or whoever copied them back."""
    for name, mode in modes(folder).items():
        (folder / name).chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def is_private(folder) -> bool:
    return not any(mode & 0o077 for mode in modes(folder).values())


@pytest.fixture
def folder():
    """A short address: the live sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="data-") as place:
        yield Path(place) / "data"


def manage(folder, *command: str) -> str:
    """What a command says, which somebody runs whose files everybody may read."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=surroundings(folder),
        umask=0o022,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_files_that_commands_server_and_worker_make_or_find(folder):
    manage(folder, "check")
    assert is_private(folder) and "secret_key" in modes(folder)
    (folder / "exports").mkdir()
    (folder / "exports" / "calls.csv").touch()

    opened(folder)
    assert not is_private(folder)
    server = Server(**surroundings(folder), DATABASE_URL="")
    try:
        server.start()
        httpx.get(f"{server.url}/api/calls/active", headers={"X-API-Key": "of nobody"})
        found = modes(folder)
        assert is_private(folder)
        for made in ("callmanager.sqlite3", "callmanager.sqlite3-wal", "callmanager.sqlite3-shm"):
            assert made in found
        assert any(name.endswith(".sock") for name in found)
    finally:
        server.kill()

    opened(folder)
    worker = spawn(
        [sys.executable, "manage.py", "run_huey"],
        cwd=ROOT,
        env=surroundings(folder),
        umask=0o022,
        stderr=subprocess.DEVNULL,
    )
    try:
        await_that(lambda: "worker.sqlite3-wal" in modes(folder))
        assert is_private(folder)
    finally:
        kill(worker)


def test_what_is_not_ours_is_left_alone_and_static_files_are_for_all(folder):
    strange = folder / "somebodys"
    strange.mkdir(parents=True)
    strange.chmod(0o755)
    (folder / "link").symlink_to(strange)
    manage(folder, "collectstatic", "--noinput", "-v0")
    assert modes(folder)[""] == 0o700
    assert stat.S_IMODE(strange.stat().st_mode) == 0o755
    found = {
        (path.is_dir(), stat.S_IMODE(path.stat().st_mode))
        for path in (folder / "static").rglob("*")
    }
    assert found == {(True, 0o755), (False, 0o644)}


def test_a_folder_that_everybody_shares_is_left_with_a_warning(folder):
    folder.mkdir()
    folder.chmod(0o1777)
    assert f"{folder} can be used by others" in manage(folder, "check")
    assert modes(folder)[""] == 0o1777
