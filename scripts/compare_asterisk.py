"""Real Asterisk streams beside what the phones measured and what the server's records say.

    .venv/bin/python scripts/compare_asterisk.py [FOLDER] [--trunks trunk]

FOLDER (tests/fixtures/ami) holds a stream a scenario (`NAME.txt`), `truth.jsonl` (the phones'
seconds) and `cdr.csv` (scenario as first column). Prints a table; exits with 1 where they disagree
by more than 50 ms, or, of the records, in a whole second.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

from calls import timeline  # noqa: E402
from calls.providers.asterisk.ami import Reader  # noqa: E402
from calls.providers.asterisk.dialplan import Dialplan, names  # noqa: E402
from calls.providers.asterisk.tracker import Tracker  # noqa: E402

TOLERANCE = 50  # ms
_HEAD = ("scenario", "status", "what", "truth", "recorded", "CDR")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "tests/fixtures/ami")
    parser.add_argument("--trunks", default="trunk", help="peers that are ways out, with commas")
    options = parser.parse_args()
    lines = (options.folder / "truth.jsonl").read_text().splitlines()
    with (options.folder / "cdr.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    table, agree = [_HEAD], True
    for truth in map(json.loads, lines):
        scenario = truth["scenario"]
        raw = (options.folder / f"{scenario}.txt").read_bytes()
        record = next(row for row in records if row["scenario"] == scenario)
        state = _callers_part(raw, truth["caller"], frozenset(names(options.trunks)))
        for row, right in _rows(truth, state, record):
            table.append((scenario, state.status, *row))
            agree &= right
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for row in table:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    sys.exit(0 if agree else 1)


def _callers_part(raw: bytes, agent: str, trunks: frozenset[str]) -> timeline.CallState:
    tracker = Tracker(Dialplan(trunks=trunks))
    events = [event for one in Reader().feed(raw) for event in tracker.read(one, 0)]
    call = next(event.call for event in events if agent in event.agents)
    return timeline.fold(
        timeline.Event(one.key, one.kind, one.at, "provider:asterisk", one.facts())
        for one in events
        if one.call == call
    )


def _rows(
    truth: dict[str, Any], state: timeline.CallState, record: dict[str, Any]
) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """(what, truth, recorded, CDR) in seconds, and whether they agree."""
    assert state.end is not None
    connected = 0 if state.answered is None else state.end - state.answered
    hold = round(truth.get("hold", 0) * 1000)
    rows = [
        ("ring", truth.get("ring"), state.ring, None),
        ("connected", truth["talk"], connected, record["billsec"]),
        ("hold", hold / 1000, state.hold, None),
        ("talk", truth["talk"] - hold / 1000, state.talk, None),
        ("duration", None, state.duration, record["duration"]),
    ]
    # A click to call's record begins before the other side rings: see docs/asterisk.md.
    originated = "originated" in truth["result"]
    for what, true, recorded, said in rows:
        assert recorded is not None
        right = true is None or abs(recorded - round(true * 1000)) <= TOLERANCE
        if said is not None and not originated:
            right = right and recorded // 1000 == int(said)
        shown = "" if true is None else f"{true:.3f}"
        yield (what, shown, f"{recorded / 1000:.3f}", said or ""), right


if __name__ == "__main__":
    main()
