"""A fuzzer that reads the API's description of itself and looks for an answer it does not allow."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.server import ROOT, Server

FUZZER = Path(sys.executable).with_name("schemathesis")
QUIET = ("--suppress-health-check=all", "--no-color")
HOOKS = {"SCHEMATHESIS_HOOKS": "tests.support.fuzzing_hooks", "PYTHONPATH": str(ROOT)}


def contradictions(server: Server, key: str, folder: Path, *options: str) -> str:
    """What the fuzzer found, in its words; nothing if all answers are as described.

    `folder` is where it may leave its notes, `options` say which operations it tries and how.
    """
    (folder / "schemathesis.toml").write_text("")
    headers = ("--header", f"X-API-Key: {key}", "--header", "Accept-Language: en")
    done = subprocess.run(
        [
            *(str(FUZZER), "--config-file", "schemathesis.toml"),
            *("run", f"{server.url}/api/schema/", *headers, *QUIET),
            *("--seed=1", *options),
        ],
        cwd=folder,
        env=os.environ | HOOKS,
        capture_output=True,
        text=True,
    )
    return "" if done.returncode == 0 else done.stdout[-8000:] + done.stderr[-2000:]
