"""Stages of a check: commands with a name, run one after another in each of several lanes."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_printing = threading.Lock()


@dataclass
class Stage:
    """`shown` ones print while they run; the others all at once, when they have ended."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    shown: bool = False


def run(*lanes: list[Stage]) -> None:
    """Runs the lanes beside each other, each to its end; exits with 1 and the names of the stages
    that failed, if any did."""
    begun = time.monotonic()
    with ThreadPoolExecutor(len(lanes)) as pool:
        failed = [name for names in pool.map(_run_lane, lanes) for name in names]
    took = time.monotonic() - begun
    if failed:
        sys.exit(f"FAILED after {took:.0f} s: {', '.join(failed)}. What they said stands above.")
    print(f"Everything passed in {took:.0f} s.")


def _run_lane(stages: list[Stage]) -> list[str]:
    return [stage.name for stage in stages if not _run(stage)]


def _run(stage: Stage) -> bool:
    begun = time.monotonic()
    if stage.shown:
        _say(f"== {stage.name}")
    with tempfile.TemporaryFile() as output:
        kept = None if stage.shown else output
        code = subprocess.run(
            stage.command,
            cwd=ROOT,
            env=os.environ | stage.environment,
            stdout=kept,
            stderr=kept,
        ).returncode
        output.seek(0)
        said = output.read().decode(errors="replace")
    verdict = "passed" if code == 0 else f"FAILED (exit code {code})"
    _say(f"{said}== {stage.name}: {verdict} in {time.monotonic() - begun:.0f} s")
    return code == 0


def _say(text: str) -> None:
    with _printing:
        print(text, flush=True)


def make(target: str, arguments: str = "") -> list[str]:
    return ["make", "--no-print-directory", target, f"ARGS={arguments}"]


BIN = Path(sys.executable).parent
