"""Every page in process, at many calls: the slowest pages, and the slowest reports."""

import re
import subprocess
import sys
from typing import Final

from bench.installation import ROOT
from bench.sizes import short
from bench.stage import Stage

_LINE: Final = re.compile(r"  (\S+) +(\S+) +(\d+) ms +(\d+) statements")
# Fetched after their page and limited to some seconds: no page waits for them.
_AFTERWARDS: Final = "/calls/totals/?search="


def measure(stage: Stage) -> None:
    calls = stage.options.calls
    stage.record.head(f"Pages in process at {calls} calls")
    done = subprocess.run(
        [sys.executable, "-m", "bench.pages"],
        cwd=ROOT,
        env=stage.copy(calls).environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    slowest: dict[str, float] = {}
    for who, path, taken, _asked in _LINE.findall(done.stdout):
        kind = _kind_of(path)
        if float(taken) > slowest.get(kind, 0.0):
            slowest[kind] = float(taken)
            stage.record.say(f"{kind}: {path} as {who} took {taken} ms")
    for kind, taken in slowest.items():
        stage.record.put(f"{kind}-{short(calls)}", [taken], " ms")


def _kind_of(path: str) -> str:
    if path.startswith("/reports/"):
        return "reports"
    return "afterwards" if path.startswith(_AFTERWARDS) else "pages"
