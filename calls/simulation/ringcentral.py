"""A call through RingCentral: the notifications of its two parties, numbered within the session.

As in the recorded streams that RingCentral's guide to these notifications links to (csn-data): each
is about one party, the caller's is set up first and the other side's answered first, who holds is
reported alone, and the numbers begin at 2.
"""

import json
from typing import Any, Final

from calls import timeline
from calls.simulation.base import Builder, ScriptedCall, SimRequest, Target, hex_id
from common.instants import from_ms, isoformat

_REASONS = {timeline.NO_ANSWER: "NoAnswer", timeline.FAILED: "InvalidNumber"}
_FIRST: Final = 2


def build(call: ScriptedCall, target: Target) -> list[SimRequest]:
    session = _session(call)
    own, other = _parties(call)
    steps = [(at, own, status) for at, status in _steps(call)]
    steps += [(at, other, status) for at, status in _steps_of_other(call)]
    requests = []
    for sequence, (at, party, status) in enumerate(sorted(steps, key=_order), _FIRST):
        body = {"sequence": sequence, "parties": [{**party, "status": status}]}
        requests.append(_request(call, target, at, f"{session}-{sequence}", body))
    return requests


def unknown(call: ScriptedCall, target: Target) -> SimRequest:
    party = _parties(call)[0] | {"status": {"code": "Levitated"}}
    return _request(call, target, call.start, f"{_session(call)}-unknown", {"parties": [party]})


def _session(call: ScriptedCall) -> str:
    return f"s-{hex_id(call.call_id)}"


def _parties(call: ScriptedCall) -> tuple[dict[str, Any], dict[str, Any]]:
    """The agent's party and that of the other side, who is none of the account's extensions."""
    outbound = call.direction == "outbound"
    agent, number = {"extensionId": call.agent}, {"phoneNumber": call.number}
    ends = {"from": agent if outbound else number, "to": number if outbound else agent}
    caller, called = (
        {"id": f"p-{hex_id(call.call_id)}-{place}", "direction": direction, **ends}
        for place, direction in ((1, "Outbound"), (2, "Inbound"))
    )
    own, other = (caller, called) if outbound else (called, caller)
    missed = not outbound and call.answered is None
    return own | {"extensionId": call.agent, "missedCall": missed}, other


def _order(step: tuple[int, dict[str, Any], dict[str, Any]]) -> tuple[int, bool, bool]:
    """Of two at one instant the caller's is reported first, but for an answer; ends come last."""
    at, party, status = step
    is_callers, code = party["direction"] == "Outbound", status["code"]
    return at, code == "Disconnected", is_callers == (code == "Answered")


def _steps(call: ScriptedCall) -> list[tuple[int, dict[str, Any]]]:
    steps = [(call.start, {"code": "Setup"})]
    if call.ringing is not None:
        steps.append((call.ringing, {"code": "Proceeding"}))
    if call.answered is not None:
        steps.append((call.answered, {"code": "Answered"}))
    for since, until in call.holds:
        steps += [(since, {"code": "Hold"}), (until, {"code": "Answered"})]
    last = {"code": "Disconnected"}
    if call.answered is None:
        last["reason"] = _REASONS[call.status]
    elif call.status == timeline.DROPPED:
        last["reason"] = "CallDropped"
    return [*steps, (call.end, last)]


def _steps_of_other(call: ScriptedCall) -> list[tuple[int, dict[str, Any]]]:
    """Whom an agent calls begins with `Proceeding`; who calls an agent, with `Setup`."""
    first = {"code": "Proceeding" if call.direction == "outbound" else "Setup"}
    answer = [] if call.answered is None else [(call.answered, {"code": "Answered"})]
    return [(call.start, first), *answer, (call.end, {"code": "Disconnected"})]


def _request(
    call: ScriptedCall, target: Target, at: int, name: str, body: dict[str, Any]
) -> SimRequest:
    said = {
        "uuid": hex_id(name),
        "event": "/restapi/v1.0/account/1/telephony/sessions",
        "timestamp": isoformat(from_ms(at)),
        "subscriptionId": "sub-1",
        "body": {
            "telephonySessionId": _session(call),
            "eventTime": isoformat(from_ms(at)),
            **body,
        },
    }
    headers = {
        "Content-Type": "application/json; charset=UTF-8",
        "Verification-Token": target.secret("verification_token"),
    }
    return SimRequest(at - call.start, target.url, headers, json.dumps(said).encode())


BUILDER = Builder("ringcentral", build, unknown)
