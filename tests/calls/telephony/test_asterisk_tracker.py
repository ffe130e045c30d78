"""What Asterisk's events come to: real streams to the millisecond, and composed ones."""

import os
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls.providers.asterisk.dialplan import Dialplan
from calls.providers.asterisk.tracker import Tracker
from calls.simulation.asterisk.events import GREETING
from tests.support.asterisk import (
    T,
    cdr_rows,
    events_of,
    exchange,
    folded,
    messages,
    parts,
    stream,
    tracker,
    truths,
)
from tests.support.server import ROOT

NUMBER = "34600000001"
TOLERANCE = 0.05  # seconds between the phones' own clocks and the server's

# The real streams: (agent's part, direction, number, status, reason), and which CDR column is our
# whole duration. Click to call: the CDR's duration begins with the agent's own phone ringing, its
# billsec with the agent picking up, and only then the other side rings: our ring and call begin.
REAL: dict[str, tuple[str, ...]] = {
    "01-answered-hold": ("1001", "internal", "1002", "COMPLETED", "agent_hangup", "duration"),
    "03-no-answer": ("1001", "internal", "1004", "NO_ANSWER", "", "duration"),
    "04-busy": ("1001", "internal", "1002", "NO_ANSWER", "busy", "duration"),
    "11-originate-click-to-call": (
        *("1001", "internal", "1002", "COMPLETED", "agent_hangup", "billsec"),
    ),
    "17-outbound-trunk": (
        *("1001", "outbound", "15551234567", "COMPLETED", "agent_hangup", "duration"),
    ),
}


@pytest.mark.parametrize("scenario", REAL)
def test_a_real_stream_agrees_with_the_phones_and_with_the_cdr(scenario):
    truth, (agent, direction, number, status, reason, column) = truths()[scenario], REAL[scenario]
    caller = parts(events_of(stream(scenario)))[0]
    assert (caller.agent, caller.direction, caller.number) == (agent, direction, number)
    assert (caller.status, caller.reason, caller.missing) == (status, reason, ())
    assert caller.agent == truth["caller"] and caller.number == truth["callee"]

    if "ring" in truth:
        assert caller.ring == pytest.approx(truth["ring"], abs=TOLERANCE)
    assert caller.connected == pytest.approx(truth["talk"], abs=TOLERANCE)
    assert caller.hold == pytest.approx(truth.get("hold", 0), abs=TOLERANCE)
    assert caller.talk == pytest.approx(truth["talk"] - truth.get("hold", 0), abs=TOLERANCE)

    row = cdr_rows(scenario)[0]
    assert caller.state.duration // 1000 == int(row[column])
    if column == "duration":
        assert int(caller.connected) == int(row["billsec"])


def test_both_agents_of_an_internal_call_have_their_part():
    caller, callee = parts(events_of(stream("01-answered-hold")))
    assert (callee.agent, callee.direction, callee.number) == ("1002", "internal", "1001")
    assert caller.conversation == callee.conversation == "1795411340.78"
    assert (callee.connected, callee.hold) == (caller.connected, 2.5)
    assert (caller.reason, callee.reason) == ("agent_hangup", "remote_hangup")


def test_the_documented_example_to_the_millisecond():
    """Agent 1001 calls 34600000001: ring 9.000, connected 101.400, hold 12.500, talk 88.900."""
    pbx = exchange()
    agent = pbx.call("1001", "34600000001")
    trunk = pbx.dial(agent, "trunk", "34600000001@trunk")
    pbx.now = round((T + 9) * 1e6) - 100
    pbx.answer(agent, trunk)
    pbx.now = round((T + 40) * 1e6)
    pbx.hold(agent)
    pbx.now = round((T + 52.5) * 1e6)
    pbx.unhold(agent)
    pbx.now = round((T + 110.4) * 1e6) - 200
    pbx.hang_up(trunk)
    pbx.wait(0.01)
    pbx.hang_up(agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.ring, part.connected, part.hold, part.talk) == (9.0, 101.4, 12.5, 88.9)
    assert (part.status, part.reason, part.state.duration) == (
        *("COMPLETED", "remote_hangup", 110_400),
    )


# --- Composed: one call ---------------------------------------------------------------------------


def outbound(pbx, number=NUMBER):
    agent = pbx.call("1001", f"9{number}")
    return agent, pbx.dial(agent, "trunk", f"{number}@trunk")


def near(seconds):
    return pytest.approx(seconds, abs=0.01)


