"""RingCentral: the token and its echo, parties, queues, hold, and how calls end."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.providers.base import Forged, Payload, Unknown, Unreadable
from tests.support import telling
from tests.support.telling import SECRET, T, heard, hook_request, make, refused, states

URL = telling.HOOK.format(kind="ringcentral")
SESSION = "s-77"
CALL = "s-77:p-1"
ANA = {"phoneNumber": "101", "extensionId": "400001", "name": "Ana"}
BOB = {"phoneNumber": "102", "extensionId": "400002", "name": "Bob"}
CUSTOMER = {"phoneNumber": "+34600000001"}


@pytest.fixture
def ringcentral():
    return make("ringcentral")


def at(seconds):
    return f"2026-01-05T10:{int(seconds) // 60:02}:{seconds % 60:06.3f}Z"


def party(code, id_="p-1", reason="", own=ANA, other=CUSTOMER, direction="Outbound", **more):
    ends = {"from": own, "to": other} if direction == "Outbound" else {"from": other, "to": own}
    status = {"code": code} | ({"reason": reason} if reason else {})
    extension = own.get("extensionId")
    found = {"id": id_, "direction": direction, "status": status, "missedCall": False}
    return found | ends | {"extensionId": extension} | more


def notification(seconds, *parties, sequence=None, **more):
    body = {"telephonySessionId": SESSION, "eventTime": at(seconds), "parties": list(parties)}
    body |= {} if sequence is None else {"sequence": sequence}
    path = "/restapi/v1.0/account/1/telephony/sessions"
    said = {"uuid": f"u-{seconds}", "event": path, "body": body} | more
    return hook_request(json.dumps(said).encode(), url=URL, headers={"Verification-Token": SECRET})


def events_of(adapter, *requests):
    return [event for request in requests for event in heard(adapter, request)]


# --- Proof ---


def test_a_new_subscription_is_answered_with_its_token(ringcentral):
    asked = hook_request(b"", url=URL, headers={"Validation-Token": "abc-123"})
    reply = ringcentral.challenge(asked)
    assert (reply.status, dict(reply.headers)) == (200, {"Validation-Token": "abc-123"})
    event = notification(1, party("Setup"))
    assert ringcentral.challenge(event) is None
    for token in ("x" * 201, "a\r\nb", "ñ"):
        with pytest.raises(Forged):
            ringcentral.challenge(hook_request(b"", url=URL, headers={"Validation-Token": token}))


def test_the_chosen_token_proves_by_either_name(ringcentral):
    body = notification(1, party("Setup")).body
    for name in ("Verification-Token", "Validation-Token"):
        ringcentral.verify(hook_request(body, url=URL, headers={name: SECRET}))
        for wrong in ("", "x", SECRET[:-1], "ñ"):
            assert refused(ringcentral, hook_request(body, url=URL, headers={name: wrong}))
    assert refused(ringcentral, hook_request(body, url=URL))
    assert refused(make("ringcentral", verification_token=[""]), hook_request(body, url=URL))


def test_a_truncated_body_is_unreadable(ringcentral):
    whole = notification(1, party("Setup")).body
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        with pytest.raises(Unreadable):
            ringcentral.parse(Payload(whole[:length], T))


# --- Calls ---


def test_a_call_to_the_millisecond_with_a_hold(ringcentral):
    requests = [
        notification(0, party("Setup")),
        notification(2.5, party("Proceeding")),
        notification(9, party("Answered")),
        notification(40, party("Hold")),
        notification(52.5, party("Answered")),
        notification(110.4, party("Disconnected")),
    ]
    events = events_of(ringcentral, *reversed(requests))
    (state,) = states(events).values()
    assert (state.ring, state.hold, state.talk) == (9_000, 12_500, 88_900)
    assert (state.status, state.number, state.missing) == ("COMPLETED", "+34600000001", ())
    assert events[0].agents == ("400001", "101")
    assert events[0].precision_ms == 1


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("NoAnswer", ("NO_ANSWER", "")),
        ("TargetBusy", ("NO_ANSWER", "busy")),
        ("Rejected", ("NO_ANSWER", "rejected")),
        ("Cancelled", ("NO_ANSWER", "cancelled")),
        ("InvalidNumber", ("FAILED", "invalid_number")),
        ("DestinationBlocked", ("FAILED", "rejected")),
    ],
)
def test_how_calls_end_that_nobody_answers(ringcentral, reason, expected):
    events = events_of(
        ringcentral,
        notification(0, party("Setup")),
        notification(20, party("Disconnected", reason=reason)),
    )
    (state,) = states(events).values()
    assert (state.status, state.end_reason, state.talk) == (*expected, 0)
    assert state.missing == ()


def test_an_end_without_a_reason_may_hide_an_answer_and_says_so(ringcentral):
    events = events_of(
        ringcentral, notification(0, party("Setup")), notification(20, party("Disconnected"))
    )
    (state,) = states(events).values()
    assert (state.status, state.missing) == ("NO_ANSWER", ("answer",))


def test_a_dropped_call(ringcentral):
    events = events_of(
        ringcentral,
        notification(0, party("Setup")),
        notification(5, party("Answered")),
        notification(20, party("Disconnected", reason="CallDropped")),
    )
    (state,) = states(events).values()
    assert (state.status, state.end_reason, state.talk) == ("DROPPED", "network", 15_000)


def test_a_caller_who_reaches_the_voicemail_was_not_answered(ringcentral):
    requests = [
        notification(0, party("Setup", direction="Inbound")),
        notification(20, party("VoiceMail", direction="Inbound")),
        notification(45, party("Disconnected", direction="Inbound")),
    ]
    (state,) = states(events_of(ringcentral, *requests)).values()
    assert (state.status, state.end, state.direction) == ("NO_ANSWER", T + 20_000, "inbound")


def test_in_a_queue_the_call_is_whose_phone_was_answered(ringcentral):
    queue = {"direction": "Inbound", "queueCall": True}
    ana, bob = {"own": ANA, **queue}, {"own": BOB, "id_": "p-2", **queue}
    requests = [
        notification(0, party("Setup", **ana), party("Setup", **bob)),
        notification(1, party("Proceeding", **ana)),
        notification(8, party("Answered", **bob)),
        notification(8.1, party("Disconnected", missedCall=True, **ana)),
        notification(60, party("Disconnected", **bob)),
    ]
    events = events_of(ringcentral, *requests)
    ((call, state),) = states(events).items()
    assert (call, state.talk, state.status) == ("s-77:p-2", 52_000, "COMPLETED")
    assert telling.agents(events) == {call: {"400002"}}
    assert (state.ring, state.missing) == (8_000, ())


def test_a_call_between_own_extensions_has_two_parts(ringcentral):
    caller = {"own": ANA, "other": BOB}
    callee = {"own": BOB, "other": ANA, "id_": "p-2", "direction": "Inbound"}
    requests = [
        notification(seconds, party(code, **caller), party(code, **callee))
        for seconds, code in ((0, "Setup"), (9, "Answered"), (30, "Disconnected"))
    ]
    events = events_of(ringcentral, *requests)
    assert {call: (s.direction, s.number, s.talk) for call, s in states(events).items()} == {
        CALL: ("internal", "102", 21_000),
        "s-77:p-2": ("internal", "101", 21_000),
    }
    assert {event.conversation for event in events} == {SESSION}


def test_a_party_that_is_none_of_ours_is_nobodys_part(ringcentral):
    assert (
        events_of(ringcentral, notification(0, party("Setup", own=CUSTOMER, other=CUSTOMER))) == []
    )


def test_what_is_not_known_is_told_and_what_is_of_no_interest_is_not(ringcentral):
    with pytest.raises(Unknown, match="Levitated") as caught:
        events_of(ringcentral, notification(0, party("Setup"), party("Levitated", "p-2")))
    assert [event.kind for event in caught.value.events] == ["started"]
    with pytest.raises(Unknown, match="presence"):
        events_of(ringcentral, notification(0, event="/restapi/v1.0/account/1/presence"))
    reminder = "/restapi/v1.0/subscription/~?threshold=86400&interval=3600"
    assert events_of(ringcentral, notification(0, event=reminder)) == []
    assert events_of(ringcentral, notification(0, party("FaxReceive"))) == []
    for broken in (notification(0), notification(0, party("Setup", "")), notification(0, body={})):
        with pytest.raises(Unreadable):
            events_of(ringcentral, broken)


# --- Numbers ---


INBOUND = {"direction": "Inbound"}
CALLEE = {"own": BOB, "other": ANA, "id_": "p-2", **INBOUND}
OTHER_SIDE = {"own": CUSTOMER, "other": ANA, "id_": "p-2", **INBOUND}


def session(second):
    """A call of Ana's with a hold, each notification about one party, numbered from 2."""
    first = {}
    steps = [
        *((0, "Setup", first), (0.1, "Proceeding", second), (2, "Proceeding", first)),
        *((9, "Answered", second), (9.1, "Answered", first)),
        *((40, "Hold", first), (52.5, "Answered", first)),
        *((110, "Disconnected", first), (110.1, "Disconnected", second)),
    ]
    return [
        notification(seconds, party(code, **whose), sequence=sequence)
        for sequence, (seconds, code, whose) in enumerate(steps, 2)
    ]


