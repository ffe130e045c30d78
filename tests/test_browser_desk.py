"""The desk in a real browser, on the real server: a day's work, and what goes wrong in one."""

import datetime as dt
import re
import time

import pytest

from calls import services, timeline
from calls.instants import now
from calls.models import CallLog, Contact

pytestmark = [pytest.mark.browser, pytest.mark.server]

# What the browser itself reports while the network is gone.
GONE = (
    "ERR_CONNECTION_REFUSED",
    "ERR_INTERNET_DISCONNECTED",
    "htmx:sendError",
    "htmx:afterRequest",
)
GONE += ("ERR_EMPTY_RESPONSE", "ERR_CONNECTION_RESET", "ERR_SOCKET_NOT_CONNECTED", "WebSocket")


@pytest.fixture
def maria(live_people) -> Contact:
    Contact.objects.create(name="Pedro Mora", phone="+50687654321")
    return Contact.objects.create(name="María Solano", phone="+50622221001", company="Acme")


def running(user, ago: float = 0, **about) -> CallLog:
    told = services.Told(now() - dt.timedelta(seconds=ago), explicit=True)
    return services.start_call(user, told=told, **about)[0]


def shown_seconds(page, selector: str = "#timer .clock") -> int:
    minutes, seconds = page.locator(selector).first.inner_text().split(":")[-2:]
    return int(minutes) * 60 + int(seconds)


def keeps_time(page, call: CallLog) -> bool:
    """The call's true length is shown; the answer's way and a late tick may cost a little."""
    shown = shown_seconds(page)
    return -0.5 <= (now() - call.start_time).total_seconds() - shown < 2.5