def test_the_other_side_holds():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.wait(2)
    pbx.answer(agent, remote)
    pbx.wait(5)
    pbx.hold(remote)
    pbx.wait(3)
    pbx.unhold(remote)
    pbx.wait(4)
    pbx.hang_up(remote, agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.ring, part.connected, part.hold, part.talk) == (
        *(near(2), near(12), near(3), near(9)),
    )


def test_both_hold_and_the_overlap_counts_once():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.answer(agent, remote)
    pbx.hold(agent)
    pbx.wait(3)
    pbx.hold(remote)
    pbx.wait(3)
    pbx.unhold(agent)
    pbx.wait(3)
    pbx.unhold(remote)
    pbx.wait(1)
    pbx.hang_up(agent, remote)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.hold, part.talk) == (near(9), near(1))


def test_a_call_may_end_while_on_hold():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.answer(agent, remote)
    pbx.wait(4)
    pbx.hold(agent)
    pbx.wait(6)
    pbx.hang_up(remote, agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.hold, part.talk, part.status) == (near(6), near(4), "COMPLETED")


@pytest.mark.parametrize(
    ("status", "cause", "own", "expected"),
    [
        ("BUSY", 17, 17, ("NO_ANSWER", "busy")),
        ("CONGESTION", 34, 34, ("FAILED", "congestion")),
        ("NOANSWER", 1, 1, ("FAILED", "invalid_number")),  # 404: only the cause tells
        ("CHANUNAVAIL", 20, 20, ("NO_ANSWER", "")),
        ("CHANUNAVAIL", 0, 0, ("FAILED", "network")),
        ("NOANSWER", 21, 16, ("NO_ANSWER", "rejected")),
        ("NOANSWER", 0, 16, ("NO_ANSWER", "")),
        ("CANCEL", 0, 127, ("NO_ANSWER", "cancelled")),
    ],
)
def test_a_call_that_nobody_answers(status, cause, own, expected):
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.wait(7)
    pbx.fail(agent, remote, status, cause)
    pbx.wait(4)  # of busy tone
    pbx.leave(agent, cause=own)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.status, part.reason) == expected
    assert (part.ring, part.connected, part.talk) == (near(7), 0, 0)


def test_a_line_that_breaks_is_a_dropped_call():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.answer(agent, remote)
    pbx.wait(20)
    pbx.leave(remote, cause=38)
    pbx.leave(agent, cause=16)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.status, part.reason, part.talk) == ("DROPPED", "network", near(20))


def test_an_agent_who_never_picks_up_the_own_phone_has_called_nobody():
    pbx = exchange()
    agent = pbx.originate("1001", "34600000001")
    pbx.wait(20)
    pbx.leave(agent, cause=19)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.status, part.talk) == ("1001", "NO_ANSWER", 0)


def test_a_call_we_placed_to_a_phone_that_is_not_there_has_failed():
    pbx = exchange()
    said = {"Response": "Failure", "Channel": "PJSIP/1001", "Exten": NUMBER, "Reason": "0"}
    pbx.event("OriginateResponse", {"ActionID": "callmanager-1", "Uniqueid": "<null>"} | said)
    pbx.event("OriginateResponse", {"ActionID": "of-another", "Uniqueid": "<null>"} | said)
    (event,) = events_of(pbx.stream())
    assert (event.call, event.agents, event.number) == ("callmanager-1", ("1001",), NUMBER)
    assert (event.kind, event.data["status"]) == ("ended", "FAILED")


def test_a_program_that_calls_by_way_of_a_local_channel():
    """As FreePBX does it: one half makes the agent's phone ring, the other dials the number."""
    pbx = exchange()
    one = pbx.new_channel("Local/1001@from-internal-00000001;1", "1001", NUMBER)
    two = pbx.new_channel("Local/1001@from-internal-00000001;2", "1001", "1001", one.linkedid)
    for half in (one, two):
        pbx.event("Newchannel", half.block())
    pbx.event("DialBegin", one.block("Dest") | {"DialString": "1001@from-internal"})
    agent = pbx.dial(two, "1001")
    pbx.wait(4)
    pbx.answer(two, agent)
    pbx.event("DialEnd", one.block("Dest") | {"DialStatus": "ANSWER"})
    remote = pbx.dial(one, "trunk", f"{NUMBER}@trunk")
    pbx.wait(6)
    pbx.answer(one, remote)
    pbx.wait(30)
    pbx.hang_up(remote, one, two, agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.direction, part.number) == ("1001", "outbound", NUMBER)
    assert (part.ring, part.talk, part.status) == (near(6), near(30), "COMPLETED")


