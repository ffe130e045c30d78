"""Zoom Phone: the vectors, the challenge, hold, queues, own users on both sides, the history."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.providers.base import Forged, Payload, Unknown, Unreadable
from calls.providers.zoom import signature
from tests.support import telling
from tests.support.telling import T, facts, heard, hook_request, make, refused, states

URL = telling.HOOK.format(kind="zoom")
SECRET = "zoom-secret-test-1"
BODY = (
    b'{"event":"phone.caller_ended","event_ts":1767607310000,"payload":{"account_id":"acc-1",'
    b'"object":{"call_id":"7600000000000000001","caller":{"user_id":"u-ana","extension_number":801,'
    b'"phone_number":"801"},"callee":{"phone_number":"+34600000001"},'
    b'"ringing_start_time":"2026-01-05T10:00:02Z","answer_start_time":"2026-01-05T10:00:09Z",'
    b'"call_end_time":"2026-01-05T10:01:50Z","handup_result":"Call connected"}}}'
)
GIVEN = "v0=435583953f7649c0579f0cbfcd96d1754009932bb617d9ed7e351f1c5de43516"
HEADERS = {
    "x-zm-request-timestamp": "1767607311",
    "x-zm-signature": GIVEN,
    "Content-Type": "application/json",
}
CALL = "7600000000000000001"
ANA = {"user_id": "u-ana", "extension_number": 801, "phone_number": "801"}
BOB = {"user_id": "u-bob", "extension_number": "802", "phone_number": "802"}
CUSTOMER = {"phone_number": "+34600000001"}


@pytest.fixture
def zoom():
    return make("zoom", secret_token=[SECRET])


def at(seconds):
    return f"2026-01-05T10:{seconds // 60:02}:{seconds % 60:02}Z"


def request_of(event, about):
    body = json.dumps({"event": event, "payload": {"object": about}}).encode()
    signed = {"x-zm-request-timestamp": "1", "x-zm-signature": signature(SECRET, "1", body)}
    return hook_request(body, url=URL, headers=signed)


def events_of(zoom, *events):
    """What (event, its times and words) about a call of Ana's tell; another callee may be given."""
    found = []
    for event, about in events:
        sides = (
            {"callee": ANA, "caller": CUSTOMER}
            if ".callee" in event
            else {
                "caller": ANA,
                "callee": CUSTOMER,
            }
        )
        request = request_of(f"phone{event}", {"call_id": CALL, **sides, **about})
        found += heard(zoom, request)
    return found


def ended(answered=9, end=110, **more):
    times = {"ringing_start_time": at(0), "call_end_time": at(end)}
    if answered is not None:
        times["answer_start_time"] = at(answered)
    return times | more


# --- Proof ---


def test_the_vector_is_genuine_and_folds_to_the_call_it_describes(zoom):
    assert len(BODY) == 404
    events = heard(zoom, hook_request(BODY, url=URL, headers=HEADERS))
    state = states(events)[f"{CALL}:caller"]
    assert (state.ring, state.talk, state.status) == (7_000, 101_000, "COMPLETED")
    assert (state.number, state.direction) == ("+34600000001", "outbound")
    assert state.missing == ("record",)  # the call history has not come
    assert (events[0].agents, events[0].conversation) == (("801", "u-ana"), CALL)


@pytest.mark.parametrize(
    "change",
    [
        {"body": BODY.replace(b"801", b"802")},
        {"body": json.dumps(json.loads(BODY)).encode()},  # the same JSON, not the same bytes
        {"body": BODY[:-1]},
        {"body": BODY[:200]},
        {"body": b""},
        {"headers": HEADERS | {"x-zm-request-timestamp": "1767607312"}},
        {"headers": HEADERS | {"x-zm-request-timestamp": ""}},
        {"headers": HEADERS | {"x-zm-signature": GIVEN.upper()}},
        {"headers": HEADERS | {"x-zm-signature": "v0=ñ"}},
        {"headers": {}},
        {"secret": "another"},
        {"secret": ""},
    ],
)
def test_a_forged_or_truncated_request_is_refused(change):
    adapter = make("zoom", secret_token=[change.get("secret", SECRET)])
    request = hook_request(
        change.get("body", BODY), url=URL, headers=change.get("headers", HEADERS)
    )
    assert refused(adapter, request)


def test_two_secrets_are_valid_during_a_rotation():
    make("zoom", secret_token=["new", SECRET]).verify(hook_request(BODY, url=URL, headers=HEADERS))


