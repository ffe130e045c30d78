"""FreeSWITCH's records through the hook: whose calls they make, and how many."""

import json
from itertools import permutations
from pathlib import Path

import pytest

from calls.models import CallLog, RawEvent
from tests.support.people import make_pbx
from tests.support.telling import SECRET, T

pytestmark = [pytest.mark.django_db, pytest.mark.once]

RECORDS = Path(__file__).parents[2] / "fixtures" / "freeswitch"
A, B, C, D = ("a" * 36, "b" * 36, "c" * 36, "d" * 36)
CUSTOMER = "50688880109"


@pytest.fixture
def switch(people):
    account = make_pbx(people, "freeswitch")
    account.region = "CR"
    account.add_secret("password", SECRET)
    account.save()
    return account


def sent(client, *records):
    for record in records:
        answer = client.post(
            "/hooks/freeswitch/pbx/",
            data=json.dumps(record),
            content_type="application/json",
            headers={"X-CallManager-Token": SECRET},
        )
        assert answer.status_code == 204
    return list(CallLog.objects.order_by("start_time", "provider_call_id"))


def stored(*names):
    return [json.loads((RECORDS / f"{name}.json").read_text()) for name in names]


def micro(seconds):
    return "0" if seconds is None else str(round((T / 1000 + seconds) * 1_000_000))


def leg(uuid, start, answered, end, *, caller=CUSTOMER, called="5000", bridged=None, **variables):
    """The record of a leg; seconds from T."""
    said = {
        "uuid": uuid,
        "call_uuid": uuid,
        "direction": "inbound",
        "start_uepoch": micro(start),
        "answer_uepoch": micro(answered),
        "bridge_uepoch": micro(bridged),
        "end_uepoch": micro(end),
        "hangup_cause": "NORMAL_CLEARING",
        "hangup_cause_q850": "16",
    }
    profile = {
        "username": variables.get("user_name", ""),
        "caller_id_number": caller,
        "destination_number": called,
    }
    return {"variables": said | variables, "callflow": [{"caller_profile": profile}]}


def brief(call):
    name = call.user.username if call.user else "-"
    return name, call.direction, call.contact_phone, call.status, call.talk_seconds


# --- Ids that contradict the rest -----------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_b_leg_whose_call_is_its_own_belongs_to_whoever_made_it(switch, client, order):
    legs = stored("a", "b")
    calls = sent(client, *(legs[place] for place in order))
    assert [brief(call) for call in calls] == [
        ("alice", "internal", "1002", "COMPLETED", 60),
        ("bob", "internal", "1001", "COMPLETED", 60),
    ]
    assert len({call.conversation for call in calls}) == 1
    assert all(call.is_shared and call.missing == "" for call in CallLog.objects.all())


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_call_through_a_gateway_is_one(switch, client, order):
    legs = stored("out-a", "out-b")
    (call,) = sent(client, *(legs[place] for place in order))
    assert brief(call) == ("alice", "outbound", CUSTOMER, "COMPLETED", 60)
    assert (call.evidence, call.missing) == ("A", "")


def test_without_who_made_it_a_leg_belongs_to_whom_it_was_bridged_with(switch, client):
    """The B leg's own id as its call, no maker, and only the bridge says that A called it."""
    first, second = stored("a", "b")
    del second["variables"]["originating_leg_uuid"]
    calls = sent(client, second, first)
    assert [brief(call)[:3] for call in calls] == [
        ("alice", "internal", "1002"),
        ("bob", "internal", "1001"),
    ]
    assert len({call.conversation for call in calls}) == 1


def test_an_incoming_call_whose_b_leg_names_its_own_call_is_one(switch, client):
    callers = leg(A, 0, 1, 60, bridged=9, bridge_uuid=B, bridge_channel="sofia/internal/1002@x")
    bobs = leg(
        B, 2, 9, 60, bridged=9, direction="outbound", dialed_user="1002", hold_accum_ms="5000"
    )
    bobs["variables"] |= {"originating_leg_uuid": A, "bridge_uuid": A}
    for order in permutations([callers, bobs]):
        CallLog.objects.all().delete()
        RawEvent.objects.all().delete()
        (call,) = sent(client, *order)
        assert brief(call) == ("bob", "inbound", CUSTOMER, "COMPLETED", 46)
        assert (call.ring_seconds, call.hold_seconds, call.missing) == (7, 5, "")


def test_a_missed_call_whose_call_is_the_phone_that_rang_is_kept(switch, client):
    callers = leg(A, 0, None, 20, call_uuid=B, hangup_cause="ORIGINATOR_CANCEL")
    (call,) = sent(client, callers)
    assert brief(call) == ("-", "inbound", CUSTOMER, "NO_ANSWER", 0)


