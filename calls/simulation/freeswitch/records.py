"""A call through FreeSWITCH: after its end, the record of the caller's leg and of the other's."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from calls import timeline
from calls.providers.web import basic
from calls.simulation.base import Builder, ScriptedCall, SimRequest, Target, hex_id

_RECORD_AFTER = 150  # ms
_CAUSES = {
    timeline.COMPLETED: "NORMAL_CLEARING",
    timeline.DROPPED: "MEDIA_TIMEOUT",
    timeline.NO_ANSWER: "NO_ANSWER",
    timeline.FAILED: "UNALLOCATED_NUMBER",
}


def build(call: ScriptedCall, target: Target) -> list[SimRequest]:
    callers, others = hex_id(call.call_id, "a"), hex_id(call.call_id, "b")
    cause = _CAUSES[call.status]
    outbound = call.direction == "outbound"
    ends = (call.agent, call.number) if outbound else (call.number, "5000")
    times = {
        "start_uepoch": _micro(call.start),
        "answer_uepoch": _micro(call.answered),
        "bridge_uepoch": _micro(call.answered),
        "end_uepoch": _micro(call.end),
        "call_uuid": callers,
    }
    first = times | {
        "uuid": callers,
        "direction": "inbound",
        "hold_accum_ms": str(call.held if outbound else 0),
        # A caller who hears no answer hangs up in the normal way.
        "hangup_cause": cause if call.answered is not None else "NORMAL_CLEARING",
        "bridge_uuid": others if call.answered is not None else "",
        "originate_disposition": "SUCCESS" if call.answered is not None else cause,
    }
    second = times | {
        "uuid": others,
        "direction": "outbound",
        "hold_accum_ms": str(0 if outbound else call.held),
        "hangup_cause": cause,
        "originating_leg_uuid": callers,
        "bridge_uuid": callers if call.answered is not None else "",
    }
    if outbound:
        first |= {"user_name": call.agent, "bridge_channel": f"sofia/gateway/out/{call.number}"}
    else:
        first["bridge_channel"] = f"sofia/internal/{call.agent}@10.0.0.5:5060"
        second["dialed_user"] = call.agent
    return [
        _request(call, target, f"a_{callers}", first, ends),
        _request(call, target, others, second, (ends[0], call.number if outbound else call.agent)),
    ]


def _micro(at: int | None) -> str:
    return "0" if at is None else str(at * 1000 + 123)


def _request(
    call: ScriptedCall, target: Target, name: str, variables: dict[str, str], ends: tuple[str, str]
) -> SimRequest:
    record: dict[str, Any] = {
        "core-uuid": hex_id("core"),
        "variables": {key: quote(value) for key, value in variables.items()},
        "callflow": [
            {
                "profile_index": "1",
                "caller_profile": {
                    "username": variables.get("user_name", ""),
                    "caller_id_number": quote(ends[0]),
                    "destination_number": quote(ends[1]),
                },
            }
        ],
    }
    user = str(target.settings.get("user") or "freeswitch")
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        **basic(user, target.secret("password")),
    }
    body = urlencode({"uuid": name, "cdr": json.dumps(record)}).encode()
    delay = call.end - call.start + _RECORD_AFTER
    return SimRequest(delay, f"{target.url}?uuid={name}", headers, body, final=True)


def unknown(call: ScriptedCall, target: Target) -> SimRequest:
    leg = hex_id(call.call_id, "unknown")
    times = {"start_uepoch": _micro(call.start), "end_uepoch": _micro(call.end)}
    variables = times | {"uuid": leg, "hangup_cause": "LEVITATED"}
    return _request(call, target, leg, variables, (call.agent, call.number))


BUILDER = Builder("freeswitch", build, unknown)