def test_voicemail_answers_by_itself():
    pbx = exchange()
    agent = pbx.call("1001", "*97")
    pbx.go_up(agent)
    pbx.wait(15)
    pbx.hang_up(agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.number, part.status, part.talk) == ("*97", "COMPLETED", near(15))


def test_two_calls_at_once_are_two_calls():
    pbx = exchange()
    one, customer = outbound(pbx)
    pbx.answer(one, customer)
    pbx.wait(5)
    trunk = pbx.call("trunk", "1001", "34600000002")
    two = pbx.dial(trunk, "1001")
    pbx.wait(3)
    pbx.hold(one)
    pbx.answer(trunk, two)
    pbx.wait(10)
    pbx.hang_up(trunk, two)
    pbx.unhold(one)
    pbx.wait(2)
    pbx.hang_up(customer, one)
    first, second = parts(events_of(pbx.stream()))
    assert (first.number, first.direction) == ("34600000001", "outbound")
    assert (first.connected, first.hold, first.talk) == (near(20), near(10), near(10))
    assert (second.number, second.direction) == ("34600000002", "inbound")
    assert (second.ring, second.hold, second.talk) == (near(3), 0, near(10))
    assert first.conversation != second.conversation


# --- Inbound, groups, queues ----------------------------------------------------------------------


def test_inbound_by_trunk():
    pbx = exchange()
    trunk = pbx.call("trunk", "1001", "34600000009")
    agent = pbx.dial(trunk, "1001")
    pbx.wait(4)
    pbx.answer(trunk, agent)
    pbx.wait(30)
    pbx.hang_up(trunk, agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.direction, part.number) == ("1001", "inbound", "34600000009")
    assert (part.ring, part.talk, part.reason) == (near(4), near(30), "remote_hangup")


@pytest.mark.parametrize(
    ("status", "cause", "reason"),
    [("NOANSWER", 0, ""), ("BUSY", 17, "busy"), ("CANCEL", 0, "cancelled")],
)
def test_a_call_to_one_agent_that_is_missed_is_that_agents(status, cause, reason):
    pbx = exchange()
    trunk = pbx.call("trunk", "1001", "34600000009")
    agent = pbx.dial(trunk, "1001")
    pbx.wait(12)
    pbx.fail(trunk, agent, status, cause)
    pbx.wait(8)  # of voicemail
    pbx.leave(trunk)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.status, part.reason) == ("1001", "NO_ANSWER", reason)
    assert part.ring == near(12)


def test_of_a_ringing_group_who_answers_has_the_call():
    pbx = exchange()
    trunk = pbx.call("trunk", "600", "34600000009")
    one, two = pbx.dial(trunk, "1001"), pbx.dial(trunk, "1002")
    pbx.wait(5)
    pbx.answer(trunk, two)
    pbx.fail(trunk, one, "CANCEL", 26)
    pbx.wait(9)
    pbx.hang_up(two, trunk)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.talk) == ("1002", near(9))


def test_hunted_one_after_the_other_who_answers_has_the_call():
    pbx = exchange()
    trunk = pbx.call("trunk", "600", "34600000009")
    one = pbx.dial(trunk, "1001")
    pbx.wait(10)
    pbx.fail(trunk, one, "NOANSWER")
    two = pbx.dial(trunk, "1002")
    pbx.wait(2)
    pbx.answer(trunk, two)
    pbx.wait(9)
    pbx.hang_up(two, trunk)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.ring, part.talk) == ("1002", near(2), near(9))


def test_a_group_that_rings_in_vain_leaves_a_call_without_an_agent():
    pbx = exchange()
    trunk = pbx.call("trunk", "600", "34600000009")
    one, two = pbx.dial(trunk, "1001"), pbx.dial(trunk, "1002")
    pbx.wait(15)
    pbx.fail(trunk, one, "NOANSWER")
    pbx.fail(trunk, two, "NOANSWER")
    pbx.leave(trunk)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.direction, part.number) == ("", "inbound", "34600000009")
    assert (part.status, part.ring) == ("NO_ANSWER", near(15))


def queue_call(pbx):
    trunk = pbx.call("trunk", "600", "34600000009")
    pbx.wait(1)
    pbx.join_queue(trunk)
    return trunk


