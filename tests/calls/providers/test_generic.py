"""The generic hook: signature and token, batches, other systems' names, and what is not known."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.providers.base import Payload, Unknown, Unreadable
from calls.providers.generic import signature
from tests.support import telling
from tests.support.telling import SECRET, T, hook_request, make, refused, states

URL = telling.HOOK.format(kind="generic")
ENDED = {
    "event": "ended",
    "call_id": "c-1",
    "agent": "801",
    "number": "+34600000001",
    "direction": "outbound",
    "at": "2026-01-05T10:01:50.400Z",
    "status": "COMPLETED",
}


@pytest.fixture
def generic():
    return make("generic")


def read(adapter, *said, received=T):
    body = json.dumps(said[0] if len(said) == 1 else {"events": list(said)}).encode()
    return adapter.parse(Payload(body, received, "application/json"))


def signed(body, timestamp="1767607311", secret=SECRET, **more):
    given = signature(secret, timestamp, body)
    headers = {"X-CallManager-Timestamp": timestamp, "X-CallManager-Signature": given} | more
    return hook_request(body, url=URL, headers=headers)


# --- Proof ---


def test_the_vector():
    body = b'{"event":"answered","call_id":"c-1"}'
    # printf '%s' '1767607311.<body>' | openssl dgst -sha256 -hmac generic-secret-1
    expected = "3f961c6073eb55462d2f6063e2287243c545796f27591a3ebc250fd7f9c3a5b2"
    assert signature("generic-secret-1", "1767607311", body) == expected


def test_a_signed_body_is_genuine_however_old(generic):
    body = json.dumps(ENDED).encode()
    generic.verify(signed(body))
    generic.verify(signed(body, "1"))
    given = signature(SECRET, "5", body)
    generic.verify(signed(body, "5", **{"X-CallManager-Signature": f"sha256={given.upper()}"}))
    make("generic", secret=["new", SECRET]).verify(signed(body))


@pytest.mark.parametrize(
    "request_",
    [
        signed(b"{}", secret="another"),
        signed(b"{}", "soon"),
        signed(b"{}", ""),
        signed(b"{}", "-1"),
        signed(b"{}", **{"X-CallManager-Signature": ""}),
        signed(b"{}", **{"X-CallManager-Signature": "ñ"}),
        signed(b"{}", **{"X-CallManager-Timestamp": "2"}),
        hook_request(b"{}", url=URL),
        hook_request(b"{}", url=URL, headers={"X-CallManager-Token": SECRET}),
    ],
)
def test_a_forged_request_is_refused(generic, request_):
    assert refused(generic, request_)


def test_a_truncated_body_is_refused(generic):
    whole = signed(json.dumps(ENDED).encode())
    for length in (0, 1, len(whole.body) - 1):
        assert refused(generic, hook_request(whole.body[:length], url=URL, headers=whole.headers))


def test_systems_that_cannot_sign_send_a_token_that_is_not_kept():
    settings_ = {"auth": "token", "token_header": "X-Key", "token_query": "key"}
    adapter = make("generic", settings_)
    adapter.verify(hook_request(b"{}", url=URL, headers={"X-Key": SECRET}))
    asked = hook_request(b"{}", url=f"{URL}?a=1&key={SECRET}&b=")
    adapter.verify(asked)
    assert adapter.kept(asked).query == "a=1&b="
    for wrong in (
        hook_request(b"{}", url=URL),
        hook_request(b"{}", url=f"{URL}?key="),
        hook_request(b"{}", url=URL, headers={"X-Key": SECRET + "x"}),
        hook_request(b"{}", url=f"{URL}?other={SECRET}"),
        signed(b"{}"),
    ):
        assert refused(adapter, wrong)
    assert refused(make("generic", settings_, secret=[""]), hook_request(b"{}", url=f"{URL}?key="))


# --- Calls ---


def event(kind, at, **more):
    return {"event": kind, "call_id": "c-1", "at": at, **more}


def test_the_documented_events_make_a_call(generic):
    events = read(
        generic,
        event("started", "2026-01-05T10:00:00Z", agent=["801", "ana@example.test"], leg="a"),
        event("ringing", 1767607202),
        event("answered", 1767607209.5),
        event("hold", 1767607240000),
        event("unhold", "1767607252500"),
        ENDED,
    )
    (state,) = states(events).values()
    assert (state.ring, state.hold, state.talk) == (9_500, 12_500, 88_400)
    assert (state.number, state.direction, state.status) == (
        "+34600000001",
        "outbound",
        "COMPLETED",
    )
    assert events[0].agents == ("801", "ana@example.test")
    assert [one.precision_ms for one in events] == [1000, 1000, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("NO_ANSWER", ("NO_ANSWER", "")),
        ("busy", ("NO_ANSWER", "busy")),
        ("Canceled", ("NO_ANSWER", "cancelled")),
        ("rejected", ("NO_ANSWER", "rejected")),
        ("failed", ("FAILED", "")),
        ("dropped", ("DROPPED", "")),
    ],
)
def test_the_statuses(generic, status, expected):
    events = read(generic, event("started", T), ENDED | {"status": status})
    (state,) = states(events).values()
    assert (state.status, state.end_reason) == expected


def test_a_reason_of_ones_own(generic):
    (state,) = states(read(generic, ENDED | {"status": "failed", "reason": "network"})).values()
    assert state.end_reason == "network"


def test_an_end_may_report_what_went_before_and_a_summary_confirms(generic):
    reported = {"started_at": T, "answered_at": T + 9_000, "hold_seconds": 12.5}
    events = read(generic, ENDED | reported)
    (state,) = states(events).values()
    assert (state.ring, state.hold, state.talk, state.evidence) == (9_000, 12_500, 88_900, "B")
    summary = event("summary", T + 200_000, status="completed", ended_at=T + 110_000, **reported)
    (state,) = states(events + read(generic, summary)).values()
    assert (state.end, state.talk, state.evidence) == (T + 110_000, 88_500, "A")


def test_a_summary_that_should_have_come_is_missed():
    adapter = make("generic", {"record": "yes"})
    (state,) = states(read(adapter, event("started", T), event("answered", T), ENDED)).values()
    assert state.missing == ("record",)


def test_numbered_events_show_a_loss(generic):
    numbered = [event("started", T, sequence=0), ENDED | {"sequence": 2}]
    (state,) = states(read(generic, *numbered)).values()
    assert "events" in state.missing


def test_an_event_without_an_instant_is_placed_when_it_came(generic):
    (found,) = read(generic, {"event": "answered", "call_id": "c-1"}, received=T + 7)
    assert (found.at, found.precision_ms) == (T + 7, 1000)


def test_other_names_and_values_are_translated():
    adapter = make(
        "generic",
        {
            "events": "batch.items",
            "fields": {
                "event": "data.state",
                "call_id": "data.ids.0",
                "agent": "data.user.mail",
                "at": "when",
                "status": "data.result",
            },
            "values": {
                "event": {"PICKED_UP": "answered", "GONE": "ended"},
                "status": {"ABGEBROCHEN": "dropped"},
            },
            "time_zone": "America/Costa_Rica",
        },
    )
    data = {"ids": ["x-9"], "user": {"mail": "ana@example.test"}}
    items = [
        {"when": "2026-01-05 04:00:09", "data": {**data, "state": "PICKED_UP"}},
        {"when": "2026-01-05T04:01:50", "data": {**data, "state": "GONE", "result": "ABGEBROCHEN"}},
    ]
    events = read(adapter, {"batch": {"items": items}})
    (state,) = states(events).values()
    assert (state.answered, state.end, state.status) == (T + 9_000, T + 110_000, "DROPPED")
    assert events[0].call == "x-9" and events[0].agents == ("ana@example.test",)


def test_what_is_not_known_is_told_and_the_rest_goes_on(generic):
    with pytest.raises(Unknown, match="Event 2: event 'levitated'") as caught:
        read(generic, event("started", T), event("levitated", T), ENDED)
    assert len(caught.value.events) == 2
    with pytest.raises(Unknown, match="status 'odd'") as caught:
        read(generic, ENDED | {"status": "odd"})
    assert states(caught.value.events)["c-1"].end == T + 110_400
    with pytest.raises(Unknown, match="Event 1: '2026-01-05T10:00:00' is no instant") as caught:
        read(generic, event("started", "2026-01-05T10:00:00"), ENDED)
    assert len(caught.value.events) == 1


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"event": "ended"},
        event("ended", "yesterday"),
        event("ended", 12),
        event("ended", True),
        ENDED | {"call_id": "x" * 121},
        ENDED | {"call_id": ["c"]},
        {"events": [1]},
        {"events": [ENDED] * 501},
    ],
)
def test_what_cannot_be_read_is_said_so(generic, said):
    with pytest.raises(Unreadable):
        read(generic, said)


# --- Laws ---


@settings(max_examples=20)
@given(telling.scripts())
def test_with_a_token_calls_are_as_exact_and_forgeries_refused(script):
    adapter = make("generic", {"auth": "token"})
    telling.check_truth(adapter, script)
    telling.check_forgeries(adapter, script)


@settings(max_examples=80)
@given(st.data(), st.sampled_from(["", "Europe/Madrid", "Nowhere/Else"]))
def test_no_value_makes_it_stumble(data, zone):
    whole = ENDED | {"started_at": T, "answered_at": "x", "hold_seconds": 3, "sequence": 1}
    said = {"events": [whole, whole | {"event": "summary"}, event("held", "2026-01-05 10:00")]}
    body = json.dumps(telling.spoiled(said, data.draw)).encode()
    telling.check_never_stumbles(make("generic", {"time_zone": zone}), Payload(body, T))
    one = json.dumps(telling.spoiled(whole, data.draw)).encode()
    telling.check_never_stumbles(make("generic", {"time_zone": zone}), Payload(one, T))
