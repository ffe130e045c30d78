"""The machine of a run: what it is, and which processor the servers and the client have."""

import contextlib
import os
import platform
import sqlite3
from pathlib import Path
from typing import Final

_CAN_PIN: Final = hasattr(os, "sched_setaffinity")
_ALL: Final = sorted(os.sched_getaffinity(0)) if _CAN_PIN else []
SERVER: Final = set(_ALL[:1])
CLIENT: Final = set(_ALL[1:2]) or SERVER


def pin(processors: set[int]) -> None:
    """Keeps this process, and what it starts, on `processors`; without two, nothing is kept."""
    if len(_ALL) > 1:
        os.sched_setaffinity(0, processors)


def unpin() -> None:
    pin(set(_ALL))


def described() -> str:
    """`Linux x86_64, 2 processors (Intel ...), Python 3.11.7, SQLite 3.45.1, load 0.4`."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors{_model()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, load {load:.1f}"
    )


def _model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f" ({line.split(':', 1)[1].strip()})"
    return ""
