"""Twilio: the vectors that its own library confirms, legs, sub-accounts, and its Calls API."""

import hashlib
import json
from urllib.parse import parse_qs, urlencode

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from calls import timeline
from calls.providers import web
from calls.providers.base import Payload, Unknown, Unreachable
from calls.providers.twilio import Twilio, signature, spellings
from tests.support import telling
from tests.support.telling import T, heard, hook_request, make, refused, states

URL = "https://calls.example.test/hooks/twilio/voice/"
TOKEN = "tok-test-1"
ACCOUNT = "AC" + "0" * 31 + "1"
CALL = "CA" + "0" * 31 + "1"
CHILD, OTHER_CHILD = "CA" + "c" * 32, "CA" + "d" * 32
COMMON = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "CallSid": CALL,
    "CallbackSource": "call-progress-events",
    "Direction": "outbound-api",
    "From": "+15005550006",
    "Caller": "+15005550006",
    "To": "+34600000001",
    "Called": "+34600000001",
}
INITIATED = COMMON | {
    "CallStatus": "initiated",
    "SequenceNumber": "0",
    "Timestamp": "Mon, 05 Jan 2026 10:00:00 +0000",
}
COMPLETED = COMMON | {
    "CallStatus": "completed",
    "SequenceNumber": "3",
    "Timestamp": "Mon, 05 Jan 2026 10:01:50 +0000",
    "CallDuration": "101",
    "Duration": "2",
    "SipResponseCode": "200",
}
VECTORS = [
    (INITIATED, "I4JGUXE7/UyiSFNyntvawSjNI9g="),
    (COMPLETED, "ZoC5x7p/qk5jOL+NEhLZEhjwx9Y="),
]


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def twilio():
    return make("twilio", auth_token=[TOKEN])


def signed(fields, given_signature, url=URL, **more):
    headers = {
        "X-Twilio-Signature": given_signature,
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    }
    body = urlencode(fields, doseq=True).encode()
    return hook_request(body, url=url, headers=headers, **more)


def said(status, seconds, leg=CALL, **fields):
    """A genuine status callback, signed by Twilio's own library."""
    pairs = COMMON | {
        "CallSid": leg,
        "CallStatus": status,
        "Timestamp": f"Mon, 05 Jan 2026 10:{seconds // 60:02}:{seconds % 60:02} +0000",
        **fields,
    }
    return signed(pairs, RequestValidator(TOKEN).compute_signature(URL, pairs))


# --- Proof ---


@pytest.mark.parametrize(("fields", "expected"), VECTORS)
def test_the_vectors_are_genuine(twilio, fields, expected):
    twilio.verify(signed(fields, expected))
    assert signature(URL, fields.items(), TOKEN) == expected


def test_the_vectors_of_the_documentation():
    public = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(url, public.items(), "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    twice = [("Sid", "CA123"), ("SidAccount", "AC123")]
    twice += [("Digits", digits) for digits in ("5678", "1234", "1234")]
    assert signature(url, twice, "12345") == "IK+Dwps556ElfBT0I3Rgjkr1wJU="


@pytest.mark.parametrize(
    "change",
    [
        {"url": URL.replace("https", "http")},
        {"url": URL.rstrip("/")},
        {"url": URL + "?x=1"},
        {"fields": COMPLETED | {"CallDuration": "102"}},
        {"fields": COMPLETED | {"Extra": ""}},
        {"given": ""},
        {"given": "ZoC5x7p/qk5jOL+NEhLZEhjwx9Z="},
        {"given": "ünïcode"},
        {"token": "tok-test-2"},
        {"token": ""},
    ],
)
def test_a_forged_request_is_refused(change):
    adapter = make("twilio", auth_token=[change.get("token", TOKEN)])
    request = signed(
        change.get("fields", COMPLETED),
        change.get("given", VECTORS[1][1]),
        change.get("url", URL),
    )
    assert refused(adapter, request)


def test_a_truncated_body_is_refused(twilio):
    whole = signed(*VECTORS[1])
    for length in (0, 1, len(whole.body) // 2, len(whole.body) - 1):
        cut = hook_request(whole.body[:length], url=URL, headers=whole.headers)
        assert refused(twilio, cut)


def test_a_body_that_is_no_text_is_refused(twilio):
    assert refused(twilio, hook_request(b"\xff\xfe", url=URL, headers={"X-Twilio-Signature": "x"}))


class Fields(dict):
    """Form fields as the library wants them: several values a name."""

    getlist = dict.__getitem__


def test_a_shared_key_signs_with_sha_256(twilio):
    given = RequestValidator(TOKEN).compute_signature(URL, INITIATED, "HMAC_SHA256")
    request = signed(INITIATED, given)
    assert refused(twilio, request)
    request.headers["x-twilio-webhooks-signature-settings"] = "key=k_1,algorithm=HMAC_SHA256"
    twilio.verify(request)
    assert refused(make("twilio", auth_token=["another"]), request)


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1, max_size=8),
        st.lists(st.text(max_size=8), min_size=1, max_size=3),
        max_size=5,
    ),
    st.sampled_from([URL, URL + "?a=1&b=", "https://h.test:8443/x/", "https://h.test:443/x/"]),
)
def test_what_the_library_signs_is_genuine_and_nothing_else_is(fields, url):
    expected = RequestValidator(TOKEN).compute_signature(url, Fields(fields))
    pairs = [(name, value) for name, values in fields.items() for value in values]
    assert signature(url, pairs, TOKEN) == expected
    adapter = make("twilio", auth_token=[TOKEN])
    adapter.verify(signed(pairs, expected, url))
    assert refused(adapter, signed([*pairs, ("more", "x")], expected, url))


