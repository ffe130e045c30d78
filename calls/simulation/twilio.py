"""A browser's call through Twilio: the agent's own leg is the parent, the other side its child."""

from email.utils import format_datetime
from urllib.parse import urlencode

from calls import timeline
from calls.providers.twilio import PRECISION_MS, signature
from calls.simulation.base import Builder, ScriptedCall, SimRequest, Target, hex_id
from common.instants import from_ms

ACCOUNT = "AC" + "0" * 32
OWN_NUMBER = "+15005550006"
_FINAL = {
    timeline.COMPLETED: ("completed", "200"),
    timeline.NO_ANSWER: ("no-answer", "487"),
    timeline.FAILED: ("failed", "404"),
}


def build(call: ScriptedCall, target: Target) -> list[SimRequest]:
    parent, child = (f"CA{hex_id(call.call_id, leg)}" for leg in ("parent", "child"))
    agent = f"client:{call.agent}"
    outbound = call.direction == "outbound"
    of_parent = {"CallSid": parent, "Direction": "inbound"}
    of_child = {"CallSid": child, "ParentCallSid": parent, "Direction": "outbound-dial"}
    of_parent |= {"From": agent if outbound else call.number, "To": "" if outbound else OWN_NUMBER}
    of_child |= (
        {"From": OWN_NUMBER, "To": call.number}
        if outbound
        else {
            "From": call.number,
            "To": agent,
        }
    )
    # The document that dials names the agent, whom nothing else in the child's events tells.
    url = f"{target.url}?{urlencode({'agent': agent})}"
    requests = [
        _request(call, target, url, at, {**of_child, **fields, "SequenceNumber": str(number)})
        for number, (at, fields) in enumerate(_steps(call))
    ]
    # The caller's leg is answered at once and hears the other side ring.
    whole = {"CallStatus": "completed", **_duration(call.end - call.start)}
    return [
        *requests,
        _request(call, target, target.url, call.end, {**of_parent, **whole, "SequenceNumber": "0"}),
    ]


def _steps(call: ScriptedCall) -> list[tuple[int, dict[str, str]]]:
    status, sip = _FINAL[call.status]
    steps = [(call.start, {"CallStatus": "initiated"})]
    if call.ringing is not None:
        steps.append((call.ringing, {"CallStatus": "ringing"}))
    if call.answered is not None:
        steps.append((call.answered, {"CallStatus": "in-progress"}))
    talked = 0 if call.answered is None else call.end - call.answered
    last = {"CallStatus": status, "SipResponseCode": sip, **_duration(talked)}
    return [*steps, (call.end, last)]


def _duration(milliseconds: int) -> dict[str, str]:
    seconds = milliseconds // 1000
    # `Duration` is in minutes, rounded up for the bill.
    return {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}


def _request(
    call: ScriptedCall, target: Target, url: str, at: int, fields: dict[str, str]
) -> SimRequest:
    pairs = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallbackSource": "call-progress-events",
        "CallerCity": "",
        "Timestamp": format_datetime(from_ms(at)),
        **fields,
    }
    signed = signature(url, pairs.items(), target.secret("auth_token"))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signed,
        "I-Twilio-Idempotency-Token": hex_id(call.call_id, fields["CallSid"], str(at)),
    }
    return SimRequest(at - call.start, url, headers, urlencode(pairs).encode())


def unknown(call: ScriptedCall, target: Target) -> SimRequest:
    fields = {"CallSid": f"CA{hex_id(call.call_id)}", "CallStatus": "levitated"}
    return _request(call, target, target.url, call.start, fields)


BUILDER = Builder("twilio", build, unknown, PRECISION_MS, tells_hold=False, tells_dropped=False)
