"""Messages in the shape that phone systems really send, through their hooks: whose call it is, in
which direction, with whom and how long, in any order."""

import json
import random
from dataclasses import replace

import pytest

from calls.history import ledger_lines
from calls.models import CallLog, ProviderAccount, RawEvent, WaitingFact
from calls.providers.base import Payload
from calls.telephony import hooks, intake
from common.instants import now, to_ms
from metrics.rollups.rebuild import differences
from tests.support.hooks import BASE, calls, inputs, make_account, map_to, tell

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def public_address(settings):
    settings.PUBLIC_BASE_URL = BASE


def orders(messages, seed=1, times=4):
    """As sent, backwards, and some shuffled with repetitions."""
    yield list(messages)
    yield list(reversed(messages))
    dice = random.Random(seed)
    for _ in range(times):
        some = [*messages, *dice.sample(messages, len(messages) // 2)]
        dice.shuffle(some)
        yield some


def forget():
    for model in (CallLog, RawEvent, WaitingFact):
        model.objects.all().delete()


def in_any_order(client, account, messages):
    """What calls there are after each order; one set if the order does not matter."""
    found = set()
    for order in orders(messages):
        forget()
        tell(client, account, *order)
        found.add(tuple(calls()))
        assert differences() == []
    return found


# --- Twilio: customers who come by SIP ---


@pytest.mark.parametrize("caller", ["sip:anonymous@anonymous.invalid", "sip:Anonymous@203.0.113.9"])
def test_a_customer_who_hides_the_number_calls_in(client, people, caller):
    account = make_account("twilio")
    map_to(account, people.alice, "client:ana")
    messages = [
        {
            name: caller if str(value).startswith("sip:+") else value
            for name, value in message.items()
        }
        for message in inputs("twilio-customer-by-sip")
    ]
    wanted = ("alice", "COMPLETED", "inbound", 9, 50, 0)
    assert in_any_order(client, account, messages) == {(wanted,)}


def test_a_sip_phone_may_be_mapped_by_its_user(client, people):
    account = make_account("twilio")
    map_to(account, people.alice, "101")
    said = {
        "AccountSid": "AC1",
        "CallSid": "CAc",
        "ParentCallSid": "CAp",
        "CallStatus": "completed",
    }
    said |= {"Timestamp": "Mon, 05 Jan 2026 10:01:00 +0000", "CallDuration": "50"}
    ends = {"From": "sip:101@acme.sip.twilio.com", "To": "+50688882301"}
    tell(client, account, said | ends | {"Direction": "outbound-dial", "SequenceNumber": 0})
    (call,) = CallLog.objects.all()
    assert (call.user, call.direction, call.talk_seconds) == (people.alice, "outbound", 50)


def test_a_customer_who_comes_by_sip_is_the_other_side(client, people):
    account = make_account("twilio")
    map_to(account, people.alice, "client:ana")
    wanted = ("alice", "COMPLETED", "inbound", 9, 50, 0)
    assert in_any_order(client, account, inputs("twilio-customer-by-sip")) == {(wanted,)}
    call = CallLog.objects.get()
    assert (call.contact_phone, call.phone_e164, call.missing) == (*["+50688882301"] * 2, "")


def test_a_sip_number_that_is_one_of_ours_is_an_agent(client, people):
    account = make_account("twilio")
    map_to(account, people.alice, "client:ana")
    map_to(account, people.bob, "+50688882301")
    tell(client, account, *inputs("twilio-customer-by-sip")[:-1])
    (call,) = CallLog.objects.all()
    assert (call.user, call.contact_phone) == (people.alice, "")


def test_a_number_that_is_dialled_over_a_sip_trunk_is_the_other_side(client, people):
    account = make_account("twilio")
    map_to(account, people.alice, "client:ana")
    messages = [
        {**one, "From": "client:ana", "To": "sip:+50688882301@trunk.example.test;user=phone"}
        for one in inputs("twilio-customer-by-sip")[:-1]
    ]
    assert in_any_order(client, account, messages) == {
        (("alice", "COMPLETED", "outbound", 9, 50, 0),)
    }
    assert CallLog.objects.get().phone_e164 == "+50688882301"


# --- Any system: from and to ---


FROM_AND_TO = {
    "fields": {
        "event": "data.event_type",
        "call_id": "data.payload.call_leg_id",
        "at": "data.occurred_at",
        "direction": "data.payload.direction",
        "from": "data.payload.from",
        "to": "data.payload.to",
    },
    "values": {
        "event": {"call.initiated": "started", "call.answered": "answered", "call.hangup": "ended"}
    },
}


OF_ONE_DIRECTION = {
    **FROM_AND_TO,
    "fields": {
        {"from": "number", "to": "agent"}.get(name, name): path
        for name, path in FROM_AND_TO["fields"].items()
    },
}


@pytest.mark.parametrize("settings_", [FROM_AND_TO, OF_ONE_DIRECTION])
def test_from_and_to_are_chosen_by_direction(client, people, settings_):
    account = make_account("generic", settings_)
    map_to(account, people.alice, "+50640001400")
    found = in_any_order(client, account, inputs("generic-from-and-to"))
    assert {tuple((c[0], c[1], c[2], c[4]) for c in one) for one in found} == {
        (("alice", "COMPLETED", "inbound", 101), ("alice", "COMPLETED", "outbound", 101)),
        (("alice", "COMPLETED", "outbound", 101), ("alice", "COMPLETED", "inbound", 101)),
    }
    numbers = dict(CallLog.objects.values_list("direction", "contact_phone"))
    assert numbers == {"inbound": "+50688881401", "outbound": "+50688881402"}


RECORD = {
    "call_id": "r-1",
    "started_at": "2026-01-05T10:00:00Z",
    "duration_seconds": "110",
    "connected_seconds": "101",
}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"from": "801", "to": "88881601", "direction": "Outbound"}, ("outbound", "88881601")),
        ({"from": "88881601", "to": "801", "direction": "inbound-api"}, ("inbound", "88881601")),
        ({"from": "88881601", "to": "801"}, ("inbound", "88881601")),
        ({"from": "801", "to": "sip:+50688881601@192.0.2.7:5060"}, ("outbound", "+50688881601")),
        ({"from": "801", "to": "802"}, ("internal", "802")),
    ],
)
def test_where_the_direction_is_not_told_whom_we_know_tells_it(client, people, said, expected):
    account = make_account("generic")
    map_to(account, people.alice, "801")
    map_to(account, people.bob, "802")
    tell(client, account, RECORD | said)
    call = CallLog.objects.get()
    assert (call.user, call.direction, call.contact_phone) == (people.alice, *expected)
    assert (call.ring_seconds, call.talk_seconds, call.missing) == (9, 101, "")


