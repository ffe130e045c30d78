"""A call through Aircall: its object as it stands at each event, and the record at the end."""

import json
from typing import Any

from calls.providers.aircall import PRECISION_MS
from calls.simulation.base import Builder, ScriptedCall, SimRequest, Target, hex_id

_RECORD_AFTER = 30_000  # ms


def build(call: ScriptedCall, target: Target) -> list[SimRequest]:
    data: dict[str, Any] = {
        "id": int(hex_id(call.call_id), 16) % 10**9,
        "direction": call.direction,
        "status": "initial",
        "started_at": call.start // 1000,
        "answered_at": None,
        "ended_at": None,
        "raw_digits": call.number,
        "user": _user(call) if call.direction == "outbound" else None,
    }
    requests = [_request(call, target, call.start, "call.created", data)]
    if call.answered is not None:
        data |= {"status": "answered", "answered_at": call.answered // 1000, "user": _user(call)}
        requests.append(_request(call, target, call.answered, "call.answered", data))
    for since, until in call.holds:
        requests.append(_request(call, target, since, "call.hold", data))
        requests.append(_request(call, target, until, "call.unhold", data))
    requests.append(_request(call, target, call.end, "call.hungup", data))
    data |= {
        "status": "done",
        "ended_at": call.end // 1000,
        "duration": (call.end - call.start) // 1000,
        "missed_call_reason": None if call.answered else "agents_did_not_answer",
    }
    record = _request(call, target, call.end + _RECORD_AFTER, "call.ended", data, final=True)
    return [*requests, record]


def _user(call: ScriptedCall) -> dict[str, Any]:
    return {"id": call.agent, "email": f"{call.agent}@example.test"}


def _request(
    call: ScriptedCall,
    target: Target,
    at: int,
    event: str,
    data: dict[str, Any],
    final: bool = False,
) -> SimRequest:
    said = {
        "resource": "call",
        "event": event,
        "timestamp": at // 1000,
        "token": target.secret("token"),
        "data": data,
    }
    headers = {"Content-Type": "application/json"}
    return SimRequest(at - call.start, target.url, headers, json.dumps(said).encode(), final=final)


def unknown(call: ScriptedCall, target: Target) -> SimRequest:
    return _request(call, target, call.start, "call.levitated", {})


BUILDER = Builder(
    "aircall",
    build,
    unknown,
    PRECISION_MS,
    tells_dropped=False,
    tells_failed=False,
    records_hold=False,
)
