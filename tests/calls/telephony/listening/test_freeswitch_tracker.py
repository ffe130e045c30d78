"""What FreeSWITCH's events come to: real streams beside the phones, and composed ones."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.providers.freeswitch.event_socket.tracker import Tracker
from calls.simulation.freeswitch.wire import ACCEPTED, GREETING, answer_of
from tests.support import freeswitch as play
from tests.support.asterisk import parts
from tests.support.freeswitch import NUMBER, T, events_of, messages, stream, switch, told, truths

# FreeSWITCH's clock moves in steps of 20 ms, and a phone notices later than FreeSWITCH (seconds).
TOLERANCE = 0.03
# Of a refusal FreeSWITCH tells one instant alone, which was before the phone's own.
REFUSED = 0.07
REAL = {
    "01-answered-hold": ("1001", "internal", "1002", "COMPLETED", "agent_hangup"),
    "03-no-answer": ("1001", "internal", "1004", "NO_ANSWER", ""),
    "04-busy": ("1001", "internal", "1002", "NO_ANSWER", "busy"),
    "11-originate-click-to-call": ("1001", "internal", "1002", "COMPLETED", "agent_hangup"),
    "17-outbound-trunk": ("1001", "outbound", "15551234567", "COMPLETED", "agent_hangup"),
}


@pytest.mark.parametrize("scenario", REAL)
def test_a_real_stream_agrees_with_the_phones(scenario):
    truth, caller = truths()[scenario], parts(events_of(stream(scenario)))[0]
    said = (caller.agent, caller.direction, caller.number, caller.status, caller.reason)
    assert (*said, caller.missing) == (*REAL[scenario], ())
    if "ring" in truth:
        near = REFUSED if caller.reason == "busy" else TOLERANCE
        assert caller.ring == pytest.approx(truth["ring"], abs=near)
    assert caller.connected == pytest.approx(truth["talk"], abs=TOLERANCE)
    assert caller.hold == pytest.approx(truth.get("hold", 0), abs=TOLERANCE)
    assert caller.talk == pytest.approx(truth["talk"] - truth.get("hold", 0), abs=TOLERANCE)


def test_the_hold_ends_when_the_phone_takes_the_call_back():
    """FreeSWITCH says so a quarter of a second later, and counts it."""
    for part in parts(events_of(stream("01-answered-hold"))):
        assert part.hold == pytest.approx(truths()["01-answered-hold"]["hold"], abs=0.002)


# By scenario, each part: agent, direction, number, status, reason; ring, connected, hold.
COMPOSED = {
    play.answered: [
        ("1001", "internal", "1002", "COMPLETED", "remote_hangup", 2, 7.5, 2.5),
        ("1002", "internal", "1001", "COMPLETED", "agent_hangup", 2, 7.5, 2.5),
    ],
    play.failed("NORMAL_TEMPORARY_FAILURE"): [
        ("1001", "internal", "1002", "FAILED", "network", 2, 0, 0)
    ],
    play.failed("UNALLOCATED_NUMBER"): [
        ("1001", "internal", "1002", "FAILED", "invalid_number", 2, 0, 0)
    ],
    play.failed("USER_BUSY"): [("1001", "internal", "1002", "NO_ANSWER", "busy", 2, 0, 0)],
    play.failed("NO_ANSWER", "NORMAL_CLEARING"): [
        ("1001", "internal", "1002", "NO_ANSWER", "", 2, 0, 0)
    ],
    play.cancelled: [("1001", "internal", "1002", "NO_ANSWER", "cancelled", 3, 0, 0)],
    play.two_at_once: [
        ("1001", "internal", "1002", "COMPLETED", "agent_hangup", 2, 5, 0),
        ("1002", "internal", "1001", "COMPLETED", "remote_hangup", 2, 5, 0),
        ("1003", "outbound", NUMBER, "COMPLETED", "remote_hangup", 3, 5, 0),
    ],
    play.transferred_by_callee: [
        ("1001", "internal", "1002", "COMPLETED", "remote_hangup", 2, 9, 0),
        ("1002", "internal", "1001", "COMPLETED", "agent_hangup", 2, 3, 0),
        ("1003", "internal", "1001", "COMPLETED", "agent_hangup", 2, 4, 0),
    ],
    play.transferred_by_caller: [
        ("1001", "internal", "1002", "COMPLETED", "agent_hangup", 2, 3, 0),
        ("1002", "internal", "1001", "COMPLETED", "remote_hangup", 2, 9, 0),
        ("1003", "internal", "1001", "COMPLETED", "agent_hangup", 2, 4, 0),
    ],
    play.transferred_attended: [
        ("1001", "inbound", NUMBER, "COMPLETED", "agent_hangup", 2, 7, 4),
        ("1001", "internal", "1002", "COMPLETED", "agent_hangup", 2, 2, 0),
        ("1002", "internal", "1001", "COMPLETED", "remote_hangup", 2, 7, 0),
    ],
    play.clicked: [("1001", "outbound", NUMBER, "COMPLETED", "remote_hangup", 3, 5, 0)],
    play.looped: [
        ("1001", "internal", "1002", "COMPLETED", "agent_hangup", 2, 6, 1),
        ("1002", "internal", "1001", "COMPLETED", "remote_hangup", 2, 6, 1),
    ],
    play.looped_to_the_end: [
        ("1001", "internal", "1002", "COMPLETED", "agent_hangup", 2, 6, 1),
        ("1002", "internal", "1001", "COMPLETED", "remote_hangup", 2, 6, 1),
    ],
    play.group_answered: [("1002", "inbound", NUMBER, "COMPLETED", "agent_hangup", 2, 3, 0)],
    play.group_unanswered: [("", "inbound", NUMBER, "NO_ANSWER", "cancelled", 2, 0, 0)],
    play.missed: [("1002", "inbound", NUMBER, "NO_ANSWER", "", 20, 0, 0)],
    play.queued: [("1002", "inbound", NUMBER, "COMPLETED", "remote_hangup", 3, 9, 0)],
    play.abandoned: [("", "inbound", NUMBER, "NO_ANSWER", "cancelled", 3, 0, 0)],
    play.voicemail: [("1001", "outbound", "*97", "COMPLETED", "agent_hangup", 0, 13, 0)],
}


def brief(part):
    said = (part.agent, part.direction, part.number, part.status, part.reason)
    return (*said, part.ring, part.connected, part.hold)


@pytest.mark.parametrize("as_json", [False, True], ids=["plain", "json"])
@pytest.mark.parametrize("scenario", COMPOSED, ids=lambda one: one.__name__)
def test_a_composed_call(scenario, as_json):
    s = switch(as_json=as_json)
    scenario(s)
    found = parts(events_of(s.stream()))
    assert [brief(part) for part in found] == COMPOSED[scenario]
    assert {part.missing for part in found} == {()}
    if scenario is not play.two_at_once:
        assert len({part.conversation for part in found}) == 1


def test_a_hold_by_a_program_ends_when_it_says():
    s = switch()
    a = s.call("1001", "1002")
    b = s.dial(a, "1002")
    s.answer(a, b)
    s.wait(1)
    s.hold(a, by_phone=False)
    s.wait(2)
    s.unhold(a)
    s.wait(1)
    s.hang_up(a, b)
    assert [part.hold for part in parts(events_of(s.stream()))] == [2, 2]


# --- Gaps -----------------------------------------------------------------------------------------


def running_call(s):
    a = s.call("1001", "1002")
    b = s.dial(a, "1002")
    s.wait(2)
    s.answer(a, b)
    s.wait(5)
    return a, b


def test_a_connection_lost_in_mid_call_marks_the_gap_and_the_rest_is_exact():
    s = switch()
    a, b = running_call(s)
    first = GREETING + s.stream() + s.stream()[:700]  # it broke off in the middle of a message
    s.hold(a)
    s.wait(5)
    s.unhold(a)
    s.wait(1)
    heard, up = len(s.sent), s.channels()
    s.wait(2)
    s.hang_up(a, b)
    for listed in (up, b"", answer_of("-ERR no reply\n")):
        raw = first + GREETING + ACCEPTED + listed + s.stream(heard)
        one, other = parts(events_of(raw))
        assert (one.status, one.connected, one.missing) == ("COMPLETED", 13, ("gap",))
        assert (other.status, other.missing) == ("COMPLETED", ("gap",))
    assert parts(events_of(first + GREETING + ACCEPTED + s.stream(heard)))[0].hold == 5


def test_a_call_that_ended_in_the_gap_stays_open_and_is_marked():
    s = switch()
    running_call(s)
    raw = GREETING + s.stream() + GREETING + ACCEPTED + answer_of('{"row_count":0}')
    follower = Tracker()
    events = events_of(raw, follower)
    marks = [event for event in events if event.kind == "noted"]
    assert len(marks) == 2 and all(mark.data["gone"] for mark in marks)
    assert [part.status for part in parts(events)] == ["IN_PROGRESS"] * 2
    assert not follower.board.channels


def test_a_call_that_began_before_we_listened_is_taken_up():
    s = switch()
    a, b = running_call(s)
    listed, dumps, since = s.channels(), s.dump(a) + s.dump(b), len(s.sent)
    s.wait(2)
    s.hang_up(a, b)
    received = s.now // 1000 - 1000
    heads = told(Tracker(), messages(GREETING + ACCEPTED + listed), received)
    assert {event.agents for event in heads} == {("1001",), ("1002",)}
    assert [part.status for part in parts(heads)] == ["IN_PROGRESS"] * 2
    for more in (b"", dumps):
        raw = GREETING + ACCEPTED + listed + more + s.stream(since)
        one, other = parts(told(Tracker(), messages(raw), received))
        assert (one.agent, one.ring, one.connected, one.missing) == ("1001", 2, 7, ("gap",))
        assert (other.agent, other.ring, other.connected) == ("1002", 2, 7)
        assert one.conversation == other.conversation == a.uuid


def test_a_freeswitch_that_has_started_again_has_no_call_of_before():
    s = switch()
    running_call(s)
    again = switch(core="another", serial=100)
    again.wait(60)
    again.heartbeat()
    follower = Tracker()
    events = events_of(s.stream() + again.stream(), follower)
    assert [event.data["gone"] for event in events if event.kind == "noted"] == [True, True]
    assert follower.remarks == ["has started again"]


def test_a_stream_that_breaks_off_leaves_its_calls_open_and_marked():
    s = switch()
    running_call(s)
    follower = Tracker()
    events = events_of(s.stream(), follower) + follower.finish()
    assert [part.status for part in parts(events)] == ["IN_PROGRESS"] * 2
    assert sum(event.kind == "noted" for event in events) == 2


def test_a_call_of_an_earlier_process_goes_on_under_its_name_or_is_marked():
    s = switch()
    a, b = running_call(s)
    listed, since = s.channels(), len(s.sent)
    s.wait(2)
    s.hang_up(a, b)
    follower = Tracker()
    follower.remember({a.uuid: (T + 2) * 1000, b.uuid: (T + 2) * 1000, "gone": None})
    follower.expect([a.uuid, b.uuid, "gone"], (T + 4) * 1000)
    raw = GREETING + ACCEPTED + listed + s.stream(since)
    events = told(follower, messages(raw), (T + 8) * 1000)
    marks = {event.call: event.data for event in events if event.kind == "noted"}
    assert marks["gone"] == {"gap": [(T + 4) * 1000, (T + 8) * 1000], "gone": True}
    assert marks[a.uuid]["gap"][0] == (T + 4) * 1000
    assert {event.call for event in events} == {a.uuid, b.uuid, "gone"}


# --- Names ----------------------------------------------------------------------------------------


def test_a_channel_that_gets_another_id_is_one_call():
    s = switch()
    a = s.call("1001", "1002")
    a.uuid, old = "a-new-name", a.uuid
    s.event("CHANNEL_UUID", a, **{"Old-Unique-ID": old})
    b = s.dial(a, "1002")
    s.answer(a, b)
    s.wait(3)
    s.hang_up(a, b)
    assert {event.call for event in events_of(s.stream())} == {"a-new-name", b.uuid}


def test_a_call_of_ours_that_could_not_even_ring_has_failed():
    s = switch()
    order = "{origination_uuid=ours,dialed_user=1001,x=1}user/1001 123 XML default"
    s.job("ours", order, "-ERR USER_NOT_REGISTERED\n")
    s.job("theirs", "{a=1}user/1001 123 XML default", "-ERR USER_NOT_REGISTERED\n")
    (part,) = parts(events_of(s.stream()))
    assert (part.agent, part.status, part.reason) == ("1001", "FAILED", "network")


# --- Laws -----------------------------------------------------------------------------------------

SCENARIOS = list(COMPOSED)


def ledger(raw_messages):
    return [brief(part) for part in parts(told(Tracker(), raw_messages))]


@given(st.sampled_from(SCENARIOS), st.randoms(use_true_random=False))
def test_events_that_come_twice_or_just_overtaken_make_the_same_calls(
    scenario, chance: random.Random
):
    s = switch()
    scenario(s)
    heard = [one for _at, raw in s.sent for one in messages(raw)]
    shuffled = list(heard)
    for place in range(0, len(shuffled) - 1, 2):
        first, second = shuffled[place : place + 2]
        ends = {first.event, second.event} & {"CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"}
        instants = [one.get("Event-Date-Timestamp") for one in (first, second)]
        if chance.random() < 0.5 and not ends and instants[0] == instants[1]:
            shuffled[place : place + 2] = second, first
    shuffled = [one for one in shuffled for _ in range(1 + (chance.random() < 0.3))]
    assert ledger(shuffled) == COMPOSED[scenario]


@given(st.sampled_from(SCENARIOS), st.integers(0, 60), st.integers(0, 60))
def test_whatever_is_lost_nothing_breaks(scenario, begin, length):
    s = switch()
    scenario(s)
    heard = [one for _at, raw in s.sent for one in messages(raw)]
    follower = Tracker()
    told(follower, heard[:begin] + heard[begin + length :])
    follower.finish()
    assert not follower.board.channels