def eventually(check, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def call_maria(page) -> None:
    page.locator("#q").fill("solano")
    page.locator(".contact", has_text="María Solano").click()
    page.locator("article.call", has_text="María Solano").wait_for()


def test_a_call_from_the_search_to_the_figures(visit, live_people, maria):
    page = visit(live_people.alice)
    assert page.locator("#timer").inner_text().split() == ["Call", "timer:", "00:00", "No", "call"]
    page.locator("#q").fill("pedro")
    page.get_by_text("María Solano").wait_for(state="detached")
    call_maria(page)
    eventually(lambda: page.evaluate("window.dialled") == ["tel:+50622221001"])
    page.get_by_role("button", name="Answered").click()
    page.locator("article .badge", has_text="Talking").wait_for()
    page.get_by_label("Note").fill("Call back on Monday")
    page.get_by_role("button", name="Hold").click()
    page.locator("article .badge", has_text="On hold").wait_for()
    assert page.get_by_label("Note").input_value() == "Call back on Monday"
    page.get_by_role("button", name="End as completed").click()
    page.locator("#wrap_up").wait_for()
    page.locator("#recent_calls", has_text="María Solano").wait_for()
    page.locator("#card_calls_made .card-value", has_text=re.compile("^1$")).wait_for()
    call = CallLog.objects.get()
    assert (call.status, call.notes) == (timeline.COMPLETED, "Call back on Monday")
    assert page.url.endswith("/")


def test_the_keyboard_alone_does_it_all(visit, live_people, maria):
    page = visit(live_people.alice)
    page.locator("#q").focus()
    page.keyboard.type("solano")
    page.get_by_text("Pedro Mora").wait_for(state="detached")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("article.call").wait_for()
    for label in ("Hold", "Take off hold"):
        page.get_by_role("button", name=label, exact=True).focus()
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Hold", exact=True).wait_for()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Hold"
    page.get_by_role("button", name="No answer").focus()
    page.keyboard.press("Space")
    page.locator("#wrap_up").wait_for()
    assert CallLog.objects.get().status == timeline.NO_ANSWER
    for _ in range(50):  # the page policy forbids Playwright's own waiting for a function
        if page.evaluate("document.activeElement.tagName") != "BODY":
            break
        page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.tagName") != "BODY"


def test_a_double_click_starts_one_call(visit, live_people, maria):
    page = visit(live_people.alice)
    page.locator(".contact", has_text="María Solano").dblclick()
    page.locator("article.call").wait_for()
    page.wait_for_timeout(300)
    assert CallLog.objects.count() == 1


def test_a_second_call_asks_what_to_do_with_the_first(visit, live_people, maria):
    page = visit(live_people.alice)
    call_maria(page)
    page.locator("#q").fill("8888 1234")
    page.get_by_text("Call +506 8888 1234").or_(page.get_by_text("Call +50688881234")).click()
    first = page.locator("article.call", has_text="María Solano")
    first.get_by_text("What about this one?").wait_for()
    assert page.locator("article.call .clock").count() == 2
    page.locator("#timer", has_text="+1").wait_for()
    first.get_by_role("button", name="Keep both").click()
    page.get_by_text("What about this one?").wait_for(state="detached")
    first.get_by_role("button", name="End as completed").click()
    first.wait_for(state="detached")
    assert page.locator("article.call").count() == 1


def test_a_contact_that_is_gone_says_so_and_dials_nothing(visit, live_people, maria):
    page = visit(live_people.alice)
    visit.ignore("404")
    maria.delete()
    page.locator(".contact", has_text="María Solano").click()
    page.locator("#notice", has_text="No call was started.").wait_for()
    assert page.evaluate("window.dialled") == []
    assert CallLog.objects.count() == 0


def test_the_timer_survives_a_reload_a_second_tab_and_a_wrong_clock(visit, live_people):
    call = running(live_people.alice, ago=100)
    context = visit.context(live_people.alice)
    right = visit.tab(context)
    eventually(lambda: keeps_time(right, call))
    wrong = context.new_page()
    wrong.add_init_script("const now = Date.now; Date.now = () => now() + 5 * 3600 * 1000;")
    wrong.goto("/contacts/")
    right.reload()
    for _ in range(2):
        for page in (right, wrong):
            eventually(lambda page=page: keeps_time(page, call))
        wrong.wait_for_timeout(3500)  # a clock that stands would be out by more than is allowed
    clock = wrong.locator("#timer .clock")
    eventually(lambda: wrong.title().startswith(f"{clock.inner_text()} · "))


def test_a_jump_of_the_local_clock_asks_the_server_again(visit, live_people):
    call = running(live_people.alice, ago=30)
    page = visit(live_people.alice)
    page.locator("html[data-live=on]").wait_for(state="attached")
    page.wait_for_load_state("networkidle")
    with page.expect_response("**/timer/"):
        page.evaluate("const now = Date.now; Date.now = () => now() + 3600 * 1000;")
    eventually(lambda: keeps_time(page, call))


def test_a_pause_in_one_tab_stops_the_clock_in_the_other(visit, live_people):
    running(live_people.alice, ago=30)
    context = visit.context(live_people.alice)
    one, other = visit.tab(context), visit.tab(context)
    one.get_by_role("button", name="Pause the clock").click()
    for page in (one, other):
        page.locator("#timer", has_text="Paused").wait_for()
    stopped = shown_seconds(other)
    other.wait_for_timeout(1500)
    assert shown_seconds(other) == shown_seconds(one) == stopped


# What the timer shows, text and colour at one instant, again and again.
LOOKS = """
window.looks = [];
setInterval(() => {
  const [timer, clock] = ["#timer", "#timer .clock"].map((one) => document.querySelector(one));
  if (!clock) return;
  const colour = timer.className.match(/green|amber|red/)?.[0];
  window.looks.push([clock.textContent.trim(), colour]);
}, 20);
"""


def test_the_timer_changes_its_colour_while_it_runs(visit, live_people):
    running(live_people.alice, ago=112)
    context = visit.context(live_people.alice)
    context.add_init_script(LOOKS)
    page = visit.tab(context)
    page.locator("#timer.timer-amber").wait_for()
    page.locator("article .clock-amber").wait_for()
    looks = page.evaluate("window.looks")
    assert {colour for _, colour in looks} == {"green", "amber"}
    assert all((colour == "green") == (text < "02:00") for text, colour in looks)


def test_the_open_page_is_the_call_s_sign_of_life(visit, live_people):
    call = running(live_people.alice, ago=200)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=call.start_time)
    visit(live_people.alice, "/contacts/")

    def alive() -> bool:
        call.refresh_from_db()
        return now() - call.last_seen_at < dt.timedelta(seconds=10)

    eventually(alive)


