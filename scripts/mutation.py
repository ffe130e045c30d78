"""Mutation testing: spoils the heart of the program in a thousand ways, and the tests must notice.

    python scripts/mutation.py [--processes 2] [calls/timeline/fold.py ...]

A mutant that no test notices survives. tests/proof/survivors.toml names those that change nothing
that anybody could see, each with the reason, and those that are "open:", for which a test is still
to be written; any other survivor fails the run. Nothing is written
into the project: the mutants exist in memory, databases and reports in a temporary folder.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mutants import ROOT, Mutant, mutants_of

# What is spoilt, and the files of tests that look at it (tests/....py).
TARGETS = {
    "calls/timeline/events.py": ("calls/test_timeline",),
    "calls/timeline/fold.py": ("calls/test_timeline",),
    "calls/timeline/intervals.py": ("calls/test_timeline",),
    "calls/timeline/gaps.py": ("calls/test_timeline",),
    "calls/timeline/noted.py": ("calls/test_timeline",),
    "calls/timeline/order.py": ("calls/test_timeline",),
    "calls/telephony/intake.py": (
        "calls/telephony/test_intake",
        "calls/telephony/test_sequence_numbers",
    ),
    "calls/services/lifecycle.py": (
        "calls/test_services",
        "calls/test_wrap_up",
        "calls/telephony/test_intake",
    ),
    "calls/services/steps.py": ("calls/test_services", "calls/test_order_of_words"),
    "calls/services/corrections.py": ("calls/test_services", "calls/test_order_of_words"),
    "calls/services/stale.py": ("calls/test_services",),
    "calls/services/recording.py": (
        "calls/test_services",
        "calls/test_order_of_words",
        "calls/test_wrap_up",
        "calls/telephony/test_intake",
    ),
    "metrics/rollups/daily.py": ("metrics/test_metrics", "calls/telephony/test_intake"),
    "metrics/definitions.py": ("metrics/test_definitions", "metrics/test_metrics"),
    "metrics/rollups/shared_calls.py": ("metrics/test_metrics", "calls/telephony/test_intake"),
    "accounts/roles.py": ("callmanager/test_docs", "accounts/test_roles"),
}
# They remember what they once made (prepared statements), which a fork inherits from the sane run.
REMEMBERING = ("metrics/rollups/daily.py",)
NO_TESTS_RAN = 5  # pytest's exit code where the plugin ran them instead


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="FILE")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=120, help="begin no mutant after them")
    chosen = parser.parse_args()
    deadline = time.time() + 60 * chosen.minutes
    verdicts = [is_proven(target, chosen.processes, deadline) for target in chosen.targets]
    return int(not all(verdicts))


def is_proven(target: str, processes: int, deadline: float) -> bool:
    """Whether every mutant of a file is killed or explained; prints how many are."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        run = Run(target, Path(folder), processes, deadline)
        survived = run.survived()
    new = [run.mutants[number] for number, alive in sorted(survived.items()) if alive]
    made, tried, untried = len(run.mutants), len(survived), len(run.wanted - survived.keys())
    known_gaps = sum(mutant.is_open for mutant in run.mutants)
    print(
        f"{target}: {made} mutants, {tried - len(new)} killed,"
        f" {made - len(run.wanted) - known_gaps} explained, {known_gaps} open,"
        f" {len(new)} new, {untried} not tried"
    )
    for mutant in new:
        print(described(mutant))
    sys.stdout.flush()
    return not new and not untried


def described(mutant: Mutant) -> str:
    was, becomes = mutant.change
    return f"  {mutant.where}\n    - {was}\n    + {becomes}"


class Run:
    """All mutants of one file against its tests."""

    def __init__(self, target: str, folder: Path, processes: int, deadline: float):
        self.mutants = mutants_of(target)
        self.wanted = {n for n, mutant in enumerate(self.mutants) if not mutant.is_explained}
        self._target = target
        self._report = folder / "report"
        self._report.touch()
        self._environment = os.environ | {
            "CI": "true",
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "DATA_DIR": str(folder),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(folder),
            # Each plugin that is loaded costs more than most tests.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT / "scripts"),
            "MUTATION_TARGET": target,
            "MUTATION_PROCESSES": str(processes),
            "MUTATION_DEADLINE": str(deadline),
            "MUTATION_REPORT": str(self._report),
        }

    def survived(self) -> dict[int, bool]:
        """Number of the mutant -> whether no test notices it, of all that were tried.

        Most die in a fork of one process that has everything loaded. What such a process has read
        once, or remembers, cannot be spoilt there; those are tried by reading the file anew.
        """
        survived = self._pytest("functions", "--create-db")
        rest = self.wanted - survived.keys()
        if self._target in REMEMBERING:
            rest |= {number for number, alive in survived.items() if alive}
        if rest:
            numbers = " ".join(map(str, sorted(rest)))
            survived = self._pytest("files", "-x", MUTATION_NUMBERS=numbers)
        return survived

    def _pytest(self, stage: str, *options: str, **more: str) -> dict[int, bool]:
        """What the report then says: of each mutant, the last."""
        plugins = (
            "mutation_plugin",
            "pytest_django.plugin",
            "tests.support.worker",
            "no:cacheprovider",
        )
        options += tuple(option for plugin in plugins for option in ("-p", plugin))
        tests = [f"tests/{name}.py" for name in TARGETS[self._target]]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--tb=native", *options, *tests],
            cwd=ROOT,
            env=self._environment | {"MUTATION_STAGE": stage} | more,
        )
        if done.returncode not in (0, NO_TESTS_RAN):
            sys.exit(f"{self._target}: pytest ended with {done.returncode}")
        return dict(json.loads(line) for line in self._report.read_text().splitlines())


if __name__ == "__main__":
    sys.exit(main())