def test_the_port_may_be_in_the_signed_address_or_not(twilio):
    for asked, named in ((URL, URL.replace(".test", ".test:443")), ("https://h.test:443/x/",) * 2):
        for one, other in ((asked, named), (named, asked)):
            request = signed(INITIATED, signature(one, INITIATED.items(), TOKEN), other)
            twilio.verify(request)
    assert "https://u:p@[::1]/x" in spellings("https://u:p@[::1]:443/x")


def test_a_request_by_get_is_signed_with_its_address_alone(twilio):
    url = f"{URL}?{urlencode(INITIATED)}"
    request = signed({}, RequestValidator(TOKEN).compute_signature(url, {}), url, method="GET")
    (event,) = heard(twilio, request)
    assert (event.kind, event.call, event.at) == (timeline.STARTED, CALL, T)
    assert refused(twilio, signed({}, "x", url, method="GET"))


def test_a_json_body_is_proved_by_its_digest(twilio):
    body = json.dumps(COMPLETED).encode()
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {
        "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(url, {}),
        "Content-Type": "application/json",
    }
    assert RequestValidator(TOKEN).validate(url, body.decode(), headers["X-Twilio-Signature"])
    events = heard(twilio, hook_request(body, url=url, headers=headers))
    assert {event.kind for event in events} == {timeline.ENDED, timeline.ANSWERED}
    assert refused(twilio, hook_request(body + b" ", url=url, headers=headers))


def test_a_sub_account_has_a_token_of_its_own_and_a_rotation_two():
    other = "AC" + "2" * 32
    tokens = f"AC{'3' * 32}=third {other}=sales-token"
    adapter = make("twilio", auth_token=["new", TOKEN], subaccount_tokens=[tokens])
    adapter.verify(signed(*VECTORS[0]))  # the token from before the rotation
    fields = INITIATED | {"AccountSid": other}
    adapter.verify(signed(fields, signature(URL, fields.items(), "sales-token")))
    assert refused(adapter, signed(fields, signature(URL, fields.items(), TOKEN)))
    assert refused(adapter, signed(INITIATED, signature(URL, INITIATED.items(), "sales-token")))
    empty = make("twilio", auth_token=[TOKEN], subaccount_tokens=[f"{other}="])
    assert refused(empty, signed(fields, signature(URL, fields.items(), "")))


# --- Calls ---


def test_the_vectors_fold_to_the_call_they_describe(twilio):
    events = [event for vector in VECTORS for event in heard(twilio, signed(*vector))]
    state = states(events)[CALL]
    assert (state.status, state.ring, state.talk) == ("COMPLETED", 9_000, 101_000)
    assert (state.number, state.direction) == ("+34600000001", "outbound")
    assert state.missing == ("events",)  # ringing and answered were not among the vectors
    assert {event.precision_ms for event in events} == {1000}


