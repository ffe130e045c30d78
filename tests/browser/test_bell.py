"""The bell and the reminders in a real browser: told by another process, shown without a reload."""

from typing import Any

import pytest
from playwright.sync_api import expect

from calls import services
from calls.models import CallLog
from notifications.models import Notification
from notifications.models.rules import Kind
from tests.support.accessibility import SIZES, Tour, faults_in_both_themes, overhang_of
from tests.support.bells import ring
from tests.support.browsing import Visits, settle
from tests.support.patience import await_that

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

# Keeps what would be shown; of those with one tag a browser shows one.
SHOWN = """
window.shown = [];
window.Notification = class extends EventTarget {
  static permission = "granted";
  constructor(title, { body, tag }) { super(); window.shown.push(`${tag}: ${body}`); }
};
"""


def count_of(page: Any) -> Any:
    return page.locator("#bell .bell-count")


def not_reloaded(page: Any) -> None:
    settle(page)
    page.evaluate("window.notReloaded = true")


@pytest.mark.engines
def test_an_alert_is_counted_in_all_tabs_without_a_reload_and_so_is_its_reading(
    visit: Visits, live_people
):
    context = visit.context(live_people.sue)
    one, other = visit.tab(context, "/team/"), visit.tab(context, "/notifications/")
    tabs = one, other
    for tab in tabs:
        not_reloaded(tab)
        expect(count_of(tab)).to_have_count(0)
    for number in ("1", "2"):
        ring(live_people.sue, kind=Kind.PROVIDER_SILENT)
        for tab in tabs:
            expect(count_of(tab)).to_have_text(number)
            expect(tab.get_by_role("link", name=f"Notifications: {number} unread")).to_be_visible()
    expect(other.locator(".notification-unread")).to_have_count(2)
    other.get_by_role("button", name="Mark as read").first.click()
    expect(other.locator(".notification-unread")).to_have_count(1)
    for tab in tabs:
        expect(count_of(tab)).to_have_text("1")
    other.get_by_role("button", name="Mark all as read").click()
    for tab in tabs:
        expect(count_of(tab)).to_have_count(0)
        assert tab.evaluate("window.notReloaded")


def test_a_click_does_not_give_way_to_what_the_list_asks_for(visit: Visits, live_people):
    page = visit(live_people.sue, "/notifications/")
    not_reloaded(page)
    ring(live_people.sue, kind=Kind.PROVIDER_SILENT)
    expect(page.locator(".notification-unread")).to_have_count(1)
    settle(page)
    held: list[Any] = []
    page.route("**/notifications/", lambda request: held.append(request), times=1)
    page.evaluate("document.body.dispatchEvent(new CustomEvent('bell'))")
    await_that(lambda: page.evaluate("true") and held)
    page.get_by_role("button", name="Mark all as read").click()
    page.evaluate("document.body.dispatchEvent(new CustomEvent('bell'))")
    held[0].continue_()
    expect(page.locator(".notification-unread")).to_have_count(0)


def test_no_part_that_shows_calls_asks_again_for_it(visit: Visits, live_people):
    page = visit(live_people.sue, "/team/")
    settle(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(page.url[:-6])))
    ring(live_people.sue)
    expect(count_of(page)).to_have_text("1")
    assert asked == ["/notifications/bell/?reminders"]


def test_a_long_call_is_said_at_once_and_until_it_is_closed_in_any_tab(visit: Visits, live_people):
    call, _ = services.start_call(live_people.alice)
    context = visit.context(live_people.alice)
    tabs = visit.tab(context, "/"), visit.tab(context, "/calls/")
    for tab in tabs:
        not_reloaded(tab)
    ring(live_people.alice, live_people.ada, call=call)
    reminders = [tab.get_by_role("status").locator(".reminder") for tab in tabs]
    for reminder in reminders:
        expect(reminder).to_have_count(1)
        expect(reminder.get_by_role("link")).to_have_attribute("href", f"/calls/{call.call_id}/")
    tabs[0].locator("#reminders").get_by_role("button", name="Close").press("Enter")
    for tab, reminder in zip(tabs, reminders, strict=True):
        expect(reminder).to_have_count(0)
        expect(count_of(tab)).to_have_count(0)
        assert tab.evaluate("window.notReloaded")
    assert Notification.objects.get(person=live_people.ada).read_at is None


def test_a_reminder_goes_with_its_call_and_what_is_opened_is_read(visit: Visits, live_people):
    call, _ = services.start_call(live_people.alice)
    ring(live_people.alice, call=call)
    page = visit(live_people.alice)
    settle(page)
    expect(page.locator(".reminder")).to_have_count(1)
    services.end_call(call.call_id, live_people.alice)
    expect(page.locator(".reminder")).to_have_count(0)
    expect(count_of(page)).to_have_text("1")
    page.locator("#bell").click()
    page.locator(".notification a").click()
    page.wait_for_url(f"**/calls/{call.call_id}/")
    expect(count_of(page)).to_have_count(0)
    assert CallLog.objects.count() == 1


def test_the_browser_notifies_once_in_several_tabs_and_only_of_what_is_new(
    visit: Visits, live_people
):
    live_people.alice.notifications = True
    live_people.alice.save()
    call, _ = services.start_call(live_people.alice)
    ring(live_people.alice, call=call)
    context = visit.context(live_people.alice)
    context.add_init_script(SHOWN)
    tabs = visit.tab(context, "/"), visit.tab(context, "/calls/")
    for tab in tabs:
        settle(tab)
    alert = ring(live_people.alice, call=call)
    told = {tuple(await_that(lambda tab=tab: tab.evaluate("window.shown"))) for tab in tabs}
    ((only,),) = told
    assert only.startswith(f"alert-{alert.pk}: ")


def test_who_has_not_allowed_it_gets_no_notification_of_the_browser(visit: Visits, live_people):
    context = visit.context(live_people.alice)
    context.add_init_script(SHOWN)
    page = visit.tab(context)
    settle(page)
    ring(live_people.alice)
    expect(count_of(page)).to_have_text("1")
    assert page.evaluate("window.shown") == []


def test_without_script_it_is_a_link_and_forms(visit: Visits, live_people):
    ring(live_people.alice)
    page = visit(live_people.alice, "/calls/", java_script_enabled=False)
    page.locator("#bell").click()
    page.get_by_role("button", name="Mark as read").click()
    expect(page.locator(".notification-unread")).to_have_count(0)
    expect(page.locator(".notification")).to_have_count(1)


def test_the_administration_has_the_bell_too(visit: Visits, live_people):
    page = visit(live_people.ada, "/admin/")
    settle(page)
    ring(live_people.ada, kind=Kind.BACKUP_FAILED)
    expect(count_of(page)).to_have_text("1")


def test_reminders_and_the_list_are_for_everybody(visit: Visits, live_people):
    call, _ = services.start_call(live_people.alice)
    ring(live_people.alice, call=call)
    tour = Tour(visit, live_people)
    for url in ("/", "/notifications/"):
        page = tour.opened("alice", url)
        page.locator(".reminder").wait_for()
        for size in SIZES:
            assert overhang_of(page, size) + faults_in_both_themes(page) == []
