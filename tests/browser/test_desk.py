"""The desk in a real browser, on the real server: a day's work, and what goes wrong in one."""

import datetime as dt
import re
import uuid

import pytest
from playwright.sync_api import expect

from calls import services, timeline
from calls.models import CallAlias, CallLog, Contact
from common.instants import now
from tests.support.browsing import GONE, settle, shown_seconds, stop_clock
from tests.support.patience import await_that

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

# How long the network was gone, by the page's clock: far longer than any test takes.
AWAY = dt.timedelta(minutes=10)
SECOND, MILLISECOND = dt.timedelta(seconds=1), dt.timedelta(milliseconds=1)


@pytest.fixture
def maria(live_people) -> Contact:
    Contact.objects.create(name="Pedro Mora", phone="+50687654321")
    return Contact.objects.create(name="María Solano", phone="+50622221001", company="Acme")


def running(user, ago: float = 0, **about) -> CallLog:
    reported = services.ReportedTime(now() - dt.timedelta(seconds=ago), explicit=True)
    return services.start_call(user, reported=reported, **about)[0]


def timer_of(page):
    return page.locator("#timer .clock")


def keeps_time(page, call: CallLog, asked: dt.datetime) -> bool:
    """The call's true length is shown, as the server has told it after `asked`."""
    shown = shown_seconds(timer_of(page))
    earliest, latest = asked - call.start_time, now() - call.start_time
    return earliest // SECOND <= shown <= latest // SECOND


def call_maria(page) -> None:
    page.locator("#q").fill("solano")
    page.locator(".contact", has_text="María Solano").click()
    page.locator("article.call", has_text="María Solano").wait_for()


@pytest.mark.engines
def test_a_call_from_the_search_to_the_figures(visit, live_people, maria):
    page = visit(live_people.alice)
    assert page.locator("#timer").inner_text().split() == ["Call", "timer:", "00:00", "No", "call"]
    page.locator("#q").fill("pedro")
    page.get_by_text("María Solano").wait_for(state="detached")
    call_maria(page)
    await_that(lambda: page.evaluate("window.dialled") == ["tel:+50622221001"])
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


def test_the_other_numbers_of_a_contact_are_in_a_menu_beside_it(visit, live_people, maria):
    maria.set_numbers([("+50622221001", "work"), ("8888 7777", "mobile"), ("22221002", "fax")])
    page = visit(live_people.alice)
    settle(page)
    menu = page.locator(".contact-row", has_text="María Solano").locator("details")
    mobile = menu.locator(".contact", has_text="+506 8888 7777")
    expect(mobile).to_be_hidden()
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(mobile).to_contain_text("mobile")
    page.keyboard.press("Tab")
    expect(mobile).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("article.call", has_text="María Solano").wait_for()
    await_that(lambda: page.evaluate("window.dialled") == ["tel:+50688887777"])
    call = CallLog.objects.get()
    assert (call.contact, call.contact_phone) == (maria, "+50688887777")


def test_whoever_searches_for_a_number_calls_that_number(visit, live_people, maria):
    maria.set_numbers([("+50622221001", "work"), ("8888 7777", "mobile")])
    page = visit(live_people.alice)
    settle(page)
    page.locator("#q").fill("8888 7777")
    page.get_by_text("Pedro Mora").wait_for(state="detached")
    page.locator(".contact", has_text="María Solano").click()
    page.locator("article.call", has_text="María Solano").wait_for()
    await_that(lambda: page.evaluate("window.dialled") == ["tel:+50688887777"])
    assert CallLog.objects.get().contact_phone == "+50688887777"


def test_the_keyboard_alone_does_it_all(visit, live_people, maria):
    page = visit(live_people.alice)
    settle(page)
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
    expect(page.get_by_role("button", name="Hold", exact=True)).to_be_focused()
    page.get_by_role("button", name="No answer").focus()
    page.keyboard.press("Space")
    page.locator("#wrap_up").wait_for()
    assert CallLog.objects.get().status == timeline.NO_ANSWER
    page.locator(":focus").wait_for()  # not lost with the button that was pressed


def test_a_double_click_starts_one_call(visit, live_people, maria):
    page = visit(live_people.alice)
    page.locator(".contact", has_text="María Solano").dblclick()
    page.get_by_role("button", name="Hold").click()  # clicks are sent in order: behind the second
    page.locator("article .badge", has_text="On hold").wait_for()
    assert CallLog.objects.count() == 1