@pytest.mark.parametrize(
    ("status", "sip", "expected"),
    [
        ("busy", "486", ("NO_ANSWER", "busy")),
        ("no-answer", "487", ("NO_ANSWER", "")),
        ("canceled", "487", ("NO_ANSWER", "cancelled")),
        ("failed", "404", ("FAILED", "invalid_number")),
        ("failed", "503", ("FAILED", "congestion")),
        ("failed", "", ("FAILED", "network")),
    ],
)
def test_how_calls_end_that_nobody_answers(twilio, status, sip, expected):
    end = said(status, 20, CallDuration="0", SipResponseCode=sip, SequenceNumber="1")
    events = heard(twilio, said("initiated", 0, SequenceNumber="0")) + heard(twilio, end)
    state = states(events)[CALL]
    assert (state.status, state.end_reason) == expected
    assert (state.ring, state.talk, state.answered) == (20_000, 0, None)


BROWSER = {"From": "client:ana", "To": "", "Direction": "inbound"}
TO_CUSTOMER = {"ParentCallSid": CALL, "Direction": "outbound-dial", "To": "+34600000001"}


def test_of_a_call_from_a_browser_the_other_side_tells_the_answer_and_the_end(twilio):
    requests = [
        said("in-progress", 0, SequenceNumber="0", **BROWSER),
        said("initiated", 1, CHILD, SequenceNumber="0", **TO_CUSTOMER),
        said("ringing", 2, CHILD, SequenceNumber="1", **TO_CUSTOMER),
        said("in-progress", 10, CHILD, SequenceNumber="2", **TO_CUSTOMER),
        said(
            "completed",
            70,
            CHILD,
            CallDuration="60",
            Duration="1",
            SequenceNumber="3",
            **TO_CUSTOMER,
        ),
        said("completed", 72, CallDuration="72", Duration="2", SequenceNumber="1", **BROWSER),
    ]
    events = [event for request in requests for event in heard(twilio, request)]
    (state,) = states(events).values()
    assert (state.status, state.talk, state.end) == ("COMPLETED", 60_000, T + 70_000)
    assert (state.number, state.direction, state.missing) == ("+34600000001", "outbound", ())
    assert telling.agents(events) == {CALL: {"client:ana"}}
    assert "ana" in next(event.agents for event in events if event.agents)


def test_a_browser_that_rang_in_vain_did_not_talk(twilio):
    requests = [
        said("initiated", 0, CHILD, SequenceNumber="0", **TO_CUSTOMER),
        said("no-answer", 30, CHILD, CallDuration="0", SequenceNumber="1", **TO_CUSTOMER),
        said("in-progress", 0, SequenceNumber="0", **BROWSER),
        said("completed", 30, CallDuration="30", SequenceNumber="1", **BROWSER),
    ]
    (state,) = states(e for request in requests for e in heard(twilio, request)).values()
    assert (state.status, state.talk, state.ring) == ("NO_ANSWER", 0, 30_000)


INBOUND = {"From": "+34600000001", "To": "+15005550006", "Direction": "inbound"}
TO_ANA = {
    "ParentCallSid": CALL,
    "Direction": "outbound-dial",
    "From": "+34600000001",
    "To": "client:ana",
}
TO_BOB = TO_ANA | {"To": "client:bob"}


def inbound_call(last_status):
    return [
        said("initiated", 2, CHILD, SequenceNumber="0", **TO_ANA),
        said("initiated", 2, OTHER_CHILD, SequenceNumber="0", **TO_BOB),
        said("ringing", 3, CHILD, SequenceNumber="1", **TO_ANA),
        said(last_status, 12, CHILD, CallDuration="0", SequenceNumber="2", **TO_ANA),
        said("completed", 50, CallDuration="50", SequenceNumber="0", **INBOUND),
    ]


def test_a_phone_that_another_person_took_over_from_ends_nothing(twilio):
    bob = [
        said("in-progress", 12, OTHER_CHILD, SequenceNumber="1", **TO_BOB),
        said("completed", 48, OTHER_CHILD, CallDuration="36", SequenceNumber="2", **TO_BOB),
    ]
    events = [e for request in inbound_call("canceled") + bob for e in heard(twilio, request)]
    (state,) = states(events).values()
    assert (state.status, state.talk, state.end) == ("COMPLETED", 36_000, T + 48_000)
    assert (state.number, state.direction) == ("+34600000001", "inbound")
    assert telling.agents(events) == {CALL: {"client:bob"}}