def test_between_two_strangers_nothing_is_guessed(client, people):
    account = make_account("generic")
    tell(client, account, RECORD | {"from": "88881601", "to": "88881602"})
    call = CallLog.objects.get()
    assert (call.user, call.contact_phone) == (None, "")
    assert call.lacks == ["unread"]
    assert "88881601" in json.dumps(call.events.get().data["unread"])


# --- Any system: values of another type, and in other places ---


def test_lengths_as_text_are_lengths(client, people):
    account = make_account("generic", {"time_zone": "UTC"})
    map_to(account, people.alice, "801")
    tell(client, account, *inputs("generic-lengths"))
    assert {call[-1:] + call[4:5] for call in calls()} == {(12, 89)}
    assert set(CallLog.objects.values_list("missing", flat=True)) == {""}
    assert set(RawEvent.objects.values_list("outcome", flat=True)) == {RawEvent.TAKEN}


SUMMARY = {
    "event": "summary",
    "call_id": "c-1",
    "agent": "801",
    "number": "88881601",
    "direction": "inbound",
    "status": "completed",
    "started_at": 1767607200,
    "answered_at": 1767607209,
    "ended_at": 1767607310,
}


@pytest.mark.parametrize(
    ("told", "hold"),
    [
        ("12", 12),
        ("12.6", 12),
        ("12,5", 12),
        (12.0, 12),
        ("0:12", 12),
        ("00:01:02", 62),
        (" 3 ", 3),
    ],
)
def test_a_text_that_is_a_length_is_one(client, people, told, hold):
    account = make_account("generic")
    tell(client, account, SUMMARY | {"hold_seconds": told})
    (call,) = CallLog.objects.all()
    assert (call.hold_seconds, call.talk_seconds, call.missing) == (
        hold,
        100 - hold + (hold in (3, 62) or told in ("12", 12.0, "0:12")),
        "",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hold_seconds", "a while"),
        ("hold_seconds", -3),
        ("hold_seconds", True),
        ("hold_seconds", {"s": 3}),
        ("hold_seconds", "1,234"),
        ("hold_seconds", 90_000),
        ("direction", "sideways"),
        ("direction", 7),
        ("status", "odd"),
        ("status", ["completed"]),
        ("answered_at", "nine past ten"),
        ("sequence", "first"),
    ],
)
def test_what_cannot_be_read_is_kept_shown_and_marked(client, people, name, value):
    account = make_account("generic")
    map_to(account, people.alice, "801")
    tell(client, account, SUMMARY | {name: value})
    call = CallLog.objects.get()
    assert (call.user, call.end_time is not None) == (people.alice, True)
    assert "unread" in call.lacks
    assert list(call.events.get().data["unread"]) == [name]
    raw = RawEvent.objects.get()
    assert raw.outcome == RawEvent.UNKNOWN and raw.note.startswith(f"Event 1: {name} ")
    client.force_login(people.ada)
    page = client.get(f"/calls/{call.call_id}/").content.decode()
    assert "no se pudo leer" in page and name in page