def test_of_a_queue_who_answers_has_the_call():
    pbx = exchange()
    trunk = queue_call(pbx)
    tried = pbx.dial(trunk, "1001")
    pbx.wait(15)
    pbx.fail(trunk, tried, "NOANSWER")
    pbx.wait(5)
    agent = pbx.dial(trunk, "1002")
    pbx.wait(3)
    pbx.answer(trunk, agent)
    pbx.leave_queue(trunk)
    pbx.wait(40)
    pbx.hang_up(trunk, agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.direction, part.number) == ("1002", "inbound", "34600000009")
    assert (part.status, part.ring, part.talk) == ("COMPLETED", near(3), near(40))


@pytest.mark.parametrize("members", [(), ("1001",), ("1001", "1002")])
def test_a_queue_that_is_abandoned_leaves_a_call_without_an_agent(members):
    pbx = exchange()
    trunk = queue_call(pbx)
    rung = [pbx.dial(trunk, member) for member in members]
    pbx.wait(20)
    pbx.event("HangupRequest", trunk.block() | {"Cause": "16"})
    pbx.leave_queue(trunk, abandons=True)
    for leg in rung:
        pbx.fail(trunk, leg, "CANCEL")
    pbx.leave(trunk)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.status, part.reason) == ("", "NO_ANSWER", "cancelled")
    assert (part.ring, part.number) == (near(21), "34600000009")


def test_queue_members_behind_local_channels():
    """As FreePBX rings them: the queue dials Local channels, which dial the phones."""
    pbx = exchange()
    trunk = queue_call(pbx)
    near_half = pbx.dial(trunk, "Local/1001@from-queue-00000001;1", "1001@from-queue/n")
    far_half = pbx.new_channel("Local/1001@from-queue-00000001;2", "34600000009", "1001")
    far_half.linkedid = trunk.linkedid
    pbx.event("Newchannel", far_half.block())
    agent = pbx.dial(far_half, "1001")
    pbx.wait(6)
    pbx.answer(far_half, agent)
    pbx.answer(trunk, near_half)
    pbx.leave_queue(trunk)
    pbx.wait(12)
    pbx.hang_up(trunk, near_half, far_half, agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.direction, part.number) == ("1001", "inbound", "34600000009")
    assert (part.ring, part.talk) == (near(6), near(12))


def test_an_agent_who_waits_in_a_queue_in_vain_waited_to_the_end():
    pbx = exchange()
    agent = pbx.call("1001", "600")
    pbx.join_queue(agent)
    member = pbx.dial(agent, "1002")
    pbx.wait(10)
    pbx.fail(agent, member, "NOANSWER")
    pbx.wait(10)
    pbx.leave_queue(agent, abandons=True)
    pbx.hang_up(agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.number, part.status) == ("1001", "600", "NO_ANSWER")
    assert (part.ring, part.talk) == (near(20), 0)


# --- Transfers ------------------------------------------------------------------------------------


def inbound(pbx, agent="1001"):
    trunk = pbx.call("trunk", agent, "34600000009")
    leg = pbx.dial(trunk, agent)
    pbx.wait(2)
    pbx.answer(trunk, leg)
    return trunk, leg


def test_a_blind_transfer_credits_each_agent_with_the_own_part():
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    pbx.transfer_blind(one, trunk, "1002")
    two = pbx.dial(trunk, "1002")
    pbx.wait(4)
    pbx.answer(trunk, two)
    pbx.wait(25)
    pbx.hang_up(trunk, two)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.status, first.talk) == ("1001", "COMPLETED", near(10))
    assert (second.agent, second.ring, second.talk) == ("1002", near(4), near(25))
    assert second.number == "34600000009" and second.direction == "inbound"
    assert first.conversation == second.conversation


def test_a_blind_transfer_nobody_answers_is_missed_by_whom_it_was_for():
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    pbx.transfer_blind(one, trunk, "1002")
    two = pbx.dial(trunk, "1002")
    pbx.wait(20)
    pbx.fail(trunk, two, "NOANSWER")
    pbx.leave(trunk)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.status) == ("1001", "COMPLETED")
    assert (second.agent, second.status, second.ring) == ("1002", "NO_ANSWER", near(20))


def test_an_attended_transfer_is_one_conversation():
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    pbx.hold(one)
    asking = pbx.call("1001", "1002")
    two = pbx.dial(asking, "1002")
    pbx.wait(3)
    pbx.answer(asking, two)
    pbx.wait(6)
    pbx.transfer_attended(one, asking, trunk, two)
    pbx.wait(30)
    pbx.hang_up(trunk, two)
    first, consultation, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.status) == ("1001", "COMPLETED")
    assert (first.connected, first.hold, first.talk) == (near(19), near(9), near(10))
    assert (consultation.agent, consultation.number) == ("1001", "1002")
    assert (consultation.ring, consultation.talk) == (near(3), near(6))
    assert (second.agent, second.ring, second.talk) == ("1002", near(3), near(36))
    assert {first.conversation, second.conversation, consultation.conversation} == {trunk.linkedid}