def test_an_inbound_call_that_no_agent_took_was_not_answered(twilio):
    requests = [said("in-progress", 0, SequenceNumber="0", **INBOUND), *inbound_call("no-answer")]
    (state,) = states(e for request in requests for e in heard(twilio, request)).values()
    assert (state.status, state.talk, state.end) == ("NO_ANSWER", 0, T + 50_000)


def test_agents_on_plain_phones_are_told_by_the_setting():
    adapter = make("twilio", {"dials": "agents"}, auth_token=[TOKEN])
    (event,) = heard(adapter, said("in-progress", 9, CHILD, **TO_ANA | {"To": "+50660000001"}))
    assert (event.agents, event.number, event.direction) == (
        ("+50660000001",),
        "+34600000001",
        "inbound",
    )


@pytest.mark.parametrize("duration", ["", "x", "-3", "1e3", "9" * 40])
def test_without_a_readable_duration_the_live_events_stand_and_the_call_is_marked(twilio, duration):
    ended = said("completed", 30, CHILD, CallDuration=duration, **TO_CUSTOMER)
    events = heard(twilio, said("in-progress", 10, CHILD, **TO_CUSTOMER))
    if duration:
        with pytest.raises(Unknown, match=f"CallDuration '{duration}'") as caught:
            heard(twilio, ended)
        events += caught.value.events
        assert caught.value.events[0].data["unread"] == {"CallDuration": duration}
    else:
        events += heard(twilio, ended)
    state = states(events)[CALL]
    assert (state.talk, "unread" in state.missing) == (20_000, bool(duration))


def test_an_unknown_status_is_told_as_such(twilio):
    with pytest.raises(Unknown, match="teleported"):
        heard(twilio, said("teleported", 3))


def test_a_status_without_a_timestamp_is_placed_when_it_came(twilio):
    body = urlencode(COMMON | {"CallStatus": "ringing"}).encode()
    (event,) = twilio.parse(Payload(body, T + 5, "application/x-www-form-urlencoded"))
    assert event.at == T + 5


# --- Any value ---


@settings(max_examples=100)
@given(st.data(), st.sampled_from([True, False]))
def test_no_value_makes_it_stumble(data, as_json):
    spoiled = telling.spoiled(dict(COMPLETED | TO_CUSTOMER), data.draw)
    if as_json or not isinstance(spoiled, dict):
        body, content_type = json.dumps(spoiled).encode(), "application/json"
    else:
        texts = {name: str(value).encode(errors="ignore") for name, value in spoiled.items()}
        body, content_type = urlencode(texts).encode(), "application/x-www-form-urlencoded"
    telling.check_never_stumbles(make("twilio"), Payload(body, T, content_type))


# --- Asking ---