def test_a_record_whose_end_cannot_be_read_has_not_the_last_word(client, people):
    account = make_account("generic")
    ended = {**SUMMARY, "event": "ended", "at": 1767607310, "ended_at": None}
    broken = {**SUMMARY, "ended_at": "ten past ten"}
    for order in ([broken, ended], [ended, broken]):
        forget()
        tell(client, account, *order)
        (call,) = CallLog.objects.all()
        assert (call.ring_seconds, call.talk_seconds, call.lacks) == (9, 101, ["unread"])


@pytest.mark.parametrize("length", ["abc", None])
def test_a_call_of_long_ago_does_not_last_until_its_message_comes(client, people, length):
    """Nothing says when it ended: no seconds are made up, and live events say better."""
    account = make_account("generic")
    said = {"call_id": "late-1", "agent": "801", "number": "88881601", "direction": "outbound"}
    record = said | {"start_time": 1767607200, "duration": length}
    live = [
        said | {"event": kind, "at": 1767607200 + seconds}
        for kind, seconds in (("started", 0), ("answered", 9), ("ended", 110))
    ]
    tell(client, account, record)
    (call,) = CallLog.objects.all()
    assert (call.duration_seconds, call.talk_seconds, call.lacks[0]) == (0, 0, "answer")
    assert ("unread" in call.lacks) == (length is not None)
    for order in ([record, *live], [*live, record]):
        forget()
        tell(client, account, *order)
        (call,) = CallLog.objects.all()
        assert (call.ring_seconds, call.talk_seconds) == (9, 101)


def test_lengths_alone_are_of_a_call_that_ends_with_its_message(client, people):
    account = make_account("generic")
    tell(client, account, {"call_id": "x-1", "direction": "in", "duration": 110, "billsec": "101"})
    (call,) = CallLog.objects.all()
    assert (call.ring_seconds, call.talk_seconds, call.missing) == (9, 101, "")


def test_no_length_of_an_unanswered_call_moves_its_start(client, people):
    """Many count from the answer, and say 0 where there was none."""
    account = make_account("generic")
    said = {"call_id": "b-1", "agent": "801", "number": "88881601", "direction": "outbound"}
    begun = said | {"event": "started", "at": 1767607200}
    busy = said | {"event": "ended", "at": 1767607205, "duration": "0", "status": "busy"}
    map_to(account, people.alice, "801")
    assert in_any_order(client, account, [begun, busy]) == {
        (("alice", "NO_ANSWER", "outbound", 5, 0, 0),)
    }


@pytest.mark.parametrize(
    "told",
    [
        {"from": "sip:801@pbx.example", "to": "tel:+50688881402"},
        {"from": "sip:801@pbx.example", "to": "sip:+50688881402@carrier", "direction": "outgoing"},
        {"from": ["801"], "to": ["+50688881402"], "direction": "saliente"},
        {"agent": "Ana <sip:801@pbx.example;transport=tls>", "number": ["+50688881402"]},
    ],
)
def test_a_side_may_be_a_sip_address_of_an_extension(client, people, told):
    account = make_account("generic")
    map_to(account, people.alice, "801")
    tell(client, account, RECORD | {"call_id": "sip-1"} | told)
    (call,) = CallLog.objects.all()
    assert (call.user, call.direction) == (people.alice, "outbound")
    assert (call.contact_phone, call.missing) == ("+50688881402", "")


@pytest.mark.parametrize(
    ("caller", "called"),
    [("from", "to"), ("From", "To"), ("caller.number", "callee.number"), ("src", "dst")],
)
@pytest.mark.parametrize("told", [True, False])
def test_settings_that_name_one_end_the_agent_are_right_both_ways(
    client, people, caller, called, told
):
    """Whichever end they say is the agent's; where no direction is told, identities do."""
    for fields in ({"agent": caller, "number": called}, {"agent": called, "number": caller}):
        forget()
        ProviderAccount.objects.all().delete()
        account = make_account("generic", {"fields": fields})
        map_to(account, people.alice, "+50640001400")
        ours, others = "+50640001400", "+50688881401"
        for way, ends in (("inbound", (others, ours)), ("outbound", (ours, others))):
            said = RECORD | {"call_id": way} | ({"direction": way} if told else {})
            for path, number in zip((caller, called), ends, strict=True):
                step, _, below = path.partition(".")
                said[step] = {below: number} if below else number
            tell(client, account, said)
        found = CallLog.objects.order_by("direction").values_list(
            "direction", "user", "contact_phone"
        )
        assert list(found) == [(way, people.alice.pk, others) for way in ("inbound", "outbound")]


@pytest.mark.parametrize(
    "told",
    ["Mon, 05 Jan 2026 10:00:00 +0000", "2026-01-05 10:00:00 UTC", "5 Jan 2026 10:00:00 GMT"],
)
def test_an_instant_as_mail_writes_it(client, people, told):
    account = make_account("generic")
    tell(client, account, RECORD | {"call_id": "i-1", "direction": "in", "started_at": told})
    (call,) = CallLog.objects.all()
    assert (to_ms(call.start_time), call.missing) == (1_767_607_200_000, "")


