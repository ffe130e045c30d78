"""What shows, among the events of one call, that a provider's event was lost. Pure.

Each rule reads what an adapter says besides the facts: `seq` numbers the events of a `leg` from 0;
`conversation_seq` numbers the messages about a conversation, from any number; `awaits` names a leg
whose end will be reported, and an end, a record or `over` reports it; `paired` marks the holds of a
system that tells every hold and the end of every hold.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

_ENDING: Final = ("ended", "summary")
_ANSWERED, _HELD = "answered", "held"


class ReportedEvent(Protocol):
    """An event, as calls.timeline has it."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


def shows_loss(reported: Iterable[ReportedEvent]) -> bool:
    """Whether an event is lost from those that the provider reported of an ended call."""
    events = list(reported)
    return (
        _numbers_lack(events)
        or _conversation_lacks(events)
        or _ends_lack(events)
        or _holds_lack(events)
    )


def _leg(event: ReportedEvent) -> str:
    return str(event.data.get("leg", ""))


def _numbers_lack(events: list[ReportedEvent]) -> bool:
    legs: dict[str, set[int]] = {}
    for event in events:
        if "seq" in event.data:
            legs.setdefault(_leg(event), set()).add(int(event.data["seq"]))
    return any(len(numbers) <= max(numbers) for numbers in legs.values())


def _conversation_lacks(events: list[ReportedEvent]) -> bool:
    """A gap between the first and the last number. What came before the first shows otherwise: a
    part of which the beginning is lost has no start."""
    numbers = {int(e.data["conversation_seq"]) for e in events if "conversation_seq" in e.data}
    return bool(numbers) and len(numbers) <= max(numbers) - min(numbers)


def _ends_lack(events: list[ReportedEvent]) -> bool:
    awaited = {str(event.data["awaits"]) for event in events if event.data.get("awaits")}
    over = {_leg(e) for e in events if e.kind in _ENDING or e.data.get("over")}
    return not awaited <= over


def _holds_lack(events: list[ReportedEvent]) -> bool:
    """A hold without its end, an end without its hold, or a hold before anybody had answered."""
    parties: dict[str, list[tuple[int, bool, str]]] = {}
    for event in events:
        if event.data.get("paired"):
            step = (event.at, event.kind != _HELD, event.kind)
            parties.setdefault(str(event.data.get("party", "")), []).append(step)
    return any(_is_broken(sorted(steps)) for steps in parties.values())


def _is_broken(steps: list[tuple[int, bool, str]]) -> bool:
    held = False
    answers = any(kind == _ANSWERED for _, _, kind in steps)
    for _, closes, kind in steps:
        if kind == _ANSWERED:
            answers = False  # an answer may be reported again, and may end a hold
        elif held != closes or answers:
            return True
        held = not closes
    return held
