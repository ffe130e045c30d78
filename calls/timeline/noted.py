"""What people noted of a call: notes, its outcome, and the work after it. Pure; no Django."""

from calls.timeline.events import ENDED, NOTED, WRAP_UP_ENDED, WRAP_UP_STARTED, Event
from calls.timeline.order import in_order


def notes_of(known: list[Event]) -> str:
    """The last notes that anybody wrote."""
    written = [
        e
        for e in known
        if (e.kind == NOTED and "notes" in e.data) or (e.kind == ENDED and e.data.get("notes"))
    ]
    return _last(written, "notes")


def _noting(known: list[Event], what: str) -> list[Event]:
    """The events that note `what`."""
    return [e for e in known if e.kind == NOTED and what in e.data]


def disposition_of(known: list[Event]) -> str:
    """The last outcome that anybody chose."""
    return _last(_noting(known, "disposition"), "disposition")


def _last(said: list[Event], what: str) -> str:
    return str(in_order(said)[-1].data[what]) if said else ""


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
