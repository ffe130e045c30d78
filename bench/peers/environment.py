"""The virtual environment of the peers: made once, and again when `requirements.txt` changes."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE.parent / ".peers-venv"
PYTHON: Final = FOLDER / "bin" / "python"
_REQUIREMENTS: Final = HERE / "requirements.txt"
_STAMP: Final = FOLDER / ".installed"


def prepare() -> None:
    """Installs the peers unless this very list is installed. CalledProcessError if that fails."""
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return
    print("Installing what is compared with into bench/.peers-venv ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", _REQUIREMENTS], check=True)
    _STAMP.write_text(wanted)


def packages() -> str:
    """The folder of the installed packages."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([PYTHON, "-c", where], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()