@settings(max_examples=30)
@given(st.permutations(range(9)))
def test_the_numbers_of_the_other_side_leave_no_gap_in_any_order(order):
    requests = session(OTHER_SIDE)
    (state,) = states(
        events_of(make("ringcentral"), *(requests[place] for place in order))
    ).values()
    assert (state.hold, state.missing) == (12_500, ())


@pytest.mark.parametrize("lost", [{1}, {2}, {3}, {5, 6}])
def test_a_lost_number_is_marked_whomever_it_was_about(ringcentral, lost):
    kept = [one for place, one in enumerate(session(OTHER_SIDE)) if place not in lost]
    (state,) = states(events_of(ringcentral, *kept)).values()
    assert state.missing == ("events",)


def test_a_lost_beginning_is_marked_wherever_the_numbers_begin(ringcentral):
    (state,) = states(events_of(ringcentral, *session(OTHER_SIDE)[1:])).values()
    assert state.missing == ("start",)


def test_two_agents_have_all_numbers_between_them(ringcentral):
    requests = session(CALLEE)
    whole = states(events_of(ringcentral, *reversed(requests)))
    assert {call: state.missing for call, state in whole.items()} == {
        CALL: (),
        "s-77:p-2": ("start",),
    }
    without_hold = states(events_of(ringcentral, *requests[:5], *requests[7:]))
    assert {call: state.missing for call, state in without_hold.items()} == {
        CALL: ("events",),
        "s-77:p-2": ("start", "events"),
    }