@pytest.mark.parametrize("name", ["agent", "from"])
def test_a_side_that_is_an_object_is_kept_shown_and_marked(client, people, name):
    account = make_account("generic")
    said = RECORD | {"call_id": "o-1", "direction": "out", name: {"id": 801}}
    tell(client, account, said | ({"to": "88881402"} if name == "from" else {"number": "88881402"}))
    (call,) = CallLog.objects.all()
    assert (call.user, call.contact_phone, call.lacks) == (None, "88881402", ["unread"])
    assert name in RawEvent.objects.get().note


def test_one_message_at_the_end_with_start_and_length(client, people):
    account = make_account("generic")
    map_to(account, people.alice, "801")
    said = RECORD | {"agent": "801", "number": "88881601", "direction": "in"}
    tell(client, account, said, said | {"call_id": "r-2", "connected_seconds": 0})
    tell(client, account, said | {"call_id": "r-3", "ring_seconds": 9, "connected_seconds": None})
    tell(
        client, account, said | {"call_id": "r-4", "duration_seconds": None, "ring_seconds": "0:09"}
    )
    assert sorted(calls()) == sorted(
        [("alice", "COMPLETED", "inbound", 9, 101, 0)] * 3
        + [("alice", "NO_ANSWER", "inbound", 110, 0, 0)]
    )


def test_the_names_that_many_systems_use(client, people):
    account = make_account("generic", {"time_zone": "America/Costa_Rica"})
    map_to(account, people.alice, "801")
    said = {"call_id": "n-1", "from": "88881601", "to": "801", "direction": "Inbound"}
    times = {"start_time": "2026-01-05 04:00:00", "duration": 110, "billsec": "101"}
    tell(client, account, said | times, said | times | {"call_id": "n-2", "billsec": "0"})
    assert sorted(calls()) == [
        ("alice", "COMPLETED", "inbound", 9, 101, 0),
        ("alice", "NO_ANSWER", "inbound", 110, 0, 0),
    ]
    assert set(CallLog.objects.values_list("missing", flat=True)) == {""}


def test_lengths_may_be_in_milliseconds(client, people):
    account = make_account("generic", {"lengths": "ms"})
    said = RECORD | {"duration_seconds": "110400", "connected_seconds": 101_400}
    tell(client, account, said | {"hold_seconds": 12_500})
    (call,) = CallLog.objects.all()
    assert (call.ring_seconds, call.hold_seconds, call.talk_seconds) == (9, 12, 88)


SESSIONS = {
    "call_id": "g-1",
    "number": "88881601",
    "direction": "inbound",
    "started_at": "2026-01-05T10:00:00Z",
    "ended_at": "2026-01-05T10:05:00Z",
    "status": "completed",
    "sessions": [
        {
            "agent": "801",
            "started_at": "2026-01-05T10:00:00Z",
            "answered_at": "2026-01-05T10:00:10Z",
            "ended_at": "2026-01-05T10:01:10Z",
            "hold_seconds": "5",
        },
        {
            "agent": "803",
            "started_at": "2026-01-05T10:01:00Z",
            "ring_seconds": "10",
            "answered_at": None,
        },
        {
            "agent": "802",
            "started_at": "2026-01-05T10:01:10Z",
            "answered_at": "2026-01-05T10:01:20Z",
            "ended_at": "2026-01-05T10:02:20Z",
        },
        {
            "agent": "801",
            "started_at": "2026-01-05T10:02:20Z",
            "answered_at": "2026-01-05T10:02:30Z",
            "connected_seconds": "30",
        },
    ],
}
PARTS = (
    ("alice", "COMPLETED", "inbound", 10, 55, 5),
    ("carol", "NO_ANSWER", "inbound", 10, 0, 0),
    ("bob", "COMPLETED", "inbound", 10, 60, 0),
    ("alice", "COMPLETED", "inbound", 10, 30, 0),
)


@pytest.fixture
def system(people):
    """An account whose list of events is called sessions."""
    account = make_account("generic", {"events": "sessions"})
    for user, name in ((people.alice, "801"), (people.bob, "802"), (people.carol, "803")):
        map_to(account, user, name)
    return account


def test_each_session_below_common_fields_is_its_agents_own_part(client, system):
    tell(client, system, SESSIONS)
    assert tuple(calls()) == PARTS
    numbers = (
        CallLog.objects.values_list("phone_e164", "conversation", "is_shared").order_by().distinct()
    )
    assert list(numbers) == [("+50688881601", "g-1", True)]
    backwards = {**SESSIONS, "sessions": SESSIONS["sessions"][::-1], "attempt": 2}
    tell(client, system, backwards)
    assert tuple(calls()) == PARTS
    assert differences() == []