def test_clicks_made_without_a_server_wait_and_arrive_with_their_time(
    visit, server, live_people, maria
):
    visit.ignore(*GONE)
    call = running(live_people.alice, ago=60, contact_phone="+50688881234")
    page = visit(live_people.alice)
    page.locator("article.call").wait_for()
    server.kill()
    page.locator("#network").wait_for()
    before, begun = shown_seconds(page), now()
    page.get_by_role("button", name="End as completed").click()
    page.locator(".contact", has_text="María Solano").click()
    page.locator("#waiting li").nth(1).wait_for()
    assert page.locator("#waiting .badge", has_text="will be sent").count() == 2
    page.wait_for_timeout(2500)
    assert shown_seconds(page) > before
    restarted = now()
    server.start()
    page.locator("#waiting").wait_for(state="hidden")
    page.locator("article.call", has_text="María Solano").wait_for()
    page.locator("#network").wait_for(state="hidden")
    call.refresh_from_db()
    assert begun <= call.end_time < restarted  # when it was clicked, not when it arrived
    assert begun <= CallLog.objects.active().get().start_time < restarted
    assert page.evaluate("localStorage.length") in (0, 1)
    assert page.evaluate("Object.values(localStorage).every((kept) => kept === '[]')")


def test_a_waiting_click_survives_closing_the_tab(visit, server, live_people):
    visit.ignore(*GONE)
    call = running(live_people.alice, ago=60)
    context = visit.context(live_people.alice)
    page = visit.tab(context)
    page.locator("article.call").wait_for()
    server.kill()
    page.get_by_role("button", name="No answer").click()
    page.locator("#waiting li").wait_for()
    page.close()
    server.start()
    visit.tab(context, "/contacts/")

    def ended() -> bool:
        call.refresh_from_db()
        return call.status == timeline.NO_ANSWER

    eventually(ended)


def test_a_call_started_and_ended_without_a_server_is_one_whole_call(
    visit, server, live_people, maria
):
    visit.ignore(*GONE)
    page = visit(live_people.alice)
    server.kill()
    begun = now()
    page.locator(".contact", has_text="María Solano").click()
    line = page.locator("#waiting li")
    line.wait_for()
    eventually(lambda: page.evaluate("window.dialled") == ["tel:+50622221001"])
    page.wait_for_timeout(3200)
    line.get_by_role("button", name="End as completed").click()
    page.wait_for_timeout(2500)  # a click younger than two seconds counts from its arrival
    restarted = now()
    server.start()
    delivered = "Object.values(localStorage).every((clicks) => clicks === '[]')"
    eventually(lambda: page.evaluate(delivered))
    call = CallLog.objects.get()
    assert call.contact == maria
    assert call.status == timeline.COMPLETED
    # By the clicks, not by what arrived after the restart; the way only bounds the instant.
    assert begun <= call.start_time < call.end_time < restarted
    assert call.duration_seconds >= 1


def test_a_call_ended_elsewhere_leaves_the_desk_by_itself(visit, live_people):
    call = running(live_people.alice, ago=20)
    context = visit.context(live_people.alice)
    one, other = visit.tab(context), visit.tab(context)
    other.locator("article.call").wait_for()
    one.get_by_role("button", name="Dropped").click()
    other.locator("#wrap_up").wait_for()
    call.refresh_from_db()
    assert call.status == timeline.DROPPED
