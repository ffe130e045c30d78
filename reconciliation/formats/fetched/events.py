"""Records from events: what an adapter reads in a provider's final word, as one record."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from calls import timeline
from calls.providers.base import Adapter, Payload, ProviderEvent, Unknown
from calls.providers.reading import number_of, text
from reconciliation.call_record import CallRecord


def read_by(adapter: Adapter, message: bytes) -> list[ProviderEvent]:
    """The facts of a message of JSON, those that could be read. Raises Unreadable or Unknown."""
    try:
        return adapter.parse(Payload(message, received=0, content_type="application/json"))
    except Unknown as unknown:
        if not unknown.events:
            raise
        return list(unknown.events)


def record_of(
    events: Sequence[ProviderEvent], key: str, start: int | None = None, **more: Any
) -> CallRecord:
    """What all `events` of one agent's part prove together, folded as its ledger would be.

    `start` (ms), where the events do not tell it; `more` are further fields of the record.
    ValueError if they prove nothing.
    """
    ledger = [
        timeline.Event(event.key, event.kind, event.at, "provider:", event.facts())
        for event in events
    ]
    if start is not None:
        ledger.append(timeline.Event("start", timeline.STARTED, start, "provider:"))
    state = timeline.fold(ledger)
    said: dict[str, Any] = {
        "key": key,
        "call": events[0].call,
        "conversation": events[0].conversation,
        "agents": _agents_of(events),
        "start": state.start,
        "answered": state.answered,
        "knows_answer": state.answered is not None or state.status not in timeline.ANSWERED_ENDS,
        "end": state.end,
        "hold": state.hold or None,
        "status": "" if state.status == timeline.IN_PROGRESS else state.status,
        "reason": state.end_reason,
        "number": state.number,
        "direction": state.direction,
        "precision": max(event.precision_ms for event in events),
    }
    return CallRecord(**(said | more))


def _agents_of(events: Sequence[ProviderEvent]) -> tuple[str, ...]:
    """Who answered; of a call that nobody did, the first that is named."""
    named = [event for event in events if event.agents]
    took = [event for event in named if event.data.get("answered") is not None]
    return next((event.agents for event in took + named), ())


def amount(value: Any) -> Decimal | None:
    """What is billed, from 0: Twilio writes costs as negative numbers. None where it is none."""
    try:
        found = abs(Decimal(text(value)))
    except InvalidOperation:
        return None
    return found if found.is_finite() and found < 10**8 else None


def total(legs: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """The sum of what `legs` are billed with; None while one that had a length is not yet.

    One that nobody answered may cost nothing and then has no price.
    """
    amounts = [amount(leg.get("price")) for leg in legs if number_of(leg.get("duration"))]
    if None in amounts:
        return None
    told = [amount(leg.get("price")) for leg in legs]
    return sum((one for one in told if one is not None), Decimal()) if any(told) else None
