"""Makes or refreshes .venv: `prepare.py` for running, `prepare.py --dev` for tests and checks,
`prepare.py --proof` for deep proofs.

Runs on the system's Python with nothing installed; needs seconds when nothing has changed.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
# Each of these files contains the one before.
FILES = ["requirements.txt", "requirements-dev.txt", "requirements-proof.txt"]
# For a large site, and for copies elsewhere; tests need them, too.
EXTRAS = ["requirements-uvicorn.txt", "requirements-s3.txt"]
UV = "uv==0.13.9"  # installs what takes pip a minute in seconds
COMPILED = "--compile-bytecode"  # as pip does: a first start takes seconds less


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (nobody has checked it before us)
        sys.exit(
            f"CallManager needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
            "If a newer one is installed, name it: make run PYTHON=python3.12"
        )
    _make_venv()
    flags = ["--dev", "--proof"]
    _install(max(flags.index(flag) + 1 if flag in flags else 0 for flag in ["", *sys.argv[1:]]))


def _make_venv() -> None:
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import pip"]).returncode == 0:
        return
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "Python's venv module is not complete on this machine. Install it, then try again:\n"
            "    sudo apt-get install python3-venv"
        )
    print("Making a virtual environment in .venv ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    _run([sys.executable, "-m", "venv", VENV], "The virtual environment could not be made.")


def _install(wanted: int) -> None:
    """Installs one of FILES unless its very content, or that of one with more, is there already."""
    if any(_stamp(number) == _digest(number) for number in range(wanted, len(FILES))):
        return
    print(f"Installing {FILES[wanted]} (a minute or two, the first time only) ...", flush=True)
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    packages = ["-r", ROOT / FILES[wanted]]
    # With pip where uv is not to be had, or does not know this computer's own package index.
    if not (
        _succeeds([*pip, UV])
        and _succeeds([VENV / "bin" / "uv", "pip", "install", "-q", COMPILED, *packages])
    ):
        _run(
            [*pip, *packages],
            "The packages could not be installed; the lines above say why. Is the network there?",
        )
    _stamp_file(wanted).write_text(_digest(wanted))


def _succeeds(command: list[object]) -> bool:
    environment = os.environ | {"VIRTUAL_ENV": str(VENV)}
    return subprocess.run([str(part) for part in command], env=environment).returncode == 0


def _run(command: list[object], complaint: str) -> None:
    if not _succeeds(command):
        sys.exit(complaint)


def _digest(number: int) -> str:
    """Of the files that are installed, and of the Python they are installed for."""
    names = [*FILES[: number + 1], *(EXTRAS if number else [])]
    content = b"".join((ROOT / name).read_bytes() for name in names)
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def _stamp_file(number: int) -> Path:
    return VENV / f".installed-{FILES[number]}"


def _stamp(number: int) -> str:
    file = _stamp_file(number)
    return file.read_text() if file.exists() else ""


if __name__ == "__main__":
    main()
