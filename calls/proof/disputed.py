"""Whether the disputes of calls are those of which their ledgers tell."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from calls import timeline
from calls.models import CallDispute
from calls.proof.chains import Line

Dispute = tuple[int, str, int, int | None]  # its number, state, and by whom: opened, decided


def of_calls(calls: Sequence[int]) -> dict[int, list[Dispute]]:
    found: defaultdict[int, list[Dispute]] = defaultdict(list)
    rows: Any = CallDispute.objects.filter(call__in=calls).order_by("pk")
    for call, *dispute in rows.values_list("call", "pk", "state", "opened_by", "decided_by"):
        found[call].append(tuple(dispute))
    return found


def faults(disputes: Sequence[Dispute], lines: Sequence[Line]) -> Iterator[str]:
    """What the disputes of a call say otherwise than its ledger."""
    told = {_told_by(line): line.actor for line in lines if _tells(line)}
    rows: dict[tuple[Any, Any], int | None] = {}
    for number, state, opened_by, decided_by in disputes:
        rows[number, CallDispute.OPEN] = opened_by
        if state != CallDispute.OPEN:
            rows[number, state] = decided_by
    for number, state in sorted(rows.keys() | told.keys(), key=str):
        one = number, state
        if one not in rows:
            yield f"its dispute {number} was changed or removed: its ledger says {state}"
        elif one not in told:
            unknown = f"it is {state}, of which its ledger knows nothing"
            yield f"its dispute {number} was changed: {unknown}"
        elif rows[one] != told[one]:
            yield f"its dispute {number} was changed: by whom it is {state}"


def _tells(line: Line) -> bool:
    is_about = line.kind == timeline.NOTED and isinstance(line.data, dict)
    return is_about and isinstance(line.data.get("dispute"), dict)


def _told_by(line: Line) -> tuple[Any, Any]:
    about = line.data["dispute"]
    return about.get("number"), about.get("state")