def test_lists_may_stand_in_lists(client, system):
    system.settings = {"events": "people.sessions", "fields": {"agent": "who.ext"}}
    system.save()
    nested = {name: value for name, value in SESSIONS.items() if name != "sessions"}
    nested["people"] = [
        {
            "who": {"ext": agent},
            "sessions": [
                {name: value for name, value in one.items() if name != "agent"}
                for one in SESSIONS["sessions"]
                if one["agent"] == agent
            ],
        }
        for agent in ("801", "802", "803")
    ]
    tell(client, system, nested)
    assert tuple(calls()) == PARTS


# --- One person, two turns ---


def turns(client, account, messages):
    found = in_any_order(client, account, messages)
    ids = set(CallLog.objects.values_list("provider_call_id", flat=True))
    assert CallLog.objects.filter(is_shared=False).count() == 0
    return found, ids


def live(call_id, agent, *steps):
    return [
        {
            "event": event,
            "call_id": call_id,
            "agent": agent,
            "number": "88881601",
            "at": 1767607200 + at,
        }
        for event, at in steps
    ]


def test_a_system_that_names_two_turns_of_an_agent_by_one_id(client, people):
    account = make_account("generic")
    map_to(account, people.alice, "801")
    steps = [("started", 0), ("answered", 5), ("ended", 60)]
    again = [("started", 100), ("answered", 110), ("hold", 120), ("resume", 125), ("ended", 150)]
    messages = live("c-1", "801", *steps, *again)
    found, ids = turns(client, account, messages)
    assert found == {
        (
            ("alice", "COMPLETED", "outbound", 5, 55, 0),
            ("alice", "COMPLETED", "outbound", 10, 35, 5),
        )
    }
    assert ids == {"c-1", "c-1:turn2"}
    forget()
    numbered = [{**said, "sequence": place} for place, said in enumerate(messages)]
    found, _ids = turns(client, account, numbered)
    assert set(CallLog.objects.values_list("missing", flat=True)) == {""}
    forget()
    tell(client, account, *numbered[:3], *numbered[4:])
    assert "events" in CallLog.objects.earliest("start_time").lacks


def test_the_page_of_a_turn_shows_what_was_said_of_it(client, people):
    account = make_account("generic")
    map_to(account, people.alice, "801")
    steps = [("started", 0), ("answered", 5), ("ended", 60), ("started", 100), ("ended", 150)]
    tell(client, account, *live("c-1", "801", *steps))
    first, second = CallLog.objects.order_by("start_time")
    assert (first.events.count(), second.events.count()) == (5, 6)
    shown = [ledger_lines.lines(list(call.events.all())) for call in (first, second)]
    assert [[line.event.kind for line in lines] for lines in shown] == [
        ["started", "answered", "ended"],
        ["noted", "started", "ended"],
    ]
    client.force_login(people.ada)
    assert "Turno" in client.get(f"/calls/{second.call_id}/").content.decode()
    assert "Turno" not in client.get(f"/calls/{first.call_id}/").content.decode()


def aircall(event, at, **data):
    start = 1767607200
    whole = {"id": 812, "direction": "inbound", "raw_digits": "+506 8888 1601", "user": A}
    whole |= {"started_at": start, "answered_at": start + 5}
    return {
        "resource": "call",
        "event": f"call.{event}",
        "timestamp": start + at,
        "data": whole | data,
    }


A, B = {"id": 11, "email": "ana@example.test"}, {"id": 12, "email": "bob@example.test"}


def test_aircall_from_a_to_b_and_back(client, people):
    account = make_account("aircall")
    map_to(account, people.alice, "11")
    map_to(account, people.bob, "12")
    over = {"transferred_by": B, "transferred_to": A, "ended_at": 1767607200 + 135}
    messages = [
        aircall("created", 0, answered_at=None),
        aircall("answered", 5),
        aircall("transferred", 45, transferred_by=A, transferred_to=B),
        aircall("transferred", 75, user=B, transferred_by=B, transferred_to=A),
        aircall("hungup", 135, **over),
        aircall("ended", 165, **over),
    ]
    found, ids = turns(client, account, messages)
    assert found == {
        (
            ("alice", "COMPLETED", "inbound", 5, 40, 0),
            ("bob", "COMPLETED", "inbound", 0, 30, 0),
            ("alice", "COMPLETED", "inbound", 0, 60, 0),
        )
    }
    assert ids == {"812:11", "812:12", "812:11:turn2"}
    assert set(CallLog.objects.values_list("missing", flat=True)) == {""}


def at(seconds):
    return f"2026-01-05T10:{seconds // 60:02}:{seconds % 60:02}Z"


def zoom(side, step, own, other, **times):
    sides = {side: own, "callee" if side == "caller" else "caller": other}
    object_ = {"call_id": "7600000000000000001", **sides}
    object_ |= {
        name: at(value) if isinstance(value, int) else value for name, value in times.items()
    }
    return {"event": f"phone.{side}_{step}", "payload": {"object": object_}}


ANA, BETO = (
    {"extension_number": n, "user_id": f"u-{n}", "phone_number": str(n)} for n in (801, 802)
)
CUSTOMER = {"phone_number": "+50688881601", "connection_type": "pstn_off_net"}


