"""A contact in a real browser: a number of nobody known becomes one, is called, edited, merged."""

import pytest
from playwright.sync_api import expect

from calls import services
from calls.models import CallLog, Contact
from tests.support.browsing import settle
from tests.support.patience import await_that
from tests.support.people import make_call

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

UNKNOWN = "7000 1234"


@pytest.mark.engines
def test_a_number_is_saved_during_a_call_and_its_page_tells_the_whole_story(visit, live_people):
    earlier = make_call(live_people.alice, 125, contact_phone=UNKNOWN)
    call, _ = services.start_call(live_people.alice, contact_phone=UNKNOWN)
    page = visit(live_people.alice)
    settle(page)
    current = page.locator(f"#call_{call.call_id}")
    current.get_by_label("Note").fill("Wants an offer")
    current.get_by_text("Save this number").click()
    current.get_by_label("Whose number is it?").fill("Ñoño Pérez")
    with page.expect_response("**/calls/current/"):  # the panel is refreshed meanwhile
        page.evaluate("window.callManager.tell('own-live', { type: 'resync' })")
    expect(current.get_by_label("Whose number is it?")).to_have_value("Ñoño Pérez")
    current.get_by_label("Company").fill("Acme")
    current.get_by_role("button", name="Save", exact=True).click()
    current.locator("h3", has_text="Ñoño Pérez").wait_for()
    assert page.url.endswith("/")
    expect(current.get_by_label("Note")).to_have_value("Wants an offer")
    page.locator("#recent_calls", has_text="Ñoño Pérez").wait_for()
    current.get_by_role("button", name="End as completed").click()
    page.locator("#wrap_up").wait_for()
    contact = Contact.objects.get()
    assert set(contact.calls.all()) == {earlier, call}

    page.goto(f"/contacts/{contact.pk}/")
    settle(page)
    expect(page.locator(".time-line-call")).to_have_count(2)
    page.locator(".time-line-notes", has_text="Wants an offer").wait_for()
    page.locator(".number-call").click()
    await_that(lambda: page.evaluate("window.dialled") == ["tel:+50670001234"])
    await_that(lambda: CallLog.objects.active().filter(contact=contact).exists())


def test_after_a_call_too(visit, live_people):
    call = make_call(live_people.alice, 30, contact_phone=UNKNOWN)
    page = visit(live_people.alice)
    settle(page)
    row = page.locator("#recent_calls tr", has_text="7000 1234")
    row.get_by_text("Save this number").click()
    row.get_by_label("Whose number is it?").fill("Beto")
    row.get_by_label("Whose number is it?").press("Enter")
    page.locator("#recent_calls tr", has_text="Beto").wait_for()
    assert page.url.endswith("/")
    assert Contact.objects.get().calls.get() == call


def test_a_contact_is_edited_merged_and_deleted(visit, live_people):
    contact = Contact.objects.create(name="Elena Mora", phone="+50688887777", team=live_people.red)
    Contact.objects.create(name="ELENA MORA", phone="+50622223333", team=live_people.red)
    make_call(live_people.alice, contact=contact)
    page = visit(live_people.sue, f"/contacts/{contact.pk}/")
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("button", name="One more number").click()
    page.get_by_label("Number 3", exact=True).fill("2200 1100")
    page.locator(".number-row").nth(2).get_by_label("preferred").check()
    page.get_by_label("Notes").fill("Mornings only")
    page.get_by_label("Notes").press("Control+End")
    page.get_by_label("Company").fill("Ñandú")
    page.get_by_label("Company").press("Enter")  # saves; it does not ask for a further number
    page.locator(".number-call", has_text="2200 1100").filter(has_text="preferred").wait_for()
    page.get_by_text("Mornings only").wait_for()

    page.get_by_role("link", name="Merge").click()
    page.locator(".merge-list a", has_text="ELENA MORA").click()
    page.get_by_role("button", name="Merge").click()
    expect(page.locator(".number-call")).to_have_count(3)
    assert Contact.objects.get() == contact

    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("Elena Mora was deleted.").wait_for()
    assert not Contact.objects.exists() and CallLog.objects.get().phone_e164 == "+50688887777"
