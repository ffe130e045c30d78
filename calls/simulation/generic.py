"""A call in the words of the generic hook, numbered, to the millisecond."""

import json
from typing import Any

from calls import timeline
from calls.providers.generic import TOKEN_HEADER, signature
from calls.simulation.base import Builder, ScriptedCall, SimRequest, Target
from common.instants import from_ms, isoformat


def build(call: ScriptedCall, target: Target) -> list[SimRequest]:
    common = {
        "call_id": call.call_id,
        "agent": call.agent,
        "number": call.number,
        "direction": call.direction,
    }
    requests = []
    for sequence, (at, kind, more) in enumerate(_steps(call)):
        instant = isoformat(from_ms(at))
        said = {"event": kind, **common, "at": instant, "sequence": sequence, **more}
        requests.append(_request(call, target, at, said))
    return requests


def _steps(call: ScriptedCall) -> list[tuple[int, str, dict[str, Any]]]:
    steps: list[tuple[int, str, dict[str, Any]]] = [(call.start, timeline.STARTED, {})]
    if call.ringing is not None:
        steps.append((call.ringing, timeline.RINGING, {}))
    if call.answered is not None:
        steps.append((call.answered, timeline.ANSWERED, {}))
    for since, until in call.holds:
        steps += [(since, timeline.HELD, {}), (until, timeline.RESUMED, {})]
    return [*steps, (call.end, timeline.ENDED, {"status": call.status})]


def _request(call: ScriptedCall, target: Target, at: int, said: dict[str, Any]) -> SimRequest:
    body = json.dumps(said).encode()
    secret, sent = target.secret("secret"), str(at // 1000)
    headers = {"Content-Type": "application/json"}
    if target.settings.get("auth") == "token":
        headers[str(target.settings.get("token_header") or TOKEN_HEADER)] = secret
    else:
        headers["X-CallManager-Timestamp"] = sent
        headers["X-CallManager-Signature"] = signature(secret, sent, body)
    return SimRequest(at - call.start, target.url, headers, body)


def unknown(call: ScriptedCall, target: Target) -> SimRequest:
    said = {"event": "levitated", "call_id": call.call_id}
    return _request(call, target, call.start, said)


BUILDER = Builder("generic", build, unknown)