def zoom_turn(own, start, answered, end, **more):
    told = {"ringing_start_time": start, "answer_start_time": answered}
    return [
        zoom("callee", "ringing", own, CUSTOMER, ringing_start_time=start),
        zoom("callee", "answered", own, CUSTOMER, **told),
        zoom("callee", "ended", own, CUSTOMER, call_end_time=end, **told, **more),
    ]


@pytest.fixture
def zoom_account(people):
    account = make_account("zoom", {"history": "no"})
    map_to(account, people.alice, "801")
    map_to(account, people.bob, "802")
    return account


def test_zoom_from_a_to_b_and_back(client, zoom_account):
    messages = [
        *zoom_turn(ANA, 0, 5, 45),
        *zoom_turn(BETO, 45, 50, 80),
        *zoom_turn(ANA, 80, 85, 145),
    ]
    found, ids = turns(client, zoom_account, messages)
    assert found == {
        (
            ("alice", "COMPLETED", "inbound", 5, 40, 0),
            ("bob", "COMPLETED", "inbound", 5, 30, 0),
            ("alice", "COMPLETED", "inbound", 5, 60, 0),
        )
    }
    assert len(ids) == 3


def zoom_history(own, start, answered, end):
    log = {"id": f"log-{start}", "call_id": "7600000000000000001", "result": "answered"}
    log |= {"callee_ext_number": own["extension_number"], "caller_did_number": "+50688881601"}
    log |= {"start_time": at(start), "answer_time": at(answered), "end_time": at(end)}
    return {
        "event": "phone.callee_call_history_completed",
        "payload": {"object": {"call_logs": [log | {"hold_time": "2.0"}]}},
    }


def test_each_turn_has_its_own_record(client, zoom_account):
    messages = [
        *(*zoom_turn(ANA, 0, 5, 45), *zoom_turn(BETO, 45, 50, 80), *zoom_turn(ANA, 80, 85, 145)),
        *(zoom_history(ANA, 0, 5, 46), zoom_history(ANA, 79, 86, 146)),
        zoom_history(BETO, 45, 51, 80),
    ]
    assert in_any_order(client, zoom_account, messages) == {
        (
            ("alice", "COMPLETED", "inbound", 5, 39, 2),
            ("bob", "COMPLETED", "inbound", 6, 27, 2),
            ("alice", "COMPLETED", "inbound", 7, 58, 2),
        )
    }
    assert set(CallLog.objects.values_list("evidence", flat=True)) == {"A"}


# --- Zoom: inside, parked, picked up ---


@pytest.mark.parametrize(
    ("other", "direction"),
    [
        ({"extension_number": 900, "extension_type": "callQueue"}, "internal"),
        ({"extension_id": "e-1", "phone_number": "802"}, "internal"),
        ({"user_id": "u-802", "phone_number": "802"}, "internal"),
        ({"user_id": "u-elsewhere", "phone_number": "+50688881601"}, "outbound"),
        (
            {
                "extension_number": "1",
                "phone_number": "+50688881601",
                "connection_type": "pstn_on_net",
            },
            "outbound",
        ),
        (CUSTOMER, "outbound"),
    ],
)
def test_zooms_inside_is_what_has_an_extension(client, zoom_account, other, direction):
    told = {"ringing_start_time": 0, "answer_start_time": 9, "call_end_time": 110}
    tell(client, zoom_account, zoom("caller", "ended", ANA, other, **told))
    assert calls() == [("alice", "COMPLETED", direction, 9, 101, 0)]


def test_who_parks_a_call_does_not_talk_while_the_caller_waits(client, zoom_account):
    messages = [
        *zoom_turn(ANA, 0, 5, 105),
        zoom("callee", "parked", ANA, CUSTOMER, date_time=45, park_code="*801"),
    ]
    assert in_any_order(client, zoom_account, messages) == {
        (("alice", "COMPLETED", "inbound", 5, 40, 0),)
    }
    failed = zoom("callee", "parked", ANA, CUSTOMER, date_time=45, park_failure_reason="full")
    assert in_any_order(client, zoom_account, [*messages[:3], failed]) == {
        (("alice", "COMPLETED", "inbound", 5, 100, 0),)
    }


def test_a_call_that_another_phone_picked_up_ends_for_the_one_that_rang(client, zoom_account):
    elsewhere = {"ringing_start_time": 0, "call_end_time": 12}
    messages = [
        zoom("callee", "ringing", ANA, CUSTOMER, ringing_start_time=0),
        zoom(
            "callee", "ended", ANA, CUSTOMER, handup_result="Answered by Other Member", **elsewhere
        ),
        *zoom_turn(BETO, 0, 12, 60),
    ]
    assert in_any_order(client, zoom_account, messages) == {
        (
            ("alice", "NO_ANSWER", "inbound", 12, 0, 0),
            ("bob", "COMPLETED", "inbound", 12, 48, 0),
        )
    }


