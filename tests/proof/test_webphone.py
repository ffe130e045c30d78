"""Proves on real pages at a real SIP server that calls of the phone in the page are as long as they
were, however they went, and that nothing is lost with a window that dies."""

import datetime as dt
import time
from itertools import pairwise

import pytest

from calls.models import CallLog, Contact
from calls.telephony import stale_calls
from common.instants import now, to_ms
from tests.support.patience import await_that
from tests.support.webphones import *  # noqa: F403  (fixtures)
from tests.support.webphones import Phone, calls_of, make_line, talked_ms

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.telephony]
CLOSE_MS = 100
DENIED = """() => {
  const refuse = async () => { throw new DOMException("", "NotAllowedError"); };
  navigator.mediaDevices.getUserMedia = refuse;
}"""


@pytest.fixture
def phones(exchange, live_people):
    """Alice's and Bob's, ready for calls."""
    pair = exchange.phone(live_people.alice), exchange.phone(live_people.bob)
    return [phone.ready() for phone in pair]


def connect(caller: Phone, called: Phone) -> None:
    caller.call(called.user.username)
    called.awaits("ringing")
    called.press("Take the call")
    caller.awaits("talking")
    called.awaits("talking")


def talk(phone: Phone, seconds: float) -> None:
    phone.page.wait_for_timeout(seconds * 1000)


def over(*phones: Phone) -> None:
    """Until they have no call, and the site has all of it."""
    for phone in phones:
        await_that(phone.is_idle, say=phone.shown)
        phone.sent()


def held_ms(call: CallLog) -> int:
    """By its ledger: from the first hold to its end."""
    steps = [e for e in call.events.order_by("occurred_at") if e.kind in ("held", "resumed")]
    return sum(
        to_ms(end.occurred_at) - to_ms(begin.occurred_at)
        for begin, end in pairwise(steps)
        if begin.kind == "held"
    )


def test_calls_are_as_long_as_their_dialogues(exchange, phones, live_people):
    """Talk without and with a hold, of either side; each as the SIP server saw it, within 0.1 s."""
    alice, bob = phones
    lengths = {"talk": 1.3, "held by caller": 0.9, "held by called": 0.7}
    for name, seconds in lengths.items():
        connect(alice, bob)
        talk(alice, seconds)
        if name != "talk":
            holder, other = (alice, bob) if "caller" in name else (bob, alice)
            holder.press("Hold")
            other.awaits("held_there")
            talk(holder, seconds)
            holder.press("Resume")
            other.awaits("talking")
        alice.press("Hang up")
        over(alice, bob)
    dialogues = await_that(lambda: ended_ones(exchange, len(lengths)))
    print("\nms             dialogue  caller  called   held: caller's  called's ledger")
    for name, call, part in zip(
        lengths, calls_of(live_people.alice), calls_of(live_people.bob), strict=True
    ):
        assert {call.evidence, part.evidence} == {"B"} and call.conversation == part.conversation
        assert (call.status, call.missing, part.missing) == ("COMPLETED", "", "")
        dialogue = dialogues[call.conversation]
        truth = dialogue["ended"] - dialogue["answered"]
        print(
            f"{name:14} {truth:8} {talked_ms(call):7} {talked_ms(part):7}   "
            f"{held_ms(call):15} {held_ms(part):9}"
        )
        for one in (call, part):
            assert abs(talked_ms(one) - truth) < CLOSE_MS
        assert abs(held_ms(call) - held_ms(part)) < CLOSE_MS
        assert (held_ms(call) > 0) == (name != "talk")
        assert call.talk_seconds == (talked_ms(call) - held_ms(call)) // 1000


def ended_ones(exchange, count):
    found = exchange.dialogues()
    return found if sum("ended" in one for one in found.values()) >= count else None


def test_calls_that_come_to_nothing(exchange, phones, live_people):
    """Refused, given up, not answered, busy with two, to nobody: each as it was."""
    alice, bob = phones
    alice.call("bob")
    bob.awaits("ringing")
    bob.press("Refuse")
    over(alice, bob)
    alice.call("bob")
    bob.awaits("ringing")
    alice.press("Hang up")
    over(alice, bob)
    alice.call("bob")
    bob.awaits("ringing")
    over(alice, bob)  # the server's patience is over
    alice.call("nobody")
    over(alice)
    found = [(call.status, call.end_reason) for call in calls_of(live_people.alice)]
    assert found == [
        ("NO_ANSWER", "rejected"),
        ("NO_ANSWER", "cancelled"),
        ("NO_ANSWER", ""),
        ("FAILED", "invalid_number"),
    ]
    assert {call.status for call in calls_of(live_people.bob)} == {"NO_ANSWER"}
    assert all(call.talk_seconds == 0 for call in CallLog.objects.all())