def test_a_gateway_s_leg_that_lacks_who_made_it_makes_no_second_call(switch, client):
    first, second = stored("out-a", "out-b")
    del second["variables"]["originating_leg_uuid"]
    for order in permutations([first, second]):
        CallLog.objects.all().delete()
        RawEvent.objects.all().delete()
        (call,) = sent(client, *order)
        assert brief(call) == ("alice", "outbound", CUSTOMER, "COMPLETED", 60)


def test_ids_that_nothing_settles_are_shown_and_make_one_call(switch, client):
    callers = leg(A, 0, 1, 60, bridged=9, bridge_uuid=B, bridge_channel="sofia/internal/1002@x")
    bobs = leg(B, 2, 9, 60, direction="outbound", dialed_user="1002", call_uuid=C, bridged=9)
    bobs["variables"] |= {"originating_leg_uuid": D, "bridge_uuid": A}
    calls = sent(client, bobs, callers)
    assert [brief(call) for call in calls] == [("bob", "inbound", CUSTOMER, "COMPLETED", 51)]
    assert calls[0].lacks == ["conflict"]
    (kept,) = RawEvent.objects.exclude(outcome=RawEvent.TAKEN)
    assert kept.outcome == RawEvent.UNKNOWN and "contradictory ids" in kept.note


# --- Click to call --------------------------------------------------------------------------------


def clicked(**variables):
    """A program makes 1001's phone ring, which picks up after 3 s; then the customer's rings."""
    found = {
        "direction": "outbound",
        "bridge_uuid": B,
        "bridge_channel": f"sofia/external/{CUSTOMER}@10.9.9.9",
        "originate_disposition": "SUCCESS",
    }
    return leg(A, 0, 3, 60, bridged=12, caller="1001", called=CUSTOMER, **found | variables)


def customers(**variables):
    found = {"direction": "outbound", "call_uuid": A, "originating_leg_uuid": A, "bridge_uuid": A}
    said = found | {"sip_to_user": CUSTOMER, "sip_gateway_name": "itsp"} | variables
    return leg(B, 3.1, 12, 60, bridged=12, caller="50640000100", called=CUSTOMER, **said)


@pytest.mark.parametrize("agent", [{"dialed_user": "1001"}, {"sip_to_user": "1001"}])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_click_to_call_is_one_call_of_the_agent(switch, client, agent, reverse):
    legs = [clicked(**agent), customers()]
    (call,) = sent(client, *(reversed(legs) if reverse else legs))
    assert brief(call) == ("alice", "outbound", CUSTOMER, "COMPLETED", 48)
    assert (call.ring_seconds, call.missing) == (9, "")


def test_a_click_to_call_that_the_program_bridges_by_itself(switch, client):
    """`originate user/1001 &bridge(...)`: the profile names the agent's own phone only."""
    legs = [
        clicked(dialed_user="1001", originated_legs=f"{B};Outbound Call;{CUSTOMER}"),
        customers(),
    ]
    legs[0]["callflow"][0]["caller_profile"]["destination_number"] = "1001"
    (call,) = sent(client, *legs)
    assert brief(call) == ("alice", "outbound", CUSTOMER, "COMPLETED", 48)


def test_a_click_to_call_to_a_colleague_is_a_part_of_each(switch, client):
    alices = clicked(dialed_user="1001", bridge_channel="sofia/internal/1002@10.0.0.9:5060")
    alices["callflow"][0]["caller_profile"]["destination_number"] = "1002"
    bobs = customers(dialed_user="1002", sip_to_user="1002", sip_gateway_name="")
    bobs["callflow"][0]["caller_profile"] |= {"caller_id_number": "1001"}
    assert [brief(call)[:3] for call in sent(client, alices, bobs)] == [
        ("alice", "internal", "1002"),
        ("bob", "internal", "1001"),
    ]


def test_an_agent_who_does_not_pick_up_a_click_to_call_has_called_nobody(switch, client):
    own = leg(A, 0, None, 20, caller="1001", called=CUSTOMER, direction="outbound")
    own["variables"] |= {"dialed_user": "1001", "hangup_cause": "NO_ANSWER"}
    (call,) = sent(client, own)
    assert brief(call) == ("alice", "outbound", CUSTOMER, "NO_ANSWER", 0)