def challenge(token="plain-token-1", secret=SECRET):
    said = {"event": "endpoint.url_validation", "payload": {"plainToken": token}}
    body = json.dumps(said).encode()
    signed = {"x-zm-request-timestamp": "5", "x-zm-signature": signature(secret, "5", body)}
    return hook_request(body, url=URL, headers=signed)


def test_the_challenge_is_answered(zoom):
    reply = zoom.challenge(challenge())
    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(reply.body) == {
        "plainToken": "plain-token-1",
        "encryptedToken": "b0ab15cc7556b7935471ab39d52dfeec239247c1c925101730742d9e85152bb7",
    }
    rotating = make("zoom", secret_token=["new", SECRET])
    assert rotating.challenge(challenge()).body == reply.body


def test_an_unsigned_challenge_is_answered_where_its_answer_can_sign_no_event(zoom):
    unsigned = hook_request(challenge().body, url=URL)
    assert zoom.challenge(unsigned).body == zoom.challenge(challenge()).body
    for token in ("v0:1767607311:{}", "two words", ""):
        with pytest.raises(Forged):
            zoom.challenge(hook_request(challenge(token=token).body, url=URL))


def test_nobody_else_has_anything_signed_by_the_challenge(zoom):
    for request in (challenge(secret="guess"), challenge(token="v0:1767607311:{}"), challenge("")):
        with pytest.raises(Forged):
            zoom.challenge(request)
    assert zoom.challenge(hook_request(BODY, url=URL, headers=HEADERS)) is None
    assert zoom.challenge(hook_request(b"endpoint.url_validation", url=URL)) is None


# --- Calls ---


def test_hearing_the_other_side_ring_is_not_an_answer(zoom):
    connected = (".caller_connected", {"connected_start_time": at(1)})
    live = events_of(zoom, (".caller_ringing", {"ringing_start_time": at(0)}), connected)
    assert states(live)[f"{CALL}:caller"].answered == T + 1_000  # until we know better
    answered = live + events_of(zoom, (".caller_ended", ended()))
    assert states(answered)[f"{CALL}:caller"].talk == 101_000
    in_vain = live + events_of(zoom, (".caller_ended", ended(None, handup_result="No Answer")))
    state = states(in_vain)[f"{CALL}:caller"]
    assert (state.status, state.talk, state.ring) == ("NO_ANSWER", 0, 110_000)


@pytest.mark.parametrize(
    ("event", "about", "expected"),
    [
        (".caller_ended", ended(None, handup_result="Call Cancel"), ("NO_ANSWER", "cancelled")),
        (".caller_ended", ended(None, handup_result="Call Canceled"), ("NO_ANSWER", "cancelled")),
        (".caller_ended", ended(9, handup_result="Voicemail"), ("NO_ANSWER", "")),
        (".caller_ended", ended(None), ("NO_ANSWER", "")),
        (".caller_ended", ended(), ("COMPLETED", "")),
        (".callee_missed", ended(None), ("NO_ANSWER", "")),
        (".callee_rejected", ended(None), ("NO_ANSWER", "rejected")),
    ],
)
def test_how_calls_end(zoom, event, about, expected):
    (state,) = states(events_of(zoom, (event, about))).values()
    assert (state.status, state.end_reason) == expected


def test_hold_is_counted_by_side(zoom):
    events = events_of(
        zoom,
        (".caller_ringing", {"ringing_start_time": at(0)}),
        (".caller_unhold", {"date_time": at(52)}),
        (".caller_hold", {"date_time": at(40)}),
        (".caller_ended", ended()),
    )
    state = states(events)[f"{CALL}:caller"]
    assert (state.hold, state.talk) == (12_000, 89_000)
    assert {e.data.get("party") for e in events if e.kind == "held"} == {"caller"}


def test_a_queue_rings_many_phones_and_one_of_them_has_the_call(zoom):
    queue = {"forwarded_by": {"extension_type": "callQueue", "extension_number": 900}}
    events = []
    for callee in (ANA, BOB):
        events += events_of(
            zoom, (".callee_ringing", {"callee": callee, "ringing_start_time": at(0), **queue})
        )
    events += events_of(zoom, (".callee_missed", ended(None, 12) | queue))
    others = ended(None, 12, handup_result="Answered by Other Member")
    events += events_of(zoom, (".callee_ended", others))
    bob = {"callee": BOB} | queue
    events += events_of(zoom, (".callee_answered", bob | {"answer_start_time": at(12)}))
    events += events_of(zoom, (".callee_ended", bob | ended(12, 60)))
    (state,) = states(events).values()
    assert (state.status, state.ring, state.talk) == ("COMPLETED", 12_000, 48_000)
    assert telling.agents(events) == {f"{CALL}:callee:802": {"802"}}