def test_a_press_is_a_click_though_the_part_changes_meanwhile(visit, live_people, maria):
    """What is held down, by key or pointer, is not replaced until it is let go."""
    calls = [running(live_people.alice, contact_phone=f"8888 000{n}") for n in range(2)]
    page = visit(live_people.alice)
    settle(page)
    presses = {"mouse": (page.mouse.down, page.mouse.up)}
    presses["key"] = (lambda: page.keyboard.down("Space"), lambda: page.keyboard.up("Space"))
    for call, (press, let_go) in zip(calls, presses.values(), strict=True):
        button = page.locator(f"#call_{call.call_id}").get_by_role("button", name="No answer")
        button.focus()
        button.hover()
        press()
        with page.expect_response("**/calls/current/"):
            another = running(live_people.alice, contact_phone="8888 7777")
        let_go()
        page.locator(f"#call_{call.call_id}").wait_for(state="detached")
        page.locator(f"#call_{another.call_id}").wait_for()
    assert {call.status for call in CallLog.objects.ended()} == {timeline.NO_ANSWER}
    assert set(CallLog.objects.ended()) == set(calls)


def test_a_note_stays_when_the_call_takes_the_id_of_its_click(visit, live_people, maria):
    call = running(live_people.alice, contact_phone="8888 7777")
    page = visit(live_people.alice)
    settle(page)
    page.get_by_label("Note").fill("Call back on Monday")
    CallAlias.objects.create(alias=call.call_id, call=call)
    CallLog.objects.filter(pk=call.pk).update(call_id=uuid.uuid4())
    services.step(call.call_id, live_people.alice, "answer")  # an old id is the call's, too
    page.locator("article .badge", has_text="Talking").wait_for()
    expect(page.get_by_label("Note")).to_have_value("Call back on Monday")
    page.get_by_role("button", name="End as completed").click()
    page.locator("#wrap_up").wait_for()
    assert CallLog.objects.get().notes == "Call back on Monday"


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
    call, asked = running(live_people.alice, ago=100), now()
    context = visit.context(live_people.alice, clock=asked)
    one, other = visit.tab(context), visit.tab(context, "/contacts/")
    wrong = visit(live_people.alice, "/contacts/", clock=asked + dt.timedelta(hours=5))
    for page in (one, other, wrong):
        await_that(lambda page=page: keeps_time(page, call, asked))
    asked = now()
    one.reload()
    await_that(lambda: keeps_time(one, call, asked))
    for page in (one, other, wrong):
        settle(page)
    stop_clock(one)  # and with it the other of the same browser
    stop_clock(wrong)

    def goes_on(page):
        shown = shown_seconds(timer_of(page))
        page.clock.run_for(3000)
        went_on = shown_seconds(timer_of(page)) == shown + 3
        return went_on and page.title().startswith(f"{timer_of(page).inner_text()} · ")

    for page in (one, other, wrong):
        # The minute that passed at once asks the server again; its answer may come in between.
        await_that(lambda page=page: goes_on(page))


def test_a_jump_of_the_local_clock_asks_the_server_again(visit, live_people):
    call, asked = running(live_people.alice, ago=30), now()
    page = visit(live_people.alice, clock=asked)
    settle(page)
    with page.expect_response("**/timer/"):
        page.clock.set_system_time(asked + dt.timedelta(hours=1))
        page.clock.run_for(1500)  # the next look at the clock, and what follows from it
    await_that(lambda: keeps_time(page, call, asked))


def test_a_pause_in_one_tab_stops_the_clock_in_the_other(visit, live_people):
    running(live_people.alice, ago=30)
    context = visit.context(live_people.alice, clock=now())
    one, other = visit.tab(context), visit.tab(context)
    one.get_by_role("button", name="Pause the clock").click()
    for page in (one, other):
        page.locator("#timer", has_text="Paused").wait_for()
        settle(page)
    stopped = shown_seconds(timer_of(other))
    one.clock.run_for(90_000)
    assert shown_seconds(timer_of(other)) == shown_seconds(timer_of(one)) == stopped


# What a clock shows, text and colour, at one instant.
LOOK = """(clock) => [
  clock.textContent.trim(),
  (clock.closest(".timer") || clock).className.match(/green|amber|red/)?.[0],
]"""