def test_two_calls_at_once_and_a_third_is_told_busy(exchange, phones, live_people):
    alice, bob = phones
    carol, sue = (exchange.phone(user).ready() for user in (live_people.carol, live_people.sue))
    connect(alice, bob)
    carol.call("alice")
    alice.awaits("ringing")  # waits beside the call that runs
    sue.call("alice")
    over(sue)
    assert [(c.status, c.end_reason) for c in calls_of(live_people.sue)] == [("NO_ANSWER", "busy")]
    alice.press("Take the call")
    carol.awaits("talking")
    alice.awaits("held")  # the first waits
    bob.awaits("held_there")
    alice.press("Hang up", 1)
    over(carol)
    alice.press("Resume")
    bob.awaits("talking")
    bob.press("Hang up")
    over(alice, bob)
    assert [call.status for call in calls_of(live_people.alice)] == ["COMPLETED"] * 2


def test_transfers(exchange, phones, live_people):
    """At once, and after asking: who was called talks with the third, and each part is known."""
    alice, bob = phones
    carol = exchange.phone(live_people.carol).ready()
    connect(alice, bob)
    alice.press("Transfer")
    alice.page.get_by_label("Transfer to").fill("carol")
    alice.press("At once")
    carol.awaits("ringing")
    carol.press("Take the call")
    bob.awaits("talking")
    over(alice)
    bob.press("Hang up")
    over(bob, carol)
    connect(alice, bob)
    alice.press("Transfer")
    alice.page.get_by_label("Transfer to").fill("carol")
    alice.press("Ask first")
    carol.awaits("ringing")
    carol.press("Take the call")
    carol.awaits("talking")
    alice.awaits("held")
    alice.press("Connect with Carol")
    over(alice)
    bob.awaits("talking")
    carol.awaits("talking")
    carol.press("Hang up")
    over(bob, carol)
    talked = {call.contact_phone for call in calls_of(live_people.bob)}
    assert talked == {"alice", "carol"}
    assert {call.status for call in CallLog.objects.all()} == {"COMPLETED"}
    noted = [e.data for c in calls_of(live_people.alice) for e in c.events.filter(kind="noted")]
    assert sorted(said["transfer"] for said in noted) == ["attended", "blind"]


def test_a_click_and_its_call_are_one(exchange, phones, live_people):
    """From the desk: the phone's window that is open dials, and the call has the click's id."""
    contact = Contact(name="Bob at home", owner=live_people.alice)
    contact.set_numbers([("88887777", "mobile")])
    alice, bob = phones
    PhoneLineOf(bob).renamed("+50688887777")
    bob.page.reload()
    bob.ready()
    desk = alice.page.context.new_page()
    desk.goto("/")
    desk.locator("form[data-dial]").get_by_role("button").first.click()
    bob.awaits("ringing")
    bob.press("Take the call")
    alice.awaits("talking")
    (call,) = calls_of(live_people.alice)
    assert (call.contact, call.provider) == (contact, "phone")
    assert call.events.filter(key="started").exists()  # the click
    assert "Bob at home" in alice.page.inner_text(".phone-call")
    desk.goto("/calls/")  # pages come and go, the call stays
    alice.awaits("talking")
    alice.press("Hang up")
    over(alice, bob)
    assert CallLog.objects.filter(user=live_people.alice).count() == 1
    call.refresh_from_db()
    assert (call.status, call.evidence) == ("COMPLETED", "B")


def test_a_click_opens_the_phones_window(exchange, live_people):
    """Where none is open yet; and that dials, once."""
    contact = Contact(name="Bob at home", owner=live_people.alice)
    contact.set_numbers([("88887777", "mobile")])
    bob = exchange.phone(live_people.bob)
    PhoneLineOf(bob).renamed("+50688887777")
    bob.page.reload()
    bob.ready()
    make_line(live_people.alice, exchange.account)
    desk = exchange.visits(live_people.alice, "/", permissions=["microphone"])
    with desk.expect_popup() as opened:
        desk.locator("form[data-dial]").get_by_role("button").first.click()
    alice = Phone(opened.value, live_people.alice).ready()
    bob.awaits("ringing")
    bob.press("Take the call")
    alice.awaits("talking")
    desk.goto("/calls/")
    alice.press("Hang up")
    over(alice, bob)
    (call,) = calls_of(live_people.alice)
    assert (call.contact, call.status, call.evidence) == (contact, "COMPLETED", "B")


