"""Aircall: the token, the two ends, a hand-over between agents, and who missed what."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.providers.base import Payload, Unknown, Unreadable
from tests.support import telling
from tests.support.telling import SECRET, T, heard, hook_request, make, refused, states

URL = telling.HOOK.format(kind="aircall")
ANA = {"id": 11, "email": "ana@example.test", "wrap_up_time": 0}
BOB = {"id": 12, "email": "bob@example.test"}
START = T // 1000
DATA = {
    "id": 812,
    "direction": "outbound",
    "status": "done",
    "started_at": START,
    "answered_at": START + 5,
    "ended_at": START + 20,
    "duration": 20,
    "raw_digits": "+34 600 00 00 01",
    "user": ANA,
}
CALL = "812:11"


@pytest.fixture
def aircall():
    return make("aircall")


def request_of(event, timestamp=START + 20, token=SECRET, **changes):
    said = {"resource": "call", "event": event, "timestamp": timestamp, "token": token}
    body = json.dumps(said | {"data": DATA | changes}).encode()
    return hook_request(body, url=URL, headers={"Content-Type": "application/json"})


def events_of(adapter, *requests):
    return [event for request in requests for event in heard(adapter, request)]


# --- Proof ---


def test_the_token_proves_and_is_not_kept(aircall):
    request = request_of("call.created")
    aircall.verify(request)
    assert SECRET.encode() in request.body
    kept = aircall.kept(request)
    assert SECRET.encode() not in kept.body
    assert json.loads(kept.body)["data"] == DATA
    make("aircall", token=["new", SECRET]).verify(request)


def test_a_forged_or_truncated_request_is_refused(aircall):
    whole = request_of("call.created").body
    for body in (whole[:-1], whole[:40], b"", b"[]", b"null", b"\xff", b'{"token": null}'):
        assert refused(aircall, hook_request(body, url=URL))
    for token in ("", "x", SECRET[:-1], None, True, [SECRET], "ñ"):
        assert refused(aircall, request_of("call.created", token=token))
    assert refused(make("aircall", token=[""]), request_of("call.created", token=""))
    assert refused(make("aircall", token=[]), request_of("call.created", token=""))


# --- Calls ---


def test_talk_begins_with_the_answer_not_with_the_ringing(aircall):
    live = events_of(
        aircall,
        request_of("call.created", START, answered_at=None, ended_at=None),
        request_of("call.answered", START + 5, ended_at=None),
        request_of("call.hungup", START + 20, ended_at=None),
    )
    state = states(live)[CALL]
    assert (state.ring, state.talk, state.missing) == (5_000, 15_000, ("record",))
    state = states(live + events_of(aircall, request_of("call.ended", START + 50)))[CALL]
    assert (state.ring, state.talk, state.evidence, state.missing) == (5_000, 15_000, "A", ())
    assert (state.number, state.direction) == ("+34 600 00 00 01", "outbound")
    assert live[0].agents == ("11", "ana@example.test")


def test_the_record_alone_is_the_whole_call(aircall):
    (state,) = states(events_of(aircall, request_of("call.ended", START + 50))).values()
    assert (state.start, state.talk, state.status) == (T, 15_000, "COMPLETED")


def test_hold_is_left_out_of_the_talk(aircall):
    events = events_of(
        aircall,
        request_of("call.unhold", START + 12),
        request_of("call.hold", START + 8),
        request_of("call.ended", START + 50),
    )
    assert (states(events)[CALL].hold, states(events)[CALL].talk) == (4_000, 11_000)


def test_a_missed_call_belongs_to_whom_it_was_for(aircall):
    missed = {"direction": "inbound", "answered_at": None}
    nobody = request_of("call.ended", user=None, missed_call_reason="abandoned_in_ivr", **missed)
    events = events_of(aircall, request_of("call.created", START, user=None, **missed), nobody)
    assert states(events)["812"].status == "NO_ANSWER"
    assert states(events)["812"].end_reason == "cancelled"
    assert [event.agents for event in events] == [()]
    events = events_of(
        aircall, request_of("call.ended", missed_call_reason="no_available_agent", **missed)
    )
    assert states(events)[CALL].ring == 20_000 and states(events)[CALL].talk == 0


def test_each_agent_is_credited_with_the_own_part(aircall):
    handed = {"transferred_by": ANA, "transferred_to": BOB, "ended_at": None}
    over = {"transferred_by": ANA, "transferred_to": BOB, "user": BOB}
    events = events_of(
        aircall,
        request_of("call.answered", START + 5, ended_at=None),
        request_of("call.transferred", START + 12, **handed),
        request_of("call.hungup", START + 20, **over),
        request_of("call.ended", START + 50, **over),
    )
    found = states(events)
    assert {call: state.talk for call, state in found.items()} == {CALL: 7_000, "812:12": 8_000}
    assert {event.conversation for event in events} == {"812"}
    assert all(state.missing == () for state in found.values())
    assert telling.agents(events) == {CALL: {"11"}, "812:12": {"12"}}


def test_a_call_handed_to_the_outside_ends_for_the_agent(aircall):
    gone = {"transferred_by": ANA, "transferred_to": None}
    events = events_of(
        aircall,
        request_of("call.answered", START + 5, ended_at=None),
        request_of("call.external_transferred", START + 12, **gone),
        request_of("call.ended", START + 50, **gone),
    )
    assert {call: state.talk for call, state in states(events).items()} == {CALL: 7_000}


def test_what_is_not_known_is_told_and_what_is_of_no_interest_is_not(aircall):
    with pytest.raises(Unknown, match="levitated"):
        events_of(aircall, request_of("call.levitated"))
    for event in ("call.tagged", "call.ringing_on_agent", "user.opened", "contact.created"):
        assert events_of(aircall, request_of(event)) == []
    with pytest.raises(Unreadable):
        events_of(aircall, request_of("call.ended", id=None))
    with pytest.raises(Unreadable):
        aircall.parse(Payload(b'{"event": "call.hungup", "data": {"id": 3}}', T))


# --- Any value ---


@settings(max_examples=80)
@given(st.data(), st.sampled_from(["created", "answered", "hungup", "ended", "transferred"]))
def test_no_value_makes_it_stumble(data, step):
    whole = DATA | {
        "transferred_by": data.draw(st.sampled_from([None, BOB])),
        "transferred_to": ANA,
    }
    said = {"event": f"call.{step}", "timestamp": START, "data": whole}
    body = json.dumps(telling.spoiled(said, data.draw)).encode()
    telling.check_never_stumbles(make("aircall"), Payload(body, T))