def test_the_clocks_change_their_colour_on_the_second(visit, live_people):
    running(live_people.alice)
    page = visit(live_people.alice, clock=now())
    settle(page)
    stop_clock(page)
    head, panel = timer_of(page), page.locator("article .clock")
    page.clock.run_for((119 - shown_seconds(head)) * 1000)
    assert head.evaluate(LOOK) == ["01:59", "green"]
    page.clock.run_for(1000)
    assert head.evaluate(LOOK) == ["02:00", "amber"]
    page.clock.run_for((299 - shown_seconds(panel)) * 1000)
    assert panel.evaluate(LOOK) == ["04:59", "amber"]
    page.clock.run_for(1000)
    assert panel.evaluate(LOOK) == ["05:00", "red"]
    assert head.evaluate(LOOK)[1] == "red"


def test_the_open_page_is_the_call_s_sign_of_life(visit, live_people):
    call = running(live_people.alice, ago=200)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=call.start_time)
    opened = now()
    visit(live_people.alice, "/contacts/")

    def alive() -> bool:
        call.refresh_from_db()
        return call.last_seen_at >= opened

    await_that(alive)


def is_off(page) -> None:
    """The page says that the network is gone; from then on its clock stands."""
    page.locator("#network").wait_for()
    stop_clock(page)


def test_clicks_made_without_a_server_wait_and_arrive_with_their_time(
    visit, server, live_people, maria
):
    visit.ignore(*GONE)
    call = running(live_people.alice, ago=3600, contact_phone="+50688881234")
    page = visit(live_people.alice, clock=now())
    settle(page)
    server.kill()
    is_off(page)
    page.get_by_role("button", name="End as completed").click()
    page.locator(".contact", has_text="María Solano").click()
    shown = shown_seconds(timer_of(page))
    page.clock.run_for(2000)
    assert shown_seconds(timer_of(page)) == shown + 2
    page.locator("#waiting li").nth(1).wait_for()
    assert page.locator("#waiting .badge", has_text="will be sent").count() == 2
    server.start()
    restarted = now()
    page.clock.fast_forward(AWAY / MILLISECOND - 2000)
    page.clock.resume()
    page.locator("#waiting").wait_for(state="hidden")
    page.locator("article.call", has_text="María Solano").wait_for()
    page.locator("#network").wait_for(state="hidden")
    call.refresh_from_db()
    # When it was clicked, not when it arrived.
    assert restarted - AWAY <= call.end_time <= now() - AWAY
    assert restarted - AWAY <= CallLog.objects.active().get().start_time <= now() - AWAY
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

    await_that(ended)


def test_a_call_started_and_ended_without_a_server_is_one_whole_call(
    visit, server, live_people, maria
):
    visit.ignore(*GONE)
    page = visit(live_people.alice, clock=now())
    settle(page)
    server.kill()
    is_off(page)
    clicked = now()
    page.locator(".contact", has_text="María Solano").click()
    await_that(lambda: page.evaluate("window.dialled") == ["tel:+50622221001"])
    line = page.locator("#waiting li")
    line.wait_for()
    page.clock.run_for(65_000)
    line.get_by_role("button", name="End as completed").click()
    clicking = now() - clicked  # the driven clock goes on meanwhile
    server.start()
    restarted = now()
    page.clock.fast_forward(AWAY / MILLISECOND)
    page.clock.resume()
    delivered = "Object.values(localStorage).every((clicks) => clicks === '[]')"
    await_that(lambda: page.evaluate(delivered))
    call = CallLog.objects.get()
    assert call.contact == maria
    assert call.status == timeline.COMPLETED
    # By the clicks, not by what arrived after the restart; each click's time is known as well as
    # its request was quick.
    assert restarted - AWAY <= call.end_time <= now() - AWAY
    way = now() - restarted
    talked = dt.timedelta(seconds=65)
    assert talked - way <= call.end_time - call.start_time <= talked + clicking + way


def test_a_call_ended_elsewhere_leaves_the_desk_by_itself(visit, live_people):
    call = running(live_people.alice, ago=20)
    context = visit.context(live_people.alice)
    one, other = visit.tab(context), visit.tab(context)
    other.locator("article.call").wait_for()
    one.get_by_role("button", name="Dropped").click()
    other.locator("#wrap_up").wait_for()
    call.refresh_from_db()
    assert call.status == timeline.DROPPED
    told = re.compile(r"Call ended: \d\d:\d\d · Average \d\d:\d\d · 1 call today")
    for page in (one, other):
        expect(page.locator("#notice")).to_have_text(told)


def test_a_call_that_a_program_ends_is_told_on_every_page(visit, live_people):
    call = running(live_people.alice, ago=20)
    page = visit(live_people.alice, "/calls/")
    settle(page)
    services.end_call(call.call_id, live_people.alice)
    expect(page.locator("#notice")).to_contain_text(re.compile(r"Call ended: 00:\d\d"))