class PhoneLineOf:
    """The line of who has `phone`."""

    def __init__(self, phone: Phone):
        self.line = phone.user.phone_line

    def renamed(self, name: str) -> None:
        self.line.sip_user = name
        self.line.save()


def test_a_killed_window_loses_nothing(exchange, phones, live_people, settings):
    """The ledger has all till then. The other side's end is its own; whoever opens the phone again
    tells when the window died, within two seconds; without that the site closes the call by itself,
    marked as an estimate."""
    alice, bob = phones
    context = alice.page.context
    for reopens in (False, True):
        connect(alice, bob)
        alice.press("Hold")
        alice.awaits("held")
        talk(bob, 1.5)
        alice.sent()
        killed = now()
        alice.kill()
        talk(bob, 1.5)
        call = calls_of(live_people.alice)[-1]
        assert call.end_time is None and call.held_since is not None
        if not reopens:
            CallLog.objects.filter(pk=call.pk).update(last_seen_at=killed)
            settings.STALE_CALL_SECONDS = 1
            await_that(stale_calls.ask_and_close)
            call.refresh_from_db()
            assert (call.status, call.evidence) == ("DROPPED", "E")
        alice = Phone(context.new_page(), live_people.alice)
        alice.page.goto("/phone/")
        alice.ready().sent()
        call.refresh_from_db()
        assert (call.status, call.end_reason, call.evidence) == ("DROPPED", "page_closed", "B")
        difference = (call.end_time - killed) / dt.timedelta(milliseconds=1)
        print(f"\na killed window: its call's end is told {difference:+.0f} ms from the kill")
        assert -2000 < difference < 100
        bob.press("Hang up")
        over(bob)
        assert calls_of(live_people.bob)[-1].status == "COMPLETED"


def test_without_a_network_it_is_kept(exchange, phones, live_people, server):
    """The site dies in mid-call: the call goes on, and all of it is told when the site is back."""
    alice, bob = phones
    exchange.visits.ignore(r"Failed to load resource", "ERR_")
    connect(alice, bob)
    alice.sent()
    bob.sent()
    server.kill()
    alice.press("Hold")
    bob.awaits("held_there")
    alice.press("Resume")
    bob.awaits("talking")
    alice.press("Hang up")
    await_that(bob.is_idle)
    alice.page.get_by_text("No connection to CallManager").wait_for()
    server.start()
    over(alice, bob)
    (call,) = calls_of(live_people.alice)
    kinds = list(call.events.order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["started", "ringing", "answered", "held", "resumed", "ended"]
    dialogue = exchange.dialogues()[call.conversation]
    assert abs(talked_ms(call) - (dialogue["ended"] - dialogue["answered"])) < CLOSE_MS


def test_what_is_wrong_is_said(exchange, live_people, sounding):
    """A wrong password, a server that is away, no microphone, a second window."""
    exchange.visits.ignore("WebSocket", "ERR_CONNECTION_REFUSED")
    make_line(live_people.alice, exchange.account, password="wrong")
    alice = exchange.phone(live_people.alice)
    alice.page.get_by_text("refuses your line’s user or password").wait_for()
    bob = exchange.phone(live_people.bob).ready()
    second = bob.page.context.new_page()
    second.goto("/phone/")
    second.get_by_text("open in another window").wait_for()
    bob.page.evaluate(DENIED)
    bob.dial("alice")
    bob.page.get_by_text("keeps the microphone from this page").wait_for()
    exchange.kamailio.__exit__()
    carol = exchange.phone(live_people.carol)
    carol.page.get_by_text("cannot be reached").wait_for()


def test_closing_the_window_hangs_up_and_unregisters(exchange, phones, live_people):
    alice, bob = phones
    connect(alice, bob)
    began = time.monotonic()
    alice.page.goto("about:blank")
    over(bob)
    assert time.monotonic() - began < 20
    await_that(lambda: calls_of(live_people.alice)[0].end_time)
    assert calls_of(live_people.alice)[0].status == "COMPLETED"
    bob.call("alice")
    over(bob)
    assert calls_of(live_people.bob)[-1].status == "FAILED"  # nobody is registered there