class Recorder:
    """A transport that answers from a list and keeps what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, question):
        self.asked.append(question)
        status, found = self.answers.pop(0)
        return web.Answer(status, found if isinstance(found, bytes) else json.dumps(found).encode())


def dialer(*answers, **settings):
    recorder = Recorder(*answers)
    chosen = {"account_sid": ACCOUNT, "caller_id": "+15005550006"} | settings
    return Twilio("main", chosen, {"auth_token": [TOKEN]}, transport=recorder), recorder


def test_placing_a_call_rings_the_agent_and_then_dials_the_number():
    adapter, recorder = dialer((201, {"sid": CALL, "status": "queued"}))
    assert adapter.can_dial
    assert adapter.place_call("client:ana", "+34600000001", URL) == CALL
    (question,) = recorder.asked
    assert question.method == "POST"
    assert question.url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    assert question.headers["Authorization"].startswith("Basic ")
    fields = parse_qs(question.body.decode())
    callback = f"{URL}?agent=client%3Aana&number=%2B34600000001"
    assert (fields["To"], fields["From"]) == (["client:ana"], ["+15005550006"])
    assert fields["StatusCallback"] == [callback]
    assert fields["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert fields["Twiml"] == [
        '<Response><Dial callerId="+15005550006"><Number '
        f'statusCallback="{callback.replace("&", "&amp;")}" '
        'statusCallbackEvent="initiated ringing answered completed">+34600000001</Number>'
        "</Dial></Response>"
    ]


@pytest.mark.parametrize(
    ("agent", "phone"),
    [("ana", "client:ana"), ("sip:a@b.test", "sip:a@b.test"), ("+50660000001", "+50660000001")],
)
def test_the_agents_phone_is_a_client_unless_it_says_what_it_is(agent, phone):
    adapter, recorder = dialer((201, {"sid": CALL}))
    adapter.place_call(agent, "+34600000001")
    fields = parse_qs(recorder.asked[0].body.decode())
    assert fields["To"] == [phone] and "StatusCallback" not in fields
    assert fields["Twiml"][0].count("<Number>+34600000001</Number>") == 1


def test_the_events_of_a_placed_call_name_the_agent_and_the_number():
    adapter = make("twilio", auth_token=[TOKEN])
    query = urlencode({"agent": "+50660000001", "number": "+34600000001"})
    to_agent = COMMON | {"To": "+50660000001", "CallStatus": "ringing"}
    to_customer = COMMON | TO_CUSTOMER | {"CallSid": CHILD, "CallStatus": "ringing"}
    for fields in (to_agent, to_customer):
        body = urlencode(fields).encode()
        (event,) = adapter.parse(Payload(body, T, "application/x-www-form-urlencoded", query))
        assert (event.call, event.agents, event.number) == (
            CALL,
            ("+50660000001",),
            "+34600000001",
        )
        assert event.direction == "outbound"


def test_a_refused_call_says_why():
    adapter, _ = dialer((400, {"message": "The number is not valid"}))
    with pytest.raises(Unreachable, match="not valid"):
        adapter.place_call("client:ana", "+1", URL)
    adapter, _ = dialer((200, b"<html>"))
    with pytest.raises(Unreachable, match="not readable"):
        adapter.place_call("client:ana", "+1", URL)


def test_without_an_account_no_call_is_placed():
    adapter, recorder = dialer(account_sid="")
    with pytest.raises(Unreachable, match="account_sid"):
        adapter.place_call("client:ana", "+34600000001", URL)
    assert recorder.asked == []


REST = {"sid": CALL, "from": "client:ana", "to": "", "direction": "inbound"}
REST_CHILD = {
    "sid": CHILD,
    "parent_call_sid": CALL,
    "from": "+15005550006",
    "to": "+34600000001",
    "direction": "outbound-dial",
    "status": "completed",
    "duration": "60",
    "end_time": "Mon, 05 Jan 2026 10:01:10 +0000",
}


def test_asked_about_a_lost_end_it_tells_the_end():
    ended = REST | {
        "status": "completed",
        "duration": "72",
        "end_time": "Mon, 05 Jan 2026 10:01:12 +0000",
    }
    adapter, recorder = dialer((200, ended), (200, {"calls": [REST_CHILD]}))
    started = heard(adapter, said("initiated", 0, CHILD, **TO_CUSTOMER))
    state = states([*started, *adapter.ask(CALL)])[CALL]
    assert (state.status, state.talk, state.end) == ("COMPLETED", 60_000, T + 70_000)
    assert [question.method for question in recorder.asked] == ["GET", "GET"]
    assert recorder.asked[1].url.endswith(f"Calls.json?ParentCallSid={CALL}")


def test_asked_about_a_running_call_it_tells_no_end():
    running = REST | {"status": "in-progress", "duration": None, "end_time": None}
    adapter, _ = dialer((200, running), (200, {"calls": []}))
    assert adapter.ask(CALL) == []


def test_a_call_that_is_over_but_not_yet_described_is_not_said_to_go_on():
    over = REST | {"status": "completed", "duration": None, "end_time": None}
    adapter, _ = dialer((200, over), (200, {"calls": []}))
    assert adapter.ask(CALL) is None


def test_asked_in_vain_it_says_that_it_does_not_know():
    assert dialer((404, {"message": "no such call"}))[0].ask(CALL) is None
    assert dialer()[0].ask("../Messages") is None


def test_the_link_dials():
    assert make("twilio").dial_url("+34600000001") == "tel:+34600000001"
