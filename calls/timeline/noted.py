"""What people noted of a call: notes, its outcome, and the work after it. Pure; no Django."""

from calls.timeline.events import ENDED, NOTED, WRAP_UP_ENDED, WRAP_UP_STARTED, Event


def notes_of(known: list[Event]) -> str:
    """The last notes that anybody wrote, by the time of writing."""
    written = [
        (e.at, e.key, str(e.data["notes"]))
        for e in known
        if (e.kind == NOTED and "notes" in e.data) or (e.kind == ENDED and e.data.get("notes"))
    ]
    return max(written)[2] if written else ""


def _noting(known: list[Event], what: str) -> list[Event]:
    """The events that note `what`."""
    return [e for e in known if e.kind == NOTED and what in e.data]


def disposition_of(known: list[Event]) -> str:
    """The last outcome that anybody chose, by the time of choosing."""
    chosen = [(e.at, e.key, str(e.data["disposition"])) for e in _noting(known, "disposition")]
    return max(chosen)[2] if chosen else ""


def wrap_up_of(known: list[Event], end: int | None) -> tuple[int, int | None]:
    """The length of the work after the call, and since when it is open.

    It begins when it was said to begin, yet never before the call's end; of several who say that it
    is over, the earliest is right: the others spoke of what was over already.
    """
    said = [(str(e.data["wrap_up"]), e.at) for e in _noting(known, "wrap_up")]
    begun = min((at for word, at in said if word == WRAP_UP_STARTED), default=None)
    over = min((at for word, at in said if word == WRAP_UP_ENDED), default=None)
    if begun is None or end is None:
        return 0, None
    since = max(begun, end)
    return (0, since) if over is None else (max(0, over - since), None)
