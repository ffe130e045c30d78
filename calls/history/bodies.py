"""A call, and a line of its ledger, as programs get them: in the API, the feed and webhooks."""

from typing import Any

from calls.models import CallEvent, CallLog
from common.instants import isoformat


def text_of_id(pk: int | None) -> str:
    """An id as programs get it beside a call: they cut and compare it as text. "" for none."""
    return "" if pk is None else str(pk)


def call_body(call: CallLog) -> dict[str, Any]:
    """Lengths in whole seconds, null until they can be known; but the tracked length of a call that
    runs is 0, and what nobody knows of an id or number is empty.

    Reads the call's user and contact.
    """
    return {
        "call_id": str(call.call_id),
        "user_id": text_of_id(call.user_id),
        "username": call.user and call.user.username,
        "contact_id": call.public_contact_id or "",
        "contact_phone": call.contact_phone,
        "start_time": isoformat(call.start_time),
        "end_time": isoformat(call.end_time),
        "duration_seconds": call.duration_seconds or 0,
        "status": call.status,
        "notes": call.notes,
        "answered_time": isoformat(call.answered_time),
        "ring_seconds": call.ring_seconds,
        "talk_seconds": call.talk_seconds,
        "hold_seconds": call.hold_seconds,
        "paused_seconds": call.paused_seconds,
        "direction": call.direction,
        "provider": call.provider,
        "evidence": call.evidence,
        "end_reason": call.end_reason,
        "disposition": call.disposition,
        "wrap_up_seconds": call.wrap_up_seconds,
    }


def line_body(line: CallEvent) -> dict[str, Any]:
    """Who said what, when it happened and when we heard of it. Reads the line's actor."""
    return {
        "kind": line.kind,
        "occurred_at": isoformat(line.occurred_at),
        "received_at": isoformat(line.received_at),
        "source": line.source,
        "actor": line.actor and line.actor.username,
        "precision_ms": line.precision_ms,
        "data": line.data,
    }