def test_in_zooms_queue_the_answerers_ring_is_right_and_nobody_else_has_the_call(
    client, zoom_account
):
    queue = {"forwarded_by": {"extension_type": "callQueue", "extension_number": 900}}
    messages = [
        zoom("callee", "ringing", ANA, CUSTOMER, ringing_start_time=0, **queue),
        zoom("callee", "ringing", BETO, CUSTOMER, ringing_start_time=4, **queue),
        zoom("callee", "missed", ANA, CUSTOMER, ringing_start_time=0, call_end_time=12, **queue),
        zoom("callee", "answered", BETO, CUSTOMER, answer_start_time=12),
        zoom("callee", "ended", BETO, CUSTOMER, answer_start_time=12, call_end_time=60),
    ]
    assert in_any_order(client, zoom_account, messages) == {
        (("bob", "COMPLETED", "inbound", 8, 48, 0),)
    }


# --- RingCentral ---


@pytest.fixture
def ringcentral(people):
    account = make_account("ringcentral")
    map_to(account, people.alice, "9001")
    map_to(account, people.bob, "9002")
    return account


def test_in_a_queue_only_who_answers_has_the_call(client, ringcentral):
    found = in_any_order(client, ringcentral, inputs("ringcentral-queue"))
    assert found == {(("alice", "COMPLETED", "inbound", 8, 50, 10),)}
    assert CallLog.objects.get().missing == ""


@pytest.mark.parametrize("reason", ["AgentDropped", "Pickup"])
def test_other_reasons_say_as_well_that_the_call_went_on(client, ringcentral, reason):
    text = json.dumps(inputs("ringcentral-queue")).replace("AgentAnswered", reason)
    found = in_any_order(client, ringcentral, json.loads(text))
    assert found == {(("alice", "COMPLETED", "inbound", 8, 50, 10),)}


def without_agent(messages, ending):
    """The caller waits in the queue and nobody takes the call."""
    kept = [one for one in messages if one["body"]["parties"][0]["extensionId"] != "9001"]
    for number, one in enumerate(kept):
        one["body"]["sequence"] = number
    text = json.dumps(kept)
    return json.loads(
        text.replace('"code": "Disconnected"', ending).replace("AgentAnswered", "NoAnswer")
    )


@pytest.mark.parametrize("code", ["Disconnected", "VoiceMail", "VMScreening", "VoiceMailScreening"])
def test_a_call_that_nobody_of_a_queue_takes_is_nobodys_and_is_kept(client, ringcentral, code):
    messages = without_agent(inputs("ringcentral-queue"), f'"code": "{code}"')
    found = in_any_order(client, ringcentral, messages)
    assert found == {(("", "NO_ANSWER", "inbound", 18, 0, 0),)}


def test_between_two_of_us(client, ringcentral):
    found = in_any_order(client, ringcentral, inputs("ringcentral-internal"))
    assert found == {
        (
            ("alice", "COMPLETED", "internal", 6, 9, 4),
            ("bob", "COMPLETED", "internal", 6, 13, 0),
        )
    }


def party_of(seconds, code, reason="", **more):
    instant = f"2026-01-05T10:{seconds // 60:02}:{seconds % 60:02}.000Z"
    party = {
        "id": "p-1",
        "direction": "Inbound",
        "extensionId": "9001",
        "from": {"phoneNumber": "+50688881601"},
        "to": {"extensionId": "9001", "phoneNumber": "101"},
        "status": {"code": code, **({"reason": reason} if reason else {})},
    }
    body = {"telephonySessionId": "s-9", "eventTime": instant, "parties": [party | more]}
    path = "/restapi/v1.0/account/1/telephony/sessions"
    return {"uuid": f"u-{seconds}-{code}", "event": path, "body": body}


def test_a_parked_caller_waits_and_is_not_talked_to(client, ringcentral):
    begun = [party_of(0, "Setup"), party_of(5, "Answered")]
    parked = [*begun, party_of(45, "Parked", park={"id": "*801"}), party_of(105, "Disconnected")]
    assert in_any_order(client, ringcentral, parked) == {
        (("alice", "COMPLETED", "inbound", 5, 40, 0),)
    }
    fetched = [*parked[:3], party_of(75, "Answered"), parked[3]]
    assert in_any_order(client, ringcentral, fetched) == {
        (
            ("alice", "COMPLETED", "inbound", 5, 40, 0),
            ("alice", "COMPLETED", "inbound", 0, 30, 0),
        )
    }


def test_who_fetches_a_parked_call_has_a_call_from_outside(client, ringcentral):
    ends = {"from": {"extensionId": "9002"}, "to": {"phoneNumber": "*801"}, "park": {"id": "801"}}
    own = {"id": "p-2", "extensionId": "9002", "direction": "Outbound", **ends}
    steps = [(60, "Setup"), (61, "Answered"), (90, "Disconnected")]
    messages = [party_of(seconds, code, **own) for seconds, code in steps]
    assert in_any_order(client, ringcentral, messages) == {
        (("bob", "COMPLETED", "inbound", 1, 29, 0),)
    }


