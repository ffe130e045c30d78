"""What a failing test leaves behind: what the servers said meanwhile, and its pages as they stood.

In `test-results/<test>/`, named at the end of the output.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import LOGS, ROOT

RESULTS = ROOT / "test-results"
KEPT = "kept"
_before = pytest.StashKey[dict[Path, int]]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(RESULTS, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_before] = {log: log.stat().st_size for log in LOGS.iterdir()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: Any = yield
    if report.failed:
        folder = RESULTS / re.sub(r"[^\w.-]+", "-", item.nodeid.removeprefix("tests/"))[:120]
        folder.mkdir(parents=True, exist_ok=True)
        report.user_properties += [(KEPT, str(path)) for path in _keep(item, folder)]
    return report


def _keep(item: Any, folder: Path) -> Iterator[Path]:
    for log in sorted(LOGS.iterdir()):
        said = log.read_bytes()[item.stash[_before].get(log, 0) :]
        if said:
            (folder / log.name).write_bytes(said)
            yield folder / log.name
    if "visit" in getattr(item, "funcargs", {}):
        yield from item.funcargs["visit"].keep_evidence(folder)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
    if not reports:
        return
    terminalreporter.section("what the failing tests left behind")
    seed = terminalreporter.config.getoption("randomly_seed", None)
    terminalreporter.line(f'The same order again: make test ARGS="--randomly-seed={seed}"')
    for report in reports:
        terminalreporter.line(report.nodeid)
        for path in sorted({path for name, path in report.user_properties if name == KEPT}):
            terminalreporter.line(f"    {path}")
