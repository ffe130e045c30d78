"""`make bench`: the site beside others and beside itself, in one run on one machine.

Ratios of one run mean something; absolute figures are the machine's. See docs/performance.md.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench import day, machine
from bench.figures import Record
from bench.installation import ROOT
from bench.parts import (
    daily,
    export,
    fanout,
    fold,
    growth,
    history,
    hooks,
    log,
    paced,
    pages,
    pairs,
    processes,
    records,
    resources,
)
from bench.peers import environment
from bench.sizes import short
from bench.stage import Options, Stage
from bench.targets import judged, missed, targets

RESULTS: Final = ROOT / "bench" / "results"
MANY: Final = 5_000_000
PARTS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "pairs": pairs.measure,
    "nothing": pairs.measure_nothing,
    "paced": paced.measure,
    "log": log.measure,
    "hooks": hooks.measure,
    "day": day.measure,
    "resources": resources.measure,
    "fold": fold.measure,
    "fanout": fanout.measure,
    "processes": processes.measure,
    "export": export.measure,
    "growth": growth.measure,
    "daily": daily.measure,
    "pages": pages.measure,
    "history": history.measure,
    "records": records.measure,
    "records-many": records.measure_many,
}
# Their pages, files and records take minutes.
USUAL: Final = [name for name in PARTS if name not in ("history", "records-many")]
WITH_MANY: Final = ("growth", "daily", "pages")


def main() -> None:
    given = _given()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and end the servers
    record, commit = Record(machine.described()), _commit()
    machine.pin(machine.CLIENT)
    environment.prepare()
    print(record.machine, flush=True)
    options = Options(
        given.calls,
        given.rounds,
        given.seconds,
        given.day_seconds,
        given.open_pages,
        given.hook_calls,
        given.flask_threads,
    )
    folder = Path(tempfile.mkdtemp(prefix="callmanager-bench-"))
    stage = Stage(options, record, folder)
    try:
        stage.copy(10_000).manage("collectstatic", "--noinput", "-v0")
        for name in given.only:
            PARTS[name](stage)
    finally:
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)
    _tell(record, given, commit)


def _given() -> argparse.Namespace:
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--only",
        type=_parts,
        default=USUAL,
        metavar="PART,PART",
        help=f"of {', '.join(PARTS)}; without it, all but history",
    )
    parser.add_argument("--calls", type=int, default=usual.calls, help="of the long history")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="of each side, in turn")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of a round")
    parser.add_argument("--day-seconds", type=float, default=usual.day_seconds)
    parser.add_argument("--open-pages", type=int, default=usual.open_pages)
    parser.add_argument("--hook-calls", type=int, default=usual.hook_calls, help="of each kind")
    parser.add_argument("--flask-threads", type=int, default=usual.flask_threads)
    parser.add_argument("--name", default="bench", help="of the file in bench/results")
    parser.add_argument("--keep", action="store_true", help="let git take that file")
    parser.add_argument("--no-profile", action="store_true", help="of what misses its target")
    return parser.parse_args()


def _parts(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(PARTS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: no such part")
    return [name for name in PARTS if name in names]


def _tell(record: Record, given: argparse.Namespace, commit: str) -> None:
    wanted = targets()
    print("\n" + "\n".join(judged(wanted, record.figures)), flush=True)
    _left_out(given)
    missing = missed(wanted, record.figures)
    file = record.save(
        RESULTS if given.keep else RESULTS / "local",
        given.name,
        commit=commit,
        options=vars(given),
    )
    print(f"\nAll rounds are in {file.relative_to(ROOT)}", flush=True)
    routes = dict.fromkeys(target.profile for target in missing if target.profile)
    for route in () if given.no_profile else routes:
        command = [sys.executable, "-m", "bench.profile", "--route", route]
        subprocess.run(command, cwd=ROOT, check=True)


def _commit() -> str:
    """The state of the sources; "" where git does not know."""
    asked = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(asked, cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.strip()


def _left_out(given: argparse.Namespace) -> None:
    left = [name for name in PARTS if name not in given.only]
    if left:
        print(f"\nLeft out: {', '.join(left)}; run `python -m bench --only {','.join(left)}`")
    if given.calls < MANY and set(WITH_MANY) & set(given.only):
        names = ",".join(WITH_MANY)
        print(
            f"Measured at {short(given.calls)} calls, not at {short(MANY)}, which takes half an "
            f"hour to seed: `python -m bench --only {names} --calls {MANY}`"
        )


if __name__ == "__main__":
    main()
