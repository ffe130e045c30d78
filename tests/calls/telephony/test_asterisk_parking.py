"""Calls that change hands without a transfer: parked, fetched, picked up; rooms and paging."""

import pytest

from calls.models import CallLog, Contact
from calls.telephony import intake
from common.instants import now
from tests.support.asterisk import enter_room, events_of, exchange, fetch, leave_room, park, parts
from tests.support.people import make_pbx

CUSTOMER = "34600000009"


def near(seconds):
    return pytest.approx(seconds, abs=0.01)


def inbound(pbx, agent="1001"):
    trunk = pbx.call("trunk", agent, CUSTOMER)
    leg = pbx.dial(trunk, agent)
    pbx.wait(2)
    pbx.answer(trunk, leg)
    return trunk, leg


def parked_and_fetched(pbx):
    """10 s with 1001, who hears where it was put for 5 s; 30 s in the lot; 20 s with 1002."""
    trunk, one = inbound(pbx)
    pbx.wait(10)
    park(pbx, trunk, one)
    pbx.wait(5)
    pbx.leave(one)
    pbx.wait(25)
    two = fetch(pbx, trunk, "1002")
    pbx.wait(20)
    pbx.hang_up(trunk, two)


def test_who_parks_is_done_and_who_fetches_has_the_callers_call():
    pbx = exchange()
    parked_and_fetched(pbx)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.direction, first.number) == ("1001", "inbound", CUSTOMER)
    assert (first.talk, first.status, first.reason) == (near(10), "COMPLETED", "agent_hangup")
    assert (second.agent, second.direction, second.number) == ("1002", "inbound", CUSTOMER)
    assert (second.ring, second.talk, second.status) == (near(0), near(20), "COMPLETED")
    assert first.conversation == second.conversation


@pytest.mark.engines
def test_who_fetches_a_call_sees_whose_it_is(people):
    account = make_pbx(people, "asterisk", trunks="trunk")
    account.region = "ES"
    account.save()
    contact = Contact.objects.create(name="Elena", phone=f"+{CUSTOMER}")
    pbx = exchange()
    parked_and_fetched(pbx)
    intake.record(account, events_of(pbx.stream()), received=now())
    first, second = CallLog.objects.order_by("start_time")
    assert (first.user, first.talk_seconds) == (people.alice, 10)
    assert (second.user, second.talk_seconds) == (people.bob, 20)
    assert (second.direction, second.contact) == ("inbound", contact)
    assert first.is_shared and second.is_shared


def test_a_fetched_call_is_known_without_its_event():
    """Neither event of the fetching came: the bridge alone says so."""
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    park(pbx, trunk, one)
    pbx.leave(one)
    pbx.wait(30)
    two = pbx.call("1002", "701")
    pbx.go_up(two)
    two.linkedid = trunk.linkedid
    pbx.bridge(two, trunk)
    pbx.wait(20)
    pbx.hang_up(trunk, two)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.talk) == ("1001", near(10))
    assert (second.agent, second.direction, second.number) == ("1002", "inbound", CUSTOMER)
    assert second.talk == near(20)


def test_a_call_that_an_agent_made_and_parked_is_anothers_with_the_same_number():
    pbx = exchange()
    agent = pbx.call("1001", f"9{CUSTOMER}")
    remote = pbx.dial(agent, "trunk", f"{CUSTOMER}@trunk")
    pbx.wait(3)
    pbx.answer(agent, remote)
    pbx.wait(10)
    park(pbx, remote, agent)
    pbx.wait(6)
    pbx.leave(agent)
    two = fetch(pbx, remote, "1002")
    pbx.wait(8)
    pbx.hang_up(two, remote)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.direction, first.talk) == ("1001", "outbound", near(10))
    assert (second.agent, second.direction, second.number) == ("1002", "inbound", CUSTOMER)
    assert second.talk == near(8)


def test_who_calls_the_lot_to_park_has_no_call_with_it():
    """An attended transfer to the lot: the second leg waits there until the caller takes its
    place."""
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    pbx.hold(one)
    asking = pbx.call("1001", "700")
    pbx.go_up(asking)
    park(pbx, asking, asking)
    pbx.wait(4)
    fields = one.block("OrigTransferer") | asking.block("SecondTransferer")
    pbx.event(
        "AttendedTransfer", {"Result": "Success", "DestType": "App", "DestApp": "Park"} | fields
    )
    asking.linkedid = one.linkedid
    park(pbx, trunk, one)
    pbx.leave(asking)
    pbx.leave(one)
    pbx.wait(30)
    two = fetch(pbx, trunk, "1002")
    pbx.wait(5)
    pbx.hang_up(trunk, two)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.connected, first.hold) == ("1001", near(14), near(4))
    assert (second.agent, second.number, second.talk) == ("1002", CUSTOMER, near(5))


def test_a_caller_who_gives_up_in_the_lot_was_served():
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    park(pbx, trunk, one)
    pbx.wait(1)
    pbx.leave(one)
    pbx.wait(60)
    pbx.event("ParkedCallGiveUp", trunk.block("Parkee"))
    pbx.hang_up(trunk)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.talk, part.status) == ("1001", near(10), "COMPLETED")


