"""FreeSWITCH's call records: each dress of the body, both legs, hold, causes, and the proof."""

import base64
import json
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.providers.base import Payload, Unknown, Unreadable
from calls.providers.web import basic
from tests.support import telling
from tests.support.telling import SECRET, T, hook_request, make, refused, states

URL = telling.HOOK.format(kind="freeswitch")
A, B, C = "a" * 36, "b" * 36, "c" * 36


def micro(seconds):
    return str(round((T / 1000 + seconds) * 1_000_000)) if seconds is not None else "0"


def record(uuid=A, answered=9.0, end=110.4, caller="1001", called="+34600000001", **variables):
    """The record of a leg that began at 0 s."""
    found = {
        "uuid": uuid,
        "call_uuid": A,
        "direction": "inbound",
        "start_uepoch": micro(0),
        "answer_uepoch": micro(answered),
        "bridge_uepoch": micro(answered),
        "end_uepoch": micro(end),
        "hangup_cause": "NORMAL_CLEARING",
        "hangup_cause_q850": "16",
        "hold_accum_ms": "0",
    } | variables
    profile = {"username": caller, "caller_id_number": caller, "destination_number": called}
    older = [{"caller_profile": profile, "times": {}}]
    later = [{"caller_profile": profile | {"destination_number": "transferred"}}]
    return {"core-uuid": "c", "variables": found, "callflow": later + older}


def by_ana(**more):
    return record(**{"user_name": "1001", "hold_accum_ms": "12500"} | more)


def as_xml(said):
    def element(name, values):
        inner = "".join(f"<{key}>{escape(quote(value))}</{key}>" for key, value in values.items())
        return f"<{name}>{inner}</{name}>"

    flows = "".join(
        f'<callflow dialplan="XML">{element("caller_profile", one["caller_profile"])}</callflow>'
        for one in said["callflow"]
    )
    return f'<?xml version="1.0"?><cdr>{element("variables", said["variables"])}{flows}</cdr>'


def as_json(said):
    encoded = {name: quote(value) for name, value in said["variables"].items()}
    return json.dumps(said | {"variables": encoded})


FORM = "application/x-www-form-urlencoded"
DRESSES = {
    "raw JSON": lambda said: (as_json(said), "application/json"),
    "raw XML": lambda said: (as_xml(said), "text/xml"),
    "JSON form": lambda said: (urlencode({"uuid": "a_1", "cdr": as_json(said)}), FORM),
    "XML form": lambda said: (urlencode({"cdr": as_xml(said)}, quote_via=quote), FORM),
    "plain XML": lambda said: ("cdr=" + as_xml(said), "application/x-www-form-plaintext"),
    "JSON in base64": lambda said: (
        "uuid=a_1&cdr=" + base64.b64encode(as_json(said).encode()).decode(),
        "application/x-www-form-base64-encoded",
    ),
}


def read(*records, adapter=None, dress="raw JSON"):
    events = []
    for one in records:
        body, content_type = DRESSES[dress](one)
        events += (adapter or make("freeswitch")).parse(Payload(body.encode(), T, content_type))
    return events


# --- Proof ---


def test_password_header_and_token_prove_and_the_token_is_not_kept():
    adapter = make("freeswitch", {"user": "fs"})
    for user, password, right in (("fs", SECRET, 1), ("fs", "x", 0), ("other", SECRET, 0)):
        request = hook_request(b"x", url=URL, headers=basic(user, password))
        assert adapter.verify(request) is None if right else refused(adapter, request)
    make("freeswitch").verify(hook_request(b"x", url=URL, headers=basic("anybody", SECRET)))
    adapter.verify(hook_request(b"x", url=URL, headers={"X-CallManager-Token": SECRET}))
    asked = hook_request(b"x", url=f"{URL}?token={SECRET}&uuid=a_1")
    adapter.verify(asked)
    assert adapter.kept(asked).query == "uuid=a_1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"fs").decode()},
        {"Authorization": f"Bearer {SECRET}"},
        {"X-CallManager-Token": "ñ"},
        {"X-CallManager-Token": ""},
    ],
)
def test_a_forged_request_is_refused(headers):
    request = hook_request(b"x", url=f"{URL}?token=", headers=headers)
    assert refused(make("freeswitch"), request)
    assert refused(make("freeswitch", password=[""]), request)


# --- Calls ---


@pytest.mark.parametrize("dress", DRESSES)
def test_one_leg_tells_the_whole_call_in_any_dress(dress):
    events = read(by_ana(), dress=dress)
    (state,) = states(events).values()
    assert (state.ring, state.hold, state.talk) == (9_000, 12_500, 88_900)
    assert (state.status, state.evidence, state.missing) == ("COMPLETED", "A", ())
    assert (state.number, state.direction) == ("+34600000001", "outbound")
    assert (events[0].agents, events[0].call) == (("1001",), A)


