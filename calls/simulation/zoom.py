"""A call through Zoom Phone, reported with live events and then by its call history."""

import json
from typing import Any

from calls import timeline
from calls.providers.zoom import PRECISION_MS, signature
from calls.simulation.base import Builder, ScriptedCall, SimRequest, Target, hex_id
from common.instants import from_ms

_HISTORY_AFTER = 20_000  # ms
_HANDUP = {
    timeline.COMPLETED: "Call connected",
    timeline.NO_ANSWER: "No Answer",
    timeline.FAILED: "Call failed",
}


def build(call: ScriptedCall, target: Target) -> list[SimRequest]:
    side = "caller" if call.direction == "outbound" else "callee"
    other = "callee" if side == "caller" else "caller"
    about: dict[str, Any] = {
        "call_id": str(int(hex_id(call.call_id), 16) % 10**19).zfill(19),
        side: {"user_id": f"u-{call.agent}", "extension_number": call.agent},
        other: {"phone_number": call.number},
        "ringing_start_time": _iso(call.start),
    }
    requests = [
        _request(call, target, at, f"phone.{side}_{step}", {**about, **more})
        for at, step, more in _steps(call, side)
    ]
    history = {
        "id": hex_id(call.call_id, "history"),
        "call_id": about["call_id"],
        "direction": call.direction,
        f"{side}_ext_number": call.agent,
        f"{other}_did_number": call.number,
        "start_time": _iso(call.start),
        "end_time": _iso(call.end),
        "result": "answered" if call.answered else _HANDUP[call.status].lower().replace(" ", "_"),
        "hold_time": call.held // 1000,
        "talk_time": call.truth["talk"] // 1000,
    }
    if call.answered is not None:
        history["answer_time"] = _iso(call.answered)
    event = f"phone.{side}_call_history_completed"
    body = {"user_id": f"u-{call.agent}", "call_logs": [history]}
    return [*requests, _request(call, target, call.end + _HISTORY_AFTER, event, body, final=True)]


def _steps(call: ScriptedCall, side: str) -> list[tuple[int, str, dict[str, Any]]]:
    steps: list[tuple[int, str, dict[str, Any]]] = [(call.start, "ringing", {})]
    end: dict[str, Any] = {"call_end_time": _iso(call.end), "handup_result": _HANDUP[call.status]}
    if call.answered is None:
        last = "ended" if side == "caller" else "missed"
        return [*steps, (call.end, last, end)]
    answered = _iso(call.answered)
    if side == "caller":
        # A caller is 'connected' as soon as it hears the other side ring.
        steps.append((call.start, "connected", {"connected_start_time": _iso(call.start)}))
    else:
        steps.append((call.answered, "answered", {"answer_start_time": answered}))
    for since, until in call.holds:
        steps.append((since, "hold", {"date_time": _iso(since)}))
        steps.append((until, "unhold", {"date_time": _iso(until)}))
    return [*steps, (call.end, "ended", end | {"answer_start_time": answered})]


def _iso(at: int) -> str:
    return f"{from_ms(at):%Y-%m-%dT%H:%M:%SZ}"


def _request(
    call: ScriptedCall,
    target: Target,
    at: int,
    event: str,
    about: dict[str, Any],
    final: bool = False,
) -> SimRequest:
    said = {"event": event, "event_ts": at, "payload": {"account_id": "acc-1", "object": about}}
    body = json.dumps(said, separators=(",", ":")).encode()
    sent = str(at // 1000)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "x-zm-request-timestamp": sent,
        "x-zm-signature": signature(target.secret("secret_token"), sent, body),
    }
    return SimRequest(at - call.start, target.url, headers, body, final=final)


def unknown(call: ScriptedCall, target: Target) -> SimRequest:
    about = {"call_id": hex_id(call.call_id)}
    return _request(call, target, call.start, "phone.caller_levitated", about)


BUILDER = Builder("zoom", build, unknown, PRECISION_MS, tells_dropped=False)
