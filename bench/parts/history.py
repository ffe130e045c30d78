"""The history at few and at many calls: pages, searches, totals, reports, and calls as files."""

import statistics
from typing import Final

from bench.installation import Installation
from bench.stage import FEW, Stage

ROUNDS: Final = 7
# What somebody looks for, and whether a page should cost the same however long the history is.
PAGES: Final = (
    ("newest page", "/calls/", True),
    ("this month", "/calls/?period=month", True),
    ("one agent", "/calls/?agent=agent3", True),
    ("a status", "/calls/?status=FAILED", True),
    ("a frequent word", "/calls/?search=maria", True),
    ("a word that no call has", "/calls/?search=xylophon", True),
    ("a number", "/calls/?search=5068", True),
    ("longer than two hours", "/calls/?min_duration=2:00:00", True),
    ("unconfirmed", "/calls/?evidence=E", True),
    ("running", "/calls/?status=IN_PROGRESS", True),
    ("totals, period only", "/calls/totals/?period=month", False),
    ("totals, a frequent word", "/calls/totals/?search=maria", False),
    ("totals, a status", "/calls/totals/?status=COMPLETED", False),
    ("report of the month", "/reports/?period=month", False),
)
FILES: Final = (("CSV", "csv", 200_000), ("Excel", "xlsx", 20_000))


def measure(stage: Stage) -> None:
    calls = stage.options.calls
    few, many = stage.copy(FEW), stage.copy(calls)
    stage.record.head(f"History: ms in the server at {FEW} and {calls} calls, as administrator")
    for name, path, flat in PAGES:
        sides = [_milliseconds(side, path) for side in (few, many)]
        aim = "; should stay near 1" if flat else ""
        stage.record.say(
            f"{name}: {sides[0]:.0f} and {sides[1]:.0f}, ratio {sides[1] / sides[0]:.1f}{aim}"
        )
    _deep(stage, few, many)
    for name, form, most in FILES:
        taken = many.ask(what="file", form=form, most=most)
        stage.record.say(
            f"{name}: {taken['rows']} rows in {taken['seconds']:.1f} s, "
            f"{taken['rows'] / taken['seconds']:.0f} a second, "
            f"{taken['mebibytes']:.0f} MiB more memory at most"
        )


def _milliseconds(side: Installation, path: str) -> float:
    times: list[float] = side.ask(what="page", path=path, rounds=ROUNDS)
    return statistics.median(times)


def _deep(stage: Stage, few: Installation, many: Installation) -> None:
    """A page in the middle of all calls, by its cursor."""
    sides = []
    for side in (few, many):
        cursor = side.ask(what="cursor", share=0.5)
        sides.append(_milliseconds(side, f"/calls/?cursor={cursor}"))
    stage.record.say(
        f"page in the middle: {sides[0]:.0f} and {sides[1]:.0f}, ratio {sides[1] / sides[0]:.1f}"
    )
