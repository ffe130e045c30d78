"""The phone's window in every state: for everybody, in both themes, within 360 by 640."""

import pytest

from calls.models import Contact
from tests.support.accessibility import AXE, faults_in_both_themes, overhang_of
from tests.support.webphones import *  # noqa: F403  (fixtures)
from tests.support.webphones import Phone, make_line

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.telephony]
SMALL = {"width": 360, "height": 640}


def look(phone: Phone, name: str) -> None:
    phone.page.evaluate("scrollTo(0, 0)")
    phone.page.evaluate(AXE.read_text())
    faults = faults_in_both_themes(phone.page) + overhang_of(phone.page, SMALL)
    assert faults == [], (name, faults)


def test_every_state_of_the_window(exchange, live_people):
    contact = Contact(name="Esmeralda de la Concepción Villalobos Arguedas", owner=live_people.bob)
    contact.set_numbers([("88887777", "mobile")])
    exchange.visits.ignore("401")
    alice = exchange.phone(live_people.alice).ready()
    bob = exchange.phone(live_people.bob, locale="es-CR").ready()
    line = make_line(live_people.carol, exchange.account)
    line.sip_user = "+50688887777"
    line.save()
    carol = exchange.phone(live_people.carol).ready()
    look(alice, "ready")
    alice.page.locator("#devices summary").click()
    alice.page.locator("#devices option").nth(1).wait_for(state="attached")
    look(alice, "devices")
    alice.page.locator("#devices summary").click()
    carol.call("bob")
    bob.awaits("ringing")
    bob.page.get_by_text("Esmeralda").wait_for()
    look(carol, "calling out")
    look(bob, "ringing in, in Spanish, a long name")
    bob.press("Rechazar")
    look(carol, "refused")
    alice.call("bob")
    bob.awaits("ringing")
    bob.press("Contestar")
    alice.page.locator(".phone-quality:visible").wait_for()
    look(alice, "in call")
    alice.press("Transfer")
    look(alice, "transfer")
    alice.press("Transfer")
    alice.press("Hold")
    bob.awaits("held_there")
    look(alice, "on hold")
    look(bob, "held by the other side, in Spanish")
    alice.call("+50688887777")
    carol.awaits("ringing")
    carol.press("Take the call")
    alice.awaits("talking")
    look(alice, "two calls")
    alice.press("Hang up", 0)
    alice.page.locator("#dial summary").click()
    look(alice, "ended, keys in a call")
    alice.press("5")  # a tone, and no digit
    assert alice.page.input_value("#number") == ""
    sue = exchange.phone(live_people.sue, viewport={"width": 1280, "height": 800}).ready()
    look(sue, "wide")
    make_line(live_people.sam, exchange.account, password="wrong")
    sam = exchange.phone(live_people.sam)
    sam.page.get_by_text("refuses your line’s user or password").wait_for()
    look(sam, "a fault")
    look(
        Phone(exchange.visits(live_people.ada, "/phone/", viewport=SMALL), live_people.ada), "none"
    )


def test_the_keyboard_alone_is_enough(exchange, live_people):
    alice, bob = exchange.phone(live_people.alice).ready(), exchange.phone(live_people.bob).ready()
    alice.page.locator("#number").focus()
    alice.page.keyboard.type("bob")
    alice.page.keyboard.press("Enter")
    bob.awaits("ringing")
    bob.page.keyboard.press("Tab")  # the first that can be reached is what to do with the call
    bob.page.keyboard.press("Enter")
    alice.awaits("talking")
    alice.page.keyboard.press("Tab")
    alice.page.get_by_role("button", name="Hold").focus()
    alice.page.keyboard.press("Enter")
    bob.awaits("held_there")
    bob.press("Hang up")