def test_a_parked_call_that_comes_back_rings_as_a_new_part():
    pbx = exchange()
    trunk, one = inbound(pbx)
    pbx.wait(10)
    park(pbx, trunk, one)
    pbx.leave(one)
    pbx.wait(45)
    again = pbx.dial(trunk, "1001")
    pbx.wait(3)
    pbx.answer(trunk, again)
    pbx.wait(7)
    pbx.hang_up(trunk, again)
    first, second = parts(events_of(pbx.stream()))
    assert [part.agent for part in (first, second)] == ["1001", "1001"]
    assert (first.talk, second.ring, second.talk) == (near(10), near(3), near(7))


@pytest.mark.parametrize("moves", [True, False])
def test_who_picks_up_a_call_that_rings_elsewhere_has_it(moves):
    """Whether the leg that rang goes on with the other phone, or the phone's own."""
    pbx = exchange()
    trunk = pbx.call("trunk", "1001", CUSTOMER)
    rung = pbx.dial(trunk, "1001")
    pbx.wait(8)
    picker = pbx.call("1002", "*8")
    pbx.go_up(picker)
    pbx.event("Pickup", picker.block() | rung.block("Target"))
    picker.linkedid = trunk.linkedid
    if moves:
        rung.name, picker.name = picker.name, f"{rung.name}<ZOMBIE>"
        pbx.leave(picker)
        pbx.answer(trunk, rung)
        leg = rung
    else:
        pbx.bridge(trunk, picker)
        pbx.fail(trunk, rung, "CANCEL", 26)
        leg = picker
    pbx.wait(20)
    pbx.hang_up(trunk, leg)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.direction, part.number) == ("1002", "inbound", CUSTOMER)
    assert (part.status, part.ring, part.talk) == ("COMPLETED", near(0), near(20))


def test_in_a_room_each_has_the_own_part_and_one_hold_is_nobody_elses():
    pbx = exchange()
    one = pbx.call("1001", "3000")
    pbx.go_up(one)
    enter_room(pbx, one)
    pbx.wait(20)
    two = pbx.call("1002", "3000")
    pbx.go_up(two)
    enter_room(pbx, two)
    customer = pbx.call("trunk", "3000", CUSTOMER)
    pbx.go_up(customer)
    enter_room(pbx, customer)
    pbx.wait(10)
    pbx.hold(one)
    pbx.wait(5)
    pbx.unhold(one)
    leave_room(pbx, two)
    pbx.wait(15)
    leave_room(pbx, customer)
    leave_room(pbx, one)
    first, second = parts(events_of(pbx.stream()))
    assert (first.agent, first.number, first.direction) == ("1001", "3000", "outbound")
    assert (first.ring, first.talk, first.hold) == (near(0), near(45), near(5))
    assert (second.agent, second.number, second.talk, second.hold) == ("1002", "3000", near(15), 0)


def test_whoever_is_paged_has_no_call():
    pbx = exchange()
    one = pbx.call("1001", "*80")
    paged = [pbx.dial(one, name) for name in ("1002", "1003")]
    pbx.go_up(one)
    for leg in paged:
        pbx.go_up(leg)
        pbx.event("DialEnd", one.block() | leg.block("Dest") | {"DialStatus": "ANSWER"})
        enter_room(pbx, leg, "77")
    enter_room(pbx, one, "77")
    pbx.wait(12)
    for leg in (*paged, one):
        leave_room(pbx, leg, "77")
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.status, part.talk) == ("1001", "COMPLETED", near(12))


def test_what_answers_by_itself_is_shown_while_it_goes_on():
    """Nobody else came at once, so it is the dialplan that the agent talks with."""
    pbx = exchange()
    agent = pbx.call("1001", "*97")
    pbx.go_up(agent)
    pbx.wait(2)
    pbx.event("VarSet", agent.block())
    (started,) = events_of(pbx.stream())
    assert (started.kind, started.number, started.direction) == ("started", "*97", "outbound")


def test_a_number_that_is_dialled_after_an_announcement_is_known_better():
    pbx = exchange()
    agent = pbx.call("1001", "55")
    pbx.go_up(agent)
    remote = pbx.dial(agent, "trunk", f"{CUSTOMER}@trunk")
    pbx.wait(4)
    pbx.answer(agent, remote)
    pbx.wait(6)
    pbx.hang_up(agent, remote)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.number, part.ring, part.talk) == (CUSTOMER, near(4), near(6))


def test_legs_that_dial_each_other_are_one_call_whatever_their_linkedids_say():
    """A queue's member behind a Local channel of which each half has a Linkedid of its own."""
    pbx = exchange()
    trunk = pbx.call("trunk", "600", CUSTOMER)
    pbx.join_queue(trunk)
    near_half = pbx.dial(trunk, "Local/1001@from-queue-00000001;1", "1001@from-queue/n")
    near_half.linkedid = near_half.uniqueid
    far_half = pbx.new_channel("Local/1001@from-queue-00000001;2", CUSTOMER, "1001")
    pbx.event("Newchannel", far_half.block())
    agent = pbx.dial(far_half, "1001")
    pbx.wait(6)
    pbx.answer(far_half, agent)
    pbx.answer(trunk, near_half)
    pbx.leave_queue(trunk)
    pbx.wait(12)
    pbx.hang_up(trunk, near_half, far_half, agent)
    (part,) = parts(events_of(pbx.stream()))
    assert (part.agent, part.direction, part.number) == ("1001", "inbound", CUSTOMER)
    assert (part.ring, part.talk) == (near(6), near(12))