def test_a_call_between_own_users_has_two_sides(zoom):
    sides = {"caller": ANA, "callee": BOB}
    events = events_of(
        zoom,
        (".caller_ringing", {**sides, "ringing_start_time": at(0)}),
        (".callee_ringing", {**sides, "ringing_start_time": at(0)}),
        (".callee_answered", {**sides, "answer_start_time": at(9)}),
        (".callee_hold", {**sides, "date_time": at(20)}),
        (".callee_unhold", {**sides, "date_time": at(30)}),
        (".caller_ended", sides | ended()),
        (".callee_ended", sides | ended()),
    )
    found = states(events)
    assert {call: (s.direction, s.number) for call, s in found.items()} == {
        f"{CALL}:caller": ("internal", "802"),
        f"{CALL}:callee:802": ("internal", "801"),
    }
    assert {event.conversation for event in events} == {CALL}
    assert [s.talk for s in found.values()] == [101_000, 91_000]


def history(**more):
    log = {
        "id": "log-1",
        "call_id": CALL,
        "caller_ext_number": "801",
        "callee_did_number": "+34600000001",
        "start_time": at(0),
        "answer_time": at(10),
        "end_time": at(111),
        "result": "answered",
        "hold_time": 13,
    }
    return (".caller_call_history_completed", {"call_logs": [log | more]})


def test_the_history_has_the_last_word(zoom):
    live = events_of(
        zoom,
        (".caller_hold", {"date_time": at(40)}),
        (".caller_ended", ended()),
    )
    state = states(live + events_of(zoom, history()))[f"{CALL}:caller"]
    assert (state.evidence, state.missing, state.status) == ("A", (), "COMPLETED")
    assert (state.ring, state.hold, state.talk) == (10_000, 13_000, 88_000)


def test_a_history_without_an_end_has_its_lengths(zoom):
    (event,) = events_of(zoom, history(end_time="", talk_time=88))
    assert event.data["end"] == T + 111_000
    with pytest.raises(Unreadable):
        events_of(zoom, history(end_time=""))
    with pytest.raises(Unreadable):
        events_of(zoom, (".caller_call_history_completed", {"call_logs": []}))


def test_without_the_history_in_the_app_no_record_is_missed():
    adapter = make("zoom", {"history": "no"}, secret_token=[SECRET])
    (state,) = states(events_of(adapter, (".caller_ended", ended()))).values()
    assert state.missing == ()


def test_what_is_not_known_is_told_and_the_call_goes_on(zoom):
    with pytest.raises(Unknown, match="caller_levitated"):
        events_of(zoom, (".caller_levitated", {}))
    with pytest.raises(Unknown, match="call_element"):
        events_of(zoom, (".caller_call_element_completed", {"call_id": CALL}))
    with pytest.raises(Unknown, match="Eaten by a grue") as caught:
        events_of(zoom, (".caller_ended", ended(handup_result="Eaten by a grue")))
    assert states(caught.value.events)[f"{CALL}:caller"].talk == 101_000
    with pytest.raises(Unknown, match="grue") as caught:
        events_of(zoom, history(result="grue"))
    assert states(caught.value.events)[f"{CALL}:caller"].status == "COMPLETED"


def test_what_is_of_no_interest_tells_nothing(zoom):
    for event in (".caller_mute", ".callee_unparked", ".recording_started", ".voicemail_received"):
        assert events_of(zoom, (event, {})) == []


# --- Any value ---


@settings(max_examples=40)
@given(telling.scripts())
def test_without_the_history_the_live_events_are_as_exact(script):
    adapter = make("zoom", {"history": "no"})
    live = [e for e in telling.reported_events(adapter, script) if e.kind != "summary"]
    (state,) = states(live).values()
    reported_script = telling.builders()["zoom"].as_reported(script)
    assert facts(state) == reported_script.truth


@settings(max_examples=80)
@given(st.data())
def test_no_value_makes_it_stumble(data):
    queued = {"forwarded_by": {"extension_type": "callQueue"}}
    about = data.draw(st.sampled_from([history()[1], ended() | queued | {"date_time": at(3)}]))
    event = data.draw(st.sampled_from(["caller_ended", "callee_hold", "callee_answered"]))
    event = "caller_call_history_completed" if "call_logs" in about else event
    sides = {"call_id": CALL, "caller": ANA, "callee": CUSTOMER}
    said = {"event": f"phone.{event}", "payload": {"object": sides | about}}
    body = json.dumps(telling.spoiled(said, data.draw)).encode()
    telling.check_never_stumbles(make("zoom"), Payload(body, T))


def test_the_link_dials():
    assert make("zoom").dial_url("+34600000001") == "zoomphonecall://+34600000001"
