"""Makes or refreshes .venv: `prepare.py` for running, `prepare.py --dev` for tests and checks.

Runs on the system's Python with nothing installed; needs seconds when nothing has changed.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUNTIME, DEVELOPMENT = "requirements.txt", "requirements-dev.txt"


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (nobody has checked it before us)
        sys.exit(
            f"CallManager needs Python 3.11 or newer; this is {sys.version.split()[0]}. "
            "If a newer one is installed, name it: make run PYTHON=python3.12"
        )
    _make_venv()
    _install(DEVELOPMENT if "--dev" in sys.argv[1:] else RUNTIME)


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


def _install(wanted: str) -> None:
    """Installs a requirements file unless this very content was installed before."""
    if wanted == RUNTIME and _stamp(DEVELOPMENT) == _digest(DEVELOPMENT):
        return  # which contains the runtime
    if _stamp(wanted) == _digest(wanted):
        return
    print(f"Installing {wanted} (a minute or two, the first time only) ...", flush=True)
    pip = [PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    _run(
        [*pip, "-r", ROOT / wanted],
        "The packages could not be installed; the lines above say why. Is the network there?",
    )
    _stamp_file(wanted).write_text(_digest(wanted))


def _run(command: list[object], complaint: str) -> None:
    if subprocess.run([str(part) for part in command]).returncode:
        sys.exit(complaint)


def _digest(name: str) -> str:
    """Of the file and of the Python it is installed for; the second file includes the first."""
    names = [RUNTIME] if name == RUNTIME else [RUNTIME, DEVELOPMENT]
    content = b"".join((ROOT / one).read_bytes() for one in names)
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def _stamp_file(name: str) -> Path:
    return VENV / f".installed-{name}"


def _stamp(name: str) -> str:
    file = _stamp_file(name)
    return file.read_text() if file.exists() else ""


if __name__ == "__main__":
    main()