@pytest.mark.parametrize("dress", DRESSES)
def test_a_truncated_record_is_unreadable(dress):
    body, content_type = DRESSES[dress](by_ana())
    for length in (0, 3, len(body) // 2, len(body) - 2):
        with pytest.raises(Unreadable):
            make("freeswitch").parse(Payload(body[:length].encode(), T, content_type))


def test_both_legs_agree():
    others = record(B, 9.02, 110.41, originating_leg_uuid=A)
    (state,) = states(read(others, by_ana())).values()
    assert (state.ring, state.hold, state.duration) == (9_000, 12_500, 110_400)


def test_who_called_through_an_announcement_was_answered_when_bridged():
    (state,) = states(read(by_ana(answered=1.0, bridge_uepoch=micro(9)))).values()
    assert state.ring == 9_000
    in_vain = by_ana(answered=1.0, bridge_uepoch="0", originate_disposition="USER_BUSY")
    (state,) = states(read(in_vain)).values()
    assert (state.status, state.end_reason, state.talk) == ("NO_ANSWER", "busy", 0)


def test_an_inbound_call_is_whose_phone_was_bridged():
    outside = {"caller": "+34600000001", "called": "5000"}
    callers = record(answered=2.0, bridge_uepoch=micro(12), **outside)
    callers["variables"]["bridge_channel"] = "sofia/internal/sip:1002@10.0.0.5:5060"
    callers["variables"]["bridge_uuid"] = C
    in_vain = record(B, None, 12, dialed_user="1001", hangup_cause="LOSE_RACE", **outside)
    bobs = record(C, 12.0, 110.4, dialed_user="1002", hold_accum_ms="5000", **outside)
    for records in ([callers, in_vain, bobs], [bobs, callers], [in_vain, bobs, callers]):
        events = read(*records)
        (state,) = states(events).values()
        assert (state.ring, state.talk + state.hold) == (12_000, 98_400)
        assert (state.number, state.direction) == ("+34600000001", "inbound")
        assert telling.agents(events) == {C: {"1002"}}


def test_a_caller_who_gave_up_in_the_queue_reached_nobody():
    callers = record(answered=2.0, bridge_uepoch="0", caller="+34600000001", called="5000")
    (state,) = states(read(callers)).values()
    assert (state.status, state.end_reason, state.talk) == ("NO_ANSWER", "cancelled", 0)


def test_a_call_between_extensions_has_two_parts():
    bobs = record(B, 9.0, 110.4, called="1002", dialed_user="1002")
    events = read(by_ana(called="1002"), bobs)
    assert telling.agents(events) == {A: {"1001"}, B: {"1002"}}
    assert {event.conversation for event in events} == {A}


@pytest.mark.parametrize(
    ("answered", "causes", "expected"),
    [
        (None, {"hangup_cause": "USER_BUSY"}, ("NO_ANSWER", "busy")),
        (None, {"originate_disposition": "NO_ANSWER"}, ("NO_ANSWER", "")),
        (None, {"originate_disposition": "ORIGINATOR_CANCEL"}, ("NO_ANSWER", "cancelled")),
        (None, {"last_bridge_hangup_cause": "CALL_REJECTED"}, ("NO_ANSWER", "rejected")),
        (None, {"hangup_cause": "UNALLOCATED_NUMBER"}, ("FAILED", "invalid_number")),
        (None, {"hangup_cause": "GATEWAY_DOWN"}, ("FAILED", "network")),
        (None, {"hangup_cause": "NEW", "hangup_cause_q850": "34"}, ("FAILED", "congestion")),
        (9.0, {"hangup_cause": "MEDIA_TIMEOUT"}, ("DROPPED", "media_timeout")),
        (9.0, {"hangup_cause": "NORMAL_TEMPORARY_FAILURE"}, ("DROPPED", "network")),
        (9.0, {"hangup_cause": "ALLOTTED_TIMEOUT"}, ("COMPLETED", "")),
    ],
)
def test_the_causes(answered, causes, expected):
    (state,) = states(read(by_ana(answered=answered, **causes))).values()
    assert (state.status, state.end_reason) == expected


def test_an_unknown_cause_is_told_and_the_call_goes_on():
    with pytest.raises(Unknown, match="LEVITATED") as caught:
        read(by_ana(hangup_cause="LEVITATED", hangup_cause_q850=""))
    assert states(caught.value.events)[A].talk == 88_900


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "cdr=",
        "cdr=%%%",
        "<cdr/>",
        "<a>",
        json.dumps(by_ana(uuid="")),
        json.dumps(by_ana(end_uepoch="0")),
        json.dumps(by_ana(start_uepoch="7")),
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><cdr><variables><uuid>&a;</uuid></variables></cdr>',
    ],
)
def test_what_cannot_be_read_is_said_so(body):
    with pytest.raises(Unreadable):
        make("freeswitch").parse(Payload(body.encode(), T, FORM))


# --- Any value ---


@settings(max_examples=100)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"cdr=", b"<", b"{"]),
    st.sampled_from(["", FORM]),
)
def test_no_bytes_make_it_stumble(body, start, content_type):
    telling.check_never_stumbles(make("freeswitch"), Payload(start + body, T, content_type))


@settings(max_examples=80)
@given(st.data())
def test_no_value_makes_it_stumble(data):
    whole = by_ana(bridge_channel="sofia/internal/1@x", originating_leg_uuid="")
    body = json.dumps(telling.spoiled(whole, data.draw)).encode()
    telling.check_never_stumbles(make("freeswitch"), Payload(body, T))
