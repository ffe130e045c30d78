"""Stretches of time: openings and closings paired, merged and measured. Pure; instants in ms."""

from collections.abc import Iterable
from typing import Final

Interval = tuple[int, int]  # half-open

OPENS: Final = 0
CLOSES: Final = 1


def paired(
    parties: Iterable[list[tuple[int, int]]], since: int, until: int | None
) -> tuple[list[Interval], int | None]:
    """The merged closed intervals within [since, until], and since when one is open.

    `parties`: each one's changes (instant, OPENS or CLOSES) in their order, paired by themselves; a
    second opening while open says nothing new, nor does a closing while closed. What is open at
    `until` is closed there; with `until` None it stays open.
    """
    found: list[Interval] = []
    open_since: list[int] = []
    for changes in parties:
        closed, begun = _pairs(changes)
        found += closed
        if begun is not None and until is not None:
            found.append((begun, until))
        elif begun is not None:
            open_since.append(max(begun, since))
    # What lies outside is turned inside out by the clipping, and merge leaves it out.
    clipped = [(max(a, since), b if until is None else min(b, until)) for a, b in found]
    return merge(clipped), min(open_since) if open_since else None


def _pairs(changes: list[tuple[int, int]]) -> tuple[list[Interval], int | None]:
    found: list[Interval] = []
    begun: int | None = None
    for at, what in changes:
        if what == OPENS and begun is None:
            begun = at
        elif what == CLOSES and begun is not None:
            found.append((begun, at))
            begun = None
    return found, begun


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """The union of half-open intervals, sorted and disjoint, without those of no length."""
    merged: list[Interval] = []
    for begin, end in sorted(interval for interval in intervals if interval[1] > interval[0]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def length(intervals: Iterable[Interval], since: int, until: int) -> int:
    """How much of [since, until] the disjoint `intervals` cover, in ms."""
    return sum(max(0, min(b, until) - max(a, since)) for a, b in intervals)
