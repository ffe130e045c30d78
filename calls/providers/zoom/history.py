"""Zoom's call history: its last word on each leg."""

from collections.abc import Mapping
from typing import Any

from calls import timeline
from calls.providers.base import ProviderEvent, Unreadable, bounded_ms
from calls.providers.reading import Values, instant_of, name_of, text
from calls.providers.zoom.results import COMPLETED, FAILED, NO_ANSWER, plain, words
from calls.providers.zoom.sides import who

_CONNECTED = {"internal": "internal", "external": "external"}


def summary(
    side: str, log: Mapping[str, Any], outcome: tuple[str, str], values: Values
) -> ProviderEvent:
    """The record of a leg of ours; Unreadable where it does not say when that was."""
    other = "callee" if side == "caller" else "caller"
    extension = text(log.get(f"{other}_ext_number")) or text(log.get(f"{other}_ext_id"))
    connected = _CONNECTED.get(plain(text(log.get("connect_type"))), "")
    leg = who(
        side,
        name_of(log.get("call_id"), "call"),
        tuple(log.get(f"{side}_{what}") for what in ("ext_number", "email", "did_number")),
        (log.get(f"{other}_did_number"), log.get(f"{other}_ext_number")),
        internal=connected == "internal" if connected else bool(extension),
    )
    start = instant_of(log.get("start_time"))[0]
    answered, end = (values.instant(name, log.get(name)) for name in ("answer_time", "end_time"))
    status, reason = outcome
    if status in (NO_ANSWER, FAILED):
        answered = None
    elif answered is None and "answer_time" not in values.unread:
        status, reason = NO_ANSWER, ""
    data: dict[str, Any] = {
        "start": start,
        "end": _end_of(log, start, answered, values) if end is None else end,
        "status": status or COMPLETED,
        "turn": True,
    }
    if "answer_time" not in values.unread or status in (NO_ANSWER, FAILED):
        data["answered"] = answered
    hold = values.length("hold_time", log.get("hold_time"))
    if hold is not None:
        data["hold"] = hold
    said = words(reason, text(log.get("result_reason")) or text(log.get("result")))
    data |= said | values.said
    return leg.event(timeline.SUMMARY, data["end"], data, text(log.get("id")))


def _end_of(log: Mapping[str, Any], start: int, answered: int | None, values: Values) -> int:
    """The end that the lengths give, where it is not reported itself."""
    lengths = ("talk_time", "hold_time") if answered is not None else ("wait_time",)
    told = [values.length(name, log.get(name)) for name in lengths]
    if told[0] is None:
        raise Unreadable("The history does not say when the call ended.")
    return bounded_ms((start if answered is None else answered) + sum(t or 0 for t in told))
