"""Lines of a ledger that were taken back. Pure; no Django.

A ledger only grows, so a line is taken back by another: a `noted` event whose data names keys under
`withdraws`. What it names counts no more, whether it was taken down before or comes later; a key
that the ledger does not have is no matter. What was taken back stays so: a line that takes back
cannot be taken back itself, or what counts would hang on an order.
"""

from collections.abc import Iterable
from typing import Final

from calls.timeline.events import NOTED, Event

WITHDRAWS: Final = "withdraws"


def is_withdrawal(event: Event) -> bool:
    return event.kind == NOTED and WITHDRAWS in event.data


def withdrawn_keys(events: Iterable[Event]) -> set[str]:
    """The keys of the lines that were taken back."""
    return {str(key) for e in events if is_withdrawal(e) for key in e.data[WITHDRAWS]}


def standing(events: list[Event]) -> list[Event]:
    """What of a ledger counts."""
    gone = withdrawn_keys(events)
    if not gone:
        return events
    return [event for event in events if event.key not in gone or is_withdrawal(event)]
