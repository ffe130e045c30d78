"""Clicks on their way to the server: kept, sent, refused, in several tabs, whatever is answered."""

import datetime as dt
from collections import Counter

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from accounts import roles
from calls import services, timeline
from calls.models import CallLog, Contact
from common.instants import now
from tests.support.browsing import GONE, session_cookie, settle
from tests.support.patience import await_that

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

KEPT = """Object.keys(localStorage).filter((key) => key.startsWith("callmanager.click."))"""
# What two tabs do in the same instant: press these, half a second from now.
TOGETHER = """([wanted, at]) => {
  for (const [number, [part, words]] of wanted.entries()) {
    const buttons = [...document.querySelectorAll(`${part} button`)];
    const button = buttons.find(({ textContent }) => textContent.includes(words));
    setTimeout(() => button.click(), at + 20 * number - Date.now());
  }
}"""


ROUND = 3000  # ms: so often what waits is tried again


def running(user, ago: float = 7200, **about) -> CallLog:
    reported = services.ReportedTime(now() - dt.timedelta(seconds=ago), explicit=True)
    return services.start_call(user, reported=reported, **about)[0]


def events_of(call: CallLog) -> Counter:
    return Counter(call.events.values_list("kind", flat=True))


def all_sent(page) -> None:
    await_that(lambda: page.evaluate(KEPT) == [])


def test_two_tabs_that_click_at_once_lose_nothing_and_double_nothing(visit, live_people):
    visit.ignore(*GONE)
    names = [f"Contact {number}" for number in range(8)]
    for name in names:
        Contact.objects.create(name=name, phone=f"+5068888000{name[-1]}")
    first, second = (running(live_people.alice, contact_phone=f"8777 000{n}") for n in (1, 2))
    context = visit.context(live_people.alice)
    tabs = [visit.tab(context), visit.tab(context)]
    for tab in tabs:
        settle(tab)
    context.set_offline(True)
    last = [("end", first, "End as completed"), ("steps", second, "Hold")]
    at = tabs[0].evaluate("Date.now() + 500")
    for tab, own, (part, call, words) in zip(tabs, (names[::2], names[1::2]), last, strict=True):
        wanted = [("#contacts", name) for name in own]
        wanted.append((f"#call_{call.call_id} .call-{part}", words))
        tab.evaluate(TOGETHER, [wanted, at])
    for tab in tabs:
        expect(tab.locator("#waiting li")).to_have_count(10)
    context.set_offline(False)
    all_sent(tabs[0])
    assert Counter(call.contact.name for call in CallLog.objects.exclude(contact=None)) == Counter(
        names
    )
    assert CallLog.objects.count() == 10
    assert events_of(first)[timeline.ENDED] == 1
    assert events_of(second)[timeline.HELD] == 1


def press(page, call: CallLog, words: str) -> None:
    page.locator(f"#call_{call.call_id}").get_by_role("button", name=words).click()


@pytest.mark.parametrize(
    "answer", [{"status": 200}, {"status": 302, "headers": {"location": "/x"}}, {"status": 403}]
)
def test_a_stranger_s_answer_holds_up_no_other_click_for_ever(visit, live_people, answer):
    """A proxy's page in place of ours, for one address and again and again."""
    visit.ignore("403", "409")
    first, second = (running(live_people.alice, contact_phone=f"8777 000{n}") for n in (1, 2))
    page = visit(live_people.alice, clock=now())
    settle(page)
    page.route("**/hold/", lambda route: route.fulfill(body="<h1>Hello</h1>", **answer))
    press(page, first, "Hold")
    press(page, first, "No answer")
    press(page, second, "End as completed")  # another call's click waits for nothing
    page.locator(f"#call_{second.call_id}").wait_for(state="detached")
    waiting = page.locator("#waiting li", has_text="Hold")
    expect(waiting).to_contain_text("Something other than CallManager answered")

    def ended() -> bool:
        page.clock.run_for(ROUND)
        first.refresh_from_db()
        return first.status == timeline.NO_ANSWER

    await_that(ended)
    page.unroute("**/hold/")
    refused = page.locator("#refused li")
    await_that(lambda: page.clock.run_for(ROUND) or refused.count())
    expect(refused).to_contain_text("Hold")
    expect(refused).to_contain_text("had already ended elsewhere as “No answer”")
    expect(page.locator("#waiting")).to_be_hidden()
    page.reload()
    refused.get_by_role("button", name="Seen").click()
    expect(page.locator("#refused")).to_be_hidden()
    all_sent(page)


def test_what_is_refused_after_a_wait_says_so_with_its_note_and_lets_the_rest_pass(
    visit, live_people
):
    visit.ignore(*GONE, "404")
    first, second = (running(live_people.alice, contact_phone=f"8777 000{n}") for n in (1, 2))
    context = visit.context(live_people.alice)
    page = visit.tab(context)
    settle(page)
    context.set_offline(True)
    page.locator(f"#call_{first.call_id}").get_by_label("Note").fill("Wants an offer")
    press(page, first, "End as completed")
    press(page, second, "No answer")
    expect(page.locator("#waiting li")).to_have_count(2)
    CallLog.objects.filter(pk=first.pk).delete()
    context.set_offline(False)
    refused = page.locator("#refused li")
    expect(refused).to_have_count(1)
    for words in ("End as completed", "no such call among yours", "Wants an offer"):
        expect(refused).to_contain_text(words)
    second.refresh_from_db()
    await_that(lambda: CallLog.objects.get(pk=second.pk).status == timeline.NO_ANSWER)


def test_a_right_that_was_taken_away_is_told_in_words(visit, live_people):
    visit.ignore("403")
    call = running(live_people.alice)
    page = visit(live_people.alice)
    settle(page)
    Group.objects.get(name=roles.AGENT).user_set.remove(live_people.alice)
    press(page, call, "Hold")
    expect(page.locator("#notice")).to_contain_text("You may not do this.")
    all_sent(page)


def test_a_page_that_lost_its_token_sends_its_clicks_all_the_same(visit, live_people):
    visit.ignore("403")
    call = running(live_people.alice)
    context = visit.context(live_people.alice)
    page = visit.tab(context)
    settle(page)
    context.clear_cookies(name="csrftoken")
    press(page, call, "No answer")
    await_that(lambda: CallLog.objects.get().status == timeline.NO_ANSWER)
    all_sent(page)


def test_a_click_outlasts_the_login(visit, live_people, server):
    call = running(live_people.alice)
    context = visit.context(live_people.alice)
    page = visit.tab(context)
    settle(page)
    Session.objects.all()._raw_delete("default")  # unsaid, or the page would go to sign-in at once
    press(page, call, "No answer")
    page.wait_for_url("**/login/?next=/")
    name, value = settings.SESSION_COOKIE_NAME, session_cookie(live_people.alice)
    context.add_cookies([{"name": name, "value": value, "url": server.url}])
    page.goto("/")
    await_that(lambda: CallLog.objects.get().status == timeline.NO_ANSWER)


def test_a_click_whose_answer_is_lost_is_sent_again_and_counts_once(visit, live_people):
    visit.ignore(*GONE, "ERR_FAILED")
    call = running(live_people.alice)
    page = visit(live_people.alice)
    settle(page)
    page.route("**/hold/", lambda route: (route.fetch(), route.abort()), times=1)
    press(page, call, "Hold")
    all_sent(page)
    assert events_of(call)[timeline.HELD] == 1