def test_a_transfer_by_keys_goes_over_a_local_channel():
    """As Asterisk's own feature does it: the agent asks on the same leg, a Local channel dials the
    other, and goes once the two are together."""
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    near_half = pbx.new_channel("Local/1002@office-00000001;1", "1002", "1002", trunk.linkedid)
    far_half = pbx.new_channel("Local/1002@office-00000001;2", "1001", "1002", trunk.linkedid)
    pbx.event("Newchannel", near_half.block())
    pbx.event("Newchannel", far_half.block())
    two = pbx.dial(far_half, "1002")
    pbx.wait(3)
    pbx.answer(far_half, two)
    pbx.bridge(one, near_half)
    pbx.wait(6)
    same = one.block("OrigTransferer") | one.block("SecondTransferer")
    pbx.event("AttendedTransfer", {"Result": "Success", "DestType": "Bridge"} | same)
    pbx.enter(trunk, two.bridge)
    pbx.leave(one)
    pbx.leave(near_half)
    pbx.leave(far_half)
    pbx.wait(30)
    pbx.hang_up(trunk, two)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.status, first.talk) == ("1001", "COMPLETED", near(19))
    assert (second.agent, second.ring, second.talk) == ("1002", near(3), near(36))
    assert first.conversation == second.conversation


def test_who_stays_in_a_bridge_is_not_alone_though_no_event_names_the_other():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.answer(agent, remote)
    pbx.wait(5)
    pbx.leave(remote)  # its place was taken without a word
    pbx.wait(20)
    pbx.hang_up(agent)
    (part,) = parts(events_of(pbx.stream()))
    assert part.talk == near(25)


# --- Gaps -----------------------------------------------------------------------------------------


def test_a_connection_lost_in_mid_call_marks_the_gap_and_invents_no_end():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.wait(2)
    pbx.answer(agent, remote)
    before, since = pbx.stream(), len(pbx.sent)
    pbx.wait(30)
    listed = b"".join(pbx.list_channels())
    again = GREETING + listed
    back = T * 1000 + 32_000
    follower = tracker()
    first = events_of(GREETING + before, follower)
    second = events_of(again, follower, received=back)
    (gap,) = second
    assert (gap.kind, gap.data["gap"]) == ("noted", [pytest.approx(T * 1000 + 2000, abs=5), back])
    pbx.wait(8)
    pbx.hang_up(agent, remote)
    third = events_of(pbx.stream(since), follower)
    (part,) = parts(first + second + third)
    assert (part.status, part.connected, part.missing) == ("COMPLETED", near(38), ("gap",))


def test_a_call_that_ended_in_the_gap_stays_open_and_is_marked():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.wait(2)
    pbx.answer(agent, remote)
    before = pbx.stream()
    pbx.wait(10)
    pbx.hang_up(agent, remote)
    follower = tracker()
    heard = events_of(GREETING + before, follower)
    heard += events_of(
        GREETING + b"".join(pbx.list_channels()), follower, received=T * 1000 + 60_000
    )
    (part,) = parts(heard)
    assert (part.status, part.state.end) == ("IN_PROGRESS", None)
    (mark,) = [event for event in heard if event.kind == "noted"]
    assert mark.data["gone"] is True and mark.data["gap"][1] == T * 1000 + 60_000
    assert follower.running == []


