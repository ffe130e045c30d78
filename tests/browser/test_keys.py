"""The keyboard, the work after a call, and the browser's notifications, in a real browser."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from calls import services
from calls.models import CallEvent, CallLog, Contact, Disposition
from calls.services import wrap_up
from common.instants import now
from tests.browser.test_desk import is_off, running
from tests.support.bells import ring
from tests.support.browsing import GONE, Visits, settle
from tests.support.patience import await_that

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

# Keeps what would be shown; a headless browser has nowhere to show it.
HEARD = """
window.heard = [];
window.Notification = class extends EventTarget {
  static permission = "granted";
  static requestPermission = async () => "granted";
  constructor(title, { body }) { super(); window.heard.push(body); }
};
"""


@pytest.fixture
def outcomes(live_people) -> None:
    for place, code in enumerate(("sale", "later"), start=1):
        label = code.title()
        Disposition.objects.create(code=code, label_es=label, label_en=label, order=place)


def test_a_day_by_single_keys(visit: Visits, live_people, outcomes):
    Contact.objects.create(name="Elena", phone="+50622221001")
    Contact.objects.create(name="Zoe", phone="+50622221002")
    page = visit(live_people.alice)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("zoe pec")  # none of these is a command here
    expect(page.locator("#q")).to_have_value("zoe pec")
    page.locator("#q").fill("zoe")
    page.locator(".contact", has_text="Zoe").wait_for()
    page.locator("#q").blur()
    page.keyboard.press("c")
    page.locator("article.call", has_text="Zoe").wait_for()
    page.keyboard.press("p")
    page.locator("article .badge", has_text="Paused").wait_for()
    settle(page)
    assert page.title().startswith(f"{page.locator('#timer .clock').inner_text()} · My desk")
    page.keyboard.press("p")
    page.locator("article .badge", has_text="Calling").wait_for()
    page.keyboard.press("e")
    page.locator("#wrap_up").wait_for()
    page.keyboard.press("2")
    expect(page.locator("#outcome_later")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("r")
    page.get_by_text("No call is running.").wait_for()
    call = CallLog.objects.get()
    assert (call.status, call.disposition, call.wrap_up_since) == ("COMPLETED", "later", None)


def test_without_somebody_chosen_c_only_points(visit: Visits, live_people):
    Contact.objects.create(name="Elena", phone="+50622221001")
    page = visit(live_people.alice, "/calls/")
    page.keyboard.press("c")
    expect(page.locator(".contact", has_text="Elena")).to_be_focused()
    assert CallLog.objects.count() == 0
    page.keyboard.press("c")
    page.locator("article.call", has_text="Elena").wait_for()


def test_from_another_page_a_key_leads_to_the_desk_and_ends_nothing(visit: Visits, live_people):
    call = running(live_people.alice, ago=30)
    page = visit(live_people.alice, "/calls/")
    page.keyboard.press("e")
    expect(page.locator(f"#completed_{call.call_id}")).to_be_focused()
    call.refresh_from_db()
    assert call.is_active


def test_the_help_opens_by_key_and_closes_by_escape(visit: Visits, live_people):
    page = visit(live_people.alice)
    page.keyboard.press("?")
    help_box = page.get_by_role("dialog", name="Keyboard")
    expect(help_box).to_be_visible()
    expect(help_box.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q")).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(help_box).to_be_hidden()
    page.locator(".site-head .menu > summary").click()
    page.get_by_role("button", name="Keyboard").click()
    expect(help_box).to_be_visible()


def test_whoever_switches_the_keys_off_is_not_surprised_by_them(visit: Visits, live_people):
    running(live_people.alice, ago=30)
    page = visit(live_people.alice, "/me/")
    page.get_by_label("Keyboard shortcuts").uncheck()
    page.locator("[data-asks-notifications] button").click()
    page.get_by_text("Saved.").wait_for()
    page.goto("/")
    page.keyboard.press("e")
    page.keyboard.press("?")
    page.get_by_role("button", name="Hold").click()  # clicks are sent in order: behind an end
    page.locator("article .badge", has_text="On hold").wait_for()
    assert CallLog.objects.active().count() == 1
    assert page.locator("dialog").count() == 0


def test_a_wrap_up_in_one_tab_is_over_in_the_other(visit: Visits, live_people, outcomes):
    context = visit.context(live_people.alice)
    running(live_people.alice, ago=5)
    one, other = visit.tab(context), visit.tab(context)
    one.get_by_role("button", name="End as completed").click()
    other.locator("#wrap_up").wait_for()
    other.get_by_role("button", name="Ready").click()
    one.get_by_text("No call is running.").wait_for()


def test_notifications_are_off_until_switched_on(visit: Visits, live_people):
    context = visit.context(live_people.alice)
    context.add_init_script(HEARD)
    page = visit.tab(context)
    assert page.locator("#notify").count() == 0
    page.goto("/me/")
    page.get_by_label("Notifications of the browser").check()
    page.locator("[data-asks-notifications] button").click()
    page.get_by_text("Saved.").wait_for()
    page.goto("/")
    settle(page)
    assert page.evaluate("window.heard") == []
    ring(live_people.alice, call=running(live_people.alice, ago=700))
    await_that(lambda: len(page.evaluate("window.heard")) == 1)
    page.reload()
    settle(page)
    assert page.evaluate("window.heard") == []


def test_an_end_by_the_phone_system_is_notified(visit: Visits, live_people):
    live_people.alice.notifications = True
    live_people.alice.save()
    visit.ignore("/ended/")  # the page asks how long the call was, and it goes on in truth
    running(live_people.alice, ago=30)
    context = visit.context(live_people.alice)
    context.add_init_script(HEARD)
    page = visit.tab(context)
    page.locator("html[data-live=on]").wait_for()
    for source in ("agent", "provider:pbx"):
        detail = {"type": "call_ended", "user_id": live_people.alice.pk, "ended_by": source}
        page.evaluate(
            "(detail) => document.body.dispatchEvent(new CustomEvent('live', { detail }))", detail
        )
    assert page.evaluate("window.heard") == ["The phone system has ended your call."]


def test_a_browser_that_refuses_notifications_says_so(visit: Visits, live_people):
    context = visit.context(live_people.alice)
    context.add_init_script(HEARD.replace("granted", "denied"))
    page = visit.tab(context, "/me/")
    page.get_by_label("Notifications of the browser").check()
    page.locator("[data-asks-notifications] button").click()
    page.get_by_text("Your browser does not allow notifications").wait_for()
    live_people.alice.refresh_from_db()
    assert not live_people.alice.notifications


def test_wrap_up_clicked_without_a_server_arrives_with_its_time(
    visit: Visits, server, live_people, outcomes
):
    visit.ignore(*GONE)
    away = dt.timedelta(minutes=1)  # a wrap-up lasts two at most
    call = running(live_people.alice, ago=3600)
    reported = services.ReportedTime(now() - away - dt.timedelta(seconds=5), explicit=True)
    services.end_call(call.call_id, live_people.alice, reported=reported, wrap_up=True)
    page = visit(live_people.alice, clock=now())
    settle(page)
    server.kill()
    is_off(page)
    page.get_by_role("button", name="Ready").click()
    page.clock.run_for(2000)
    page.locator("#waiting li").wait_for()
    server.start()
    restarted = now()
    page.clock.fast_forward(60_000 - 2000)
    page.clock.resume()
    await_that(lambda: CallEvent.objects.filter(data__wrap_up="ended").exists())
    said = CallEvent.objects.get(data__wrap_up="ended")
    assert restarted - away <= said.occurred_at <= now() - away
    assert wrap_up.close_wrap_ups() == 0