def test_a_customer_who_does_not_answer_a_click_to_call(switch, client):
    own = clicked(dialed_user="1001", originate_disposition="USER_BUSY", bridge_uuid="")
    own["variables"] |= {"bridge_uepoch": "0", "bridge_channel": ""}
    (call,) = sent(client, own)
    assert brief(call) == ("alice", "outbound", CUSTOMER, "NO_ANSWER", 0)
    assert (call.end_reason, call.ring_seconds) == ("busy", 57)


def test_a_dialer_that_calls_the_customer_first(switch, client):
    first = leg(
        A, 0, 8, 60, bridged=15, called=CUSTOMER, caller="50640000100", direction="outbound"
    )
    first["variables"] |= {"sip_gateway_name": "itsp", "sip_to_user": CUSTOMER, "bridge_uuid": B}
    first["variables"] |= {"bridge_channel": "sofia/internal/1001@10.0.0.9"}
    second = leg(B, 9, 15, 60, bridged=15, direction="outbound", dialed_user="1001", call_uuid=A)
    second["variables"] |= {"originating_leg_uuid": A, "bridge_uuid": A}
    (call,) = sent(client, first, second)
    assert brief(call)[0] == "alice" and brief(call)[2:] == (CUSTOMER, "COMPLETED", 45)


def test_an_agent_of_a_queue_is_called_apart_for_its_caller(switch, client):
    """mod_callcenter: no leg made the agent's, which says for whom it was called."""
    callers = leg(A, 0, 1, 60, bridged=30, bridge_uuid=B, bridge_channel="sofia/internal/1002@x")
    callers["variables"] |= {"last_app": "callcenter", "cc_side": "member"}
    bobs = leg(B, 25, 30, 60, bridged=30, direction="outbound", dialed_user="1002", called="1002")
    bobs["variables"] |= {"cc_side": "agent", "cc_member_session_uuid": A, "bridge_uuid": A}
    (call,) = sent(client, bobs, callers)
    assert brief(call) == ("bob", "inbound", CUSTOMER, "COMPLETED", 30)
    assert call.ring_seconds == 5


def test_a_call_from_outside_that_is_sent_out_again_is_one_call_of_nobody(switch, client):
    callers = leg(A, 0, 9, 60, bridged=9, bridge_uuid=B)
    callers["variables"] |= {"bridge_channel": "sofia/gateway/itsp/50670000001"}
    out = leg(B, 1, 9, 60, bridged=9, direction="outbound", call_uuid=A, called="50670000001")
    out["variables"] |= {"originating_leg_uuid": A, "sip_gateway_name": "itsp"}
    out["callflow"][0]["caller_profile"]["username"] = CUSTOMER
    for order in permutations([callers, out]):
        CallLog.objects.all().delete()
        RawEvent.objects.all().delete()
        (call,) = sent(client, *order)
        assert brief(call) == ("-", "inbound", CUSTOMER, "COMPLETED", 51)


# --- Parking, picking up, rooms -------------------------------------------------------------------


def parked():
    """Alice answers the customer, parks the call after 20 s; Bob fetches it at 50 s until 90 s."""
    callers = leg(A, 0, 1, 90, bridged=50, bridge_uuid=C, bridge_channel="sofia/internal/1002@x")
    alices = leg(B, 2, 5, 25, bridged=5, direction="outbound", dialed_user="1001", call_uuid=A)
    alices["variables"] |= {"originating_leg_uuid": A, "bridge_uuid": A}
    alices["variables"] |= {"hangup_cause": "BLIND_TRANSFER"}
    bobs = leg(C, 50, 50, 90, bridged=50, caller="1002", called="6001", user_name="1002")
    bobs["variables"] |= {"last_app": "valet_park", "last_arg": "lot 6001", "bridge_uuid": A}
    bobs["variables"] |= {"last_sent_callee_id_number": CUSTOMER}
    return callers, alices, bobs


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_parked_call_ends_for_who_parks_and_is_incoming_for_who_fetches(switch, client, order):
    legs = parked()
    calls = sent(client, *(legs[place] for place in order))
    assert [brief(call) for call in calls] == [
        ("alice", "inbound", CUSTOMER, "COMPLETED", 20),
        ("bob", "inbound", CUSTOMER, "COMPLETED", 40),
    ]
    assert len({call.conversation for call in calls}) == 1


def test_a_fetched_call_that_only_the_dialplan_s_extension_tells(switch, client):
    callers, alices, bobs = parked()
    del bobs["variables"]["last_app"], bobs["variables"]["last_arg"]
    ran = [{"app_name": "valet_park", "app_data": "lot 6001"}]
    bobs["callflow"][0]["extension"] = {"name": "fetch", "applications": ran}
    calls = sent(client, bobs, alices, callers)
    assert [brief(call) for call in calls] == [
        ("alice", "inbound", CUSTOMER, "COMPLETED", 20),
        ("bob", "inbound", CUSTOMER, "COMPLETED", 40),
    ]