def test_statuses_of_no_interest_and_unknown_ones_are_numbers_all_the_same(ringcentral):
    (fax,) = events_of(ringcentral, notification(5, party("FaxReceive"), sequence=7))
    assert (fax.call, fax.conversation, fax.conversation_sequence) == ("", SESSION, 7)
    with pytest.raises(Unknown) as caught:
        events_of(ringcentral, notification(5, party("Levitated"), sequence=8))
    assert [event.conversation_sequence for event in caught.value.events] == [8]


def test_a_subscription_that_leaves_some_out_marks_nothing():
    partial = make("ringcentral", {"numbered": "no"})
    kept = session(OTHER_SIDE)[:5] + session(OTHER_SIDE)[7:]
    (state,) = states(events_of(make("ringcentral"), *kept)).values()
    assert state.missing == ("events",)
    (state,) = states(events_of(partial, *kept)).values()
    assert (state.status, state.missing) == ("COMPLETED", ())


def internal(code, place, reason=""):
    """A notification about the caller (1) or the called party (2) of Ana's call to Bob."""
    own, other, direction = (ANA, BOB, "Outbound") if place == 1 else (BOB, ANA, "Inbound")
    return party(code, f"p-9-{place}", reason, own, other, direction)


ANSWERED_LATE = [
    notification(0, internal("Setup", 1), sequence=2),
    notification(0.02, internal("Setup", 2), sequence=3),
    notification(0.06, internal("Answered", 1), sequence=4),  # Bob's phone is reached
    notification(0.08, internal("Proceeding", 2), sequence=5),
    notification(6.75, internal("Answered", 2), sequence=6),
    notification(10, internal("Hold", 1), sequence=7),
    notification(14, internal("Answered", 1), sequence=8),
    notification(20, internal("Disconnected", 1), sequence=9),
    notification(20.01, internal("Disconnected", 2), sequence=10),
]


@pytest.mark.parametrize("turn", range(len(ANSWERED_LATE)))
def test_between_two_extensions_the_called_one_answers(ringcentral, turn):
    requests = ANSWERED_LATE[turn:] + ANSWERED_LATE[:turn]
    found = states([event for event in events_of(ringcentral, *requests) if event.call])
    caller, called = found[f"{SESSION}:p-9-1"], found[f"{SESSION}:p-9-2"]
    assert (caller.status, caller.ring, caller.hold, caller.talk) == (
        "COMPLETED",
        6750,
        4000,
        20_000 - 6750 - 4000,
    )
    assert (called.status, called.ring, called.talk) == ("COMPLETED", 6730, 13_260)


def test_an_extension_that_nobody_picks_up_is_no_answer(ringcentral):
    requests = [*ANSWERED_LATE[:4], notification(9, internal("Disconnected", 1), sequence=6)]
    state = states([event for event in events_of(ringcentral, *requests) if event.call])[
        f"{SESSION}:p-9-1"
    ]
    assert (state.status, state.ring, state.talk) == ("NO_ANSWER", 9000, 0)


# --- Any value ---


@settings(max_examples=80)
@given(st.data(), st.sampled_from(["Answered", "Disconnected", "Hold", "Setup"]))
def test_no_value_makes_it_stumble(data, code):
    whole = party(code, reason="NoAnswer", queueCall=True), party(code, "p-2", direction="Inbound")
    said = json.loads(notification(5, *whole).body)
    body = json.dumps(telling.spoiled(said, data.draw)).encode()
    telling.check_never_stumbles(make("ringcentral"), Payload(body, T))


def test_the_link_dials():
    assert make("ringcentral").dial_url("+34600000001") == "rcmobile://call?number=34600000001"