@pytest.mark.parametrize(
    ("changes", "name"),
    [({"direction": "Sideways", "extensionId": None}, "direction"), ({}, "sequence")],
)
def test_what_ringcentral_says_in_vain_is_marked(client, ringcentral, changes, name):
    messages = [party_of(0, "Setup", **changes), party_of(5, "Disconnected", "NoAnswer")]
    if not changes:
        messages[0]["body"]["sequence"] = "second"
    tell(client, ringcentral, *messages)
    call = CallLog.objects.get()
    assert (call.status, call.lacks) == ("NO_ANSWER", ["unread"])
    assert RawEvent.objects.filter(outcome=RawEvent.UNKNOWN, note__contains=name).count() == 1


def test_a_call_that_somebody_picked_up_for_another(client, ringcentral):
    messages = [party_of(0, "Setup"), party_of(12, "Disconnected", "Pickup")]
    assert in_any_order(client, ringcentral, messages) == {
        (("alice", "NO_ANSWER", "inbound", 12, 0, 0),)
    }


def test_a_direction_that_is_not_told_follows_from_whose_the_party_is(client, ringcentral):
    messages = [
        party_of(0, "Setup", direction="Sideways"),
        party_of(5, "Answered", direction=None),
        party_of(25, "Disconnected", direction=""),
    ]
    tell(client, ringcentral, *messages)
    assert calls() == [("alice", "COMPLETED", "inbound", 5, 20, 0)]
    assert CallLog.objects.get().lacks == ["unread"]
    assert CallLog.objects.get().phone_e164 == "+50688881601"


def test_a_strangers_call_appears_at_its_end_or_when_that_is_overdue(client, ringcentral, settings):
    messages = [
        party_of(0, "Setup", extensionId="9003"),
        party_of(5, "Answered", extensionId="9003"),
        party_of(25, "Disconnected", extensionId="9003"),
    ]
    tell(client, ringcentral, *messages[:2])
    assert calls() == [] and WaitingFact.objects.count() == 2
    assert intake.record_overdue() == 0
    tell(client, ringcentral, messages[2])
    assert calls() == [("", "COMPLETED", "inbound", 5, 20, 0)]
    assert not WaitingFact.objects.exists()
    forget()
    tell(client, ringcentral, *messages[:2])
    settings.MAX_CALL_SECONDS = 0
    assert intake.record_overdue() == 1
    assert calls() == [("", "IN_PROGRESS", "inbound", 5, None, 0)]
    assert not WaitingFact.objects.exists()


# --- What was recorded before ---


def test_a_call_of_before_keeps_its_key_when_its_messages_come_again(client, people):
    """Its ledger says nothing of turns, and a repeated message adds none."""
    account = make_account("aircall")
    map_to(account, people.alice, "11")
    map_to(account, people.bob, "12")
    over = {"transferred_by": B, "transferred_to": A, "ended_at": 1767607200 + 135}
    messages = [
        aircall("answered", 5),
        aircall("transferred", 45, transferred_by=A, transferred_to=B),
        aircall("transferred", 75, user=B, transferred_by=B, transferred_to=A),
        aircall("hungup", 135, **over),
    ]
    adapter = hooks.adapter_of(account)
    for said in messages:
        events = adapter.parse(Payload(json.dumps(said).encode(), 0))
        of_before = [
            replace(one, data={name: one.data[name] for name in one.data if name != "turn"})
            for one in events
        ]
        intake.record(account, of_before, received=now())
    before = calls()
    tell(client, account, *messages)
    assert (calls(), CallLog.objects.count()) == (before, 2)


# --- Ids that contradict each other ---


def test_a_call_of_two_agents_is_one_call_marked_and_shown(client, people):
    account = make_account("generic")
    map_to(account, people.alice, "801", "ana@example.test")
    map_to(account, people.bob, "802")
    other = {**SUMMARY, "agent": "802", "event": "ended", "at": 1767607311}
    for order in ([SUMMARY, other], [other, SUMMARY]):
        forget()
        tell(client, account, *order)
        call = CallLog.objects.get()
        assert (call.talk_seconds, call.lacks) == (101, ["conflict"])
    client.force_login(people.ada)
    page = client.get(f"/calls/{call.call_id}/").content.decode()
    assert "se contradice" in page and "801" in page
    forget()
    same = {**SUMMARY, "agent": "ana@example.test", "event": "ended", "at": 1767607311}
    tell(client, account, SUMMARY, same)
    assert CallLog.objects.get().lacks == []


def test_a_call_of_twilios_that_came_of_itself(client, people):
    account = make_account("twilio")
    map_to(account, people.alice, "client:ana")
    *_children, parent = inputs("twilio-customer-by-sip")
    tell(client, account, {**parent, "ParentCallSid": parent["CallSid"]})
    call = CallLog.objects.get()
    assert (call.provider_call_id, "conflict" in call.lacks) == (parent["CallSid"], True)