def test_calls_that_began_in_the_gap_are_taken_up():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.wait(5)
    pbx.answer(agent, remote)
    pbx.wait(5)
    follower, since = tracker(), len(pbx.sent)
    heard = events_of(GREETING + b"".join(pbx.list_channels()), follower, received=pbx.now // 1000)
    assert follower.running == [agent.uniqueid]
    pbx.wait(20)
    pbx.hang_up(agent, remote)
    heard += events_of(pbx.stream(since), follower)
    (part,) = parts(heard)
    assert (part.agent, part.direction, part.status) == ("1001", "outbound", "COMPLETED")
    assert (part.state.duration, part.missing) == (pytest.approx(30_000, abs=1100), ("gap",))
    assert part.connected == near(20)  # answered at the latest when we saw them talking


def test_calls_of_an_earlier_process_that_are_gone_are_marked():
    follower = tracker()
    follower.expect(["1767607200.7"], since=T * 1000)
    heard = events_of(
        GREETING + b"".join(exchange().list_channels()), follower, received=T * 1000 + 9000
    )
    (mark,) = heard
    assert (mark.call, mark.kind) == ("1767607200.7", "noted")
    assert mark.data == {"gap": [T * 1000, T * 1000 + 9000], "gone": True}


def test_where_channels_may_not_be_listed_all_that_ran_is_marked():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.answer(agent, remote)
    follower = tracker()
    heard = events_of(GREETING + pbx.stream(), follower)
    follower.lost()
    follower.board.at = T * 1000 + 5000
    heard += follower.unlisted()
    pbx.wait(9)
    since = len(pbx.sent)
    pbx.hang_up(agent, remote)
    heard += events_of(pbx.stream(since), follower)
    (part,) = parts(heard)
    assert (part.status, part.missing) == ("COMPLETED", ("gap",))


def test_a_stream_that_breaks_off_leaves_its_calls_open_and_marked():
    pbx = exchange()
    agent, remote = outbound(pbx)
    pbx.answer(agent, remote)
    follower = tracker()
    heard = events_of(GREETING + pbx.stream(), follower) + follower.finish()
    (part,) = parts(heard)
    assert part.status == "IN_PROGRESS" and heard[-1].kind == "noted"


# --- Laws -----------------------------------------------------------------------------------------

SCENARIOS = list(REAL)


@settings(max_examples=30)
@given(st.sampled_from(SCENARIOS), st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_what_was_told_is_the_same_call(
    scenario, chance: random.Random
):
    events = events_of(stream(scenario))
    shuffled = [*events, *chance.choices(events, k=len(events))]
    chance.shuffle(shuffled)
    assert [part.state for part in parts(shuffled)] == [part.state for part in parts(events)]


@settings(max_examples=30)
@given(st.sampled_from(SCENARIOS), st.randoms(use_true_random=False))
def test_messages_that_come_twice_change_nothing(scenario, chance: random.Random):
    doubled = []
    for message in messages(stream(scenario)):
        doubled += [message] * chance.choice([1, 1, 2])
    follower = tracker()
    heard = [event for message in doubled for event in follower.read(message, 0)]
    assert [p.state for p in parts(heard)] == [p.state for p in parts(events_of(stream(scenario)))]


@settings(max_examples=60)
@given(st.sampled_from(SCENARIOS), st.integers(0, 60), st.integers(0, 60))
def test_whatever_is_lost_no_end_is_invented_and_nothing_breaks(scenario, begin, length):
    everything = [one for one in messages(stream(scenario)) if one.event != "VarSet"]
    follower = tracker()
    heard = []
    for message in everything[:begin]:
        heard += follower.read(message, 0)
    follower.lost()
    for message in everything[begin + length :]:
        heard += follower.read(message, 0)
    heard += follower.finish()
    ends = {p.agent: p.state.end for p in parts(events_of(stream(scenario)))}
    by_call = {event.call for event in heard}
    for call in by_call:
        its = [event for event in heard if event.call == call]
        if all(event.kind == "noted" for event in its):
            continue
        state = folded(its)
        assert state.end is None or abs(state.end - ends[its[0].agents[0]]) <= 3


def test_nobody_is_an_agent_but_whom_the_account_names():
    plan = Dialplan(trunks={"2000"}, patterns=("ana", "20??"), known={"maria"})
    names = ["ana", "2001", "2000", "1001", "Maria", ""]
    assert [plan.is_agent(name) for name in names] == [True, True, False, False, True, False]
    events = [
        event
        for one in messages(stream("01-answered-hold"))
        for event in Tracker(plan).read(one, 0)
    ]
    assert events == []


@pytest.mark.parametrize(
    ("dialled", "number"),
    [
        ("15551234567@trunk", "15551234567"),
        ("trunk/15551234567", "15551234567"),
        ("trunk/sip:15551234567@10.0.0.1:5060", "15551234567"),
        ("1002", "1002"),
        ("trunk", ""),
        ("", ""),
    ],
)
def test_the_number_in_a_dial_string(dialled, number):
    assert Dialplan(trunks={"trunk"}).dialled_number(dialled) == number


def test_the_table_of_streams_truth_and_records_agrees():
    command = [sys.executable, "scripts/compare_asterisk.py"]
    plain = {name: it for name, it in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 1 + 5 * len(truths())