def test_the_announcement_of_the_place_is_no_call(switch, client):
    own = leg(D, 20, 20, 24, caller="1001", called="5901", user_name="1001", last_app="valet_park")
    assert sent(client, own) == []
    assert RawEvent.objects.get().outcome == RawEvent.IGNORED


@pytest.mark.parametrize("application", ["pickup", "intercept"])
def test_a_call_that_another_picks_up_is_theirs(switch, client, application):
    callers = leg(A, 0, 9, 60, bridged=9, bridge_uuid=C, bridge_channel="sofia/internal/1002@x")
    in_vain = leg(B, 1, None, 9, direction="outbound", dialed_user="1001", call_uuid=A)
    in_vain["variables"] |= {"originating_leg_uuid": A, "hangup_cause": "PICKED_OFF"}
    bobs = leg(C, 8, 9, 60, bridged=9, caller="1002", called="*8", user_name="1002")
    bobs["variables"] |= {"last_app": application, "bridge_uuid": A}
    (call,) = sent(client, bobs, in_vain, callers)
    assert brief(call) == ("bob", "inbound", CUSTOMER, "COMPLETED", 51)


def test_a_room_is_a_call_of_who_dials_it_and_paging_one_of_who_pages(switch, client):
    room = {"last_app": "conference", "last_arg": "3000@default"}
    pages = leg(A, 0, 0.1, 30, caller="1001", called="3000", user_name="1001", **room)
    paged = leg(B, 0.2, 0.4, 30, caller="1001", called="1002", direction="outbound", **room)
    paged["variables"] |= {"dialed_user": "1002", "sip_auto_answer": "true"}
    (call,) = sent(client, pages, paged)
    assert brief(call) == ("alice", "outbound", "3000", "COMPLETED", 29)


# --- Real records ---------------------------------------------------------------------------------

REAL = [json.loads(line) for line in (RECORDS / "real.jsonl").read_text().splitlines()]
TRUTH = [json.loads(line) for line in (RECORDS / "truth.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("truth", TRUTH, ids=lambda truth: truth["scenario"])
def test_real_records_agree_with_the_phones(switch, client, truth):
    records = [one["record"] for one in REAL if one["scenario"] == truth["scenario"]]
    (call,) = [call for call in sent(client, *records) if call.user.username == "alice"]
    hold, answered = truth.get("hold", 0), "answered" in truth["result"]
    assert call.contact_phone == truth["callee"]
    assert (call.status == "COMPLETED") is answered
    # Cut to whole seconds; a hold, as FreeSWITCH adds it up, lasts until the music has stopped.
    assert call.talk_seconds == pytest.approx(truth["talk"] - hold, abs=1.25)
    assert call.hold_seconds == pytest.approx(hold, abs=1)
    assert call.ring_seconds == pytest.approx(truth.get("ring", 0), abs=1)
    assert call.missing == ""


# --- What FreeSWITCH itself does ------------------------------------------------------------------


def test_what_freeswitch_waits_before_it_takes_a_call_back_is_no_hold(switch, client):
    """It waits 250 ms at the end of each hold that a phone pressed, and counts them."""
    holds = ",".join(f"{{{micro(20 + n * 2)},{micro(21 + n * 2)}}}" for n in range(8))
    alices = leg(A, 0, 5, 60, caller="1001", called=CUSTOMER, bridged=5, user_name="1001")
    alices["variables"] |= {"hold_accum_ms": "8000", "hold_events": f"{{{holds}}}"}
    (call,) = sent(client, alices)
    assert (call.hold_seconds, call.talk_seconds) == (6, 49)


def test_half_of_a_loopback_is_no_call(switch, client):
    half = leg(B, 0, 5, 60, called="1002", bridged=5, channel_name="loopback/1002-a")
    half["variables"] |= {"direction": "outbound", "originating_leg_uuid": A}
    assert sent(client, half) == []


@pytest.mark.parametrize(("bye", "who"), [("recv_bye", "agent"), ("send_bye", "remote")])
def test_who_hung_up_is_told_by_the_agents_own_leg(switch, client, bye, who):
    alices = leg(A, 0, 5, 60, caller="1001", called=CUSTOMER, bridged=5, user_name="1001")
    alices["variables"]["sip_hangup_disposition"] = bye
    (call,) = sent(client, alices)
    assert (call.status, call.end_reason) == ("COMPLETED", f"{who}_hangup")
