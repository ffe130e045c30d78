"""The live pages in a real browser: what happens elsewhere shows by itself."""

import datetime as dt
import os

import httpx
import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from accounts.models import User
from calls import services, timeline
from calls.models import CallLog
from common.instants import now, today
from tests.support.browsing import GONE, settle, shown_seconds, stop_clock
from tests.support.lines import standing_still
from tests.support.patience import await_that
from tests.support.people import key_of, make_call
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


class Program:
    """An agent's desktop program."""

    def __init__(self, server: Server, user: User):
        self.http = httpx.Client(
            base_url=server.url, headers={"X-API-Key": key_of(user)}, timeout=30
        )

    def start(self, **body: str) -> str:
        return self.http.post("/api/calls/start", json=body).json()["call_id"]

    def end(self, call_id: str, **body: str) -> None:
        assert self.http.post("/api/calls/end", json={"call_id": call_id} | body).status_code == 200


def around_today() -> str:
    """A period that no midnight ends: yesterday to tomorrow."""
    first, last = today() - dt.timedelta(days=1), today() + dt.timedelta(days=1)
    return f"period=range&from={first}&to={last}"


def wall(page: Page, title: str):
    return page.locator("section", has=page.get_by_role("heading", name=title))


@pytest.mark.engines
def test_a_call_appears_and_counts_without_reload(live_people, server, visit):
    program = Program(server, live_people.alice)
    page = visit(live_people.sue, f"/team/?{around_today()}", clock=now())
    settle(page)
    page.evaluate("window.notReloaded = true")
    on_call, table = wall(page, "On a call now"), page.locator("#team_table")
    expect(on_call).to_contain_text("Nobody is on a call")

    call_id = program.start(contact_phone="+506 8888 1111")
    expect(on_call).to_contain_text("+506 8888 1111")
    expect(on_call).to_contain_text("Alice")
    settle(page)
    clock = on_call.locator("[data-clock]")
    shown = shown_seconds(clock)
    page.clock.run_for(60_000)
    assert shown_seconds(clock) >= shown + 58  # at its last tick

    program.end(call_id, status="FAILED")
    expect(on_call).to_contain_text("Nobody is on a call")
    alice = table.get_by_role("row").filter(has_text="Alice")
    expect(alice.get_by_role("cell").nth(2)).to_have_text("1")  # failed
    expect(wall(page, "Free")).to_contain_text("Alice")
    assert page.evaluate("window.notReloaded") is True


def test_the_last_of_many_changes_is_shown(live_people, server, visit):
    programs = [Program(server, person) for person in (live_people.alice, live_people.bob)]
    page = visit(live_people.sue, f"/team/?{around_today()}")
    settle(page)
    for _ in range(8):
        for program in programs:
            program.end(program.start())
    total = page.locator("#team_table tfoot td").first
    expect(total).to_have_text("16")


def test_hold_and_pause_show_on_the_wall(live_people, server, visit):
    program = Program(server, live_people.alice)
    call_id = program.start()
    page = visit(live_people.sue, "/team/", clock=now())
    settle(page)
    on_call = wall(page, "On a call now")
    for step, word in (
        ("answer", "Talking"),
        ("hold", "On hold"),
        ("resume", "Talking"),
        ("pause", "Paused"),
    ):
        program.http.post(f"/api/calls/{call_id}/{step}", json={})
        expect(on_call.locator(".badge")).to_have_text(word)
    stands = on_call.locator("[data-clock]").inner_text()
    page.clock.run_for(60_000)
    assert on_call.locator("[data-clock]").inner_text() == stands


def test_the_organisation_counts_along(live_people, server, visit):
    program = Program(server, live_people.carol)
    page = visit(live_people.ada, f"/organization/?{around_today()}")
    settle(page)
    blue = page.get_by_role("row").filter(has_text="Blue")
    expect(blue.get_by_role("cell").nth(1)).to_have_text("0")
    call_id = program.start()
    expect(blue.get_by_role("cell").nth(1)).to_have_text("1")
    program.end(call_id)
    expect(page.locator("#card_calls_made .card-value")).to_have_text("1")


@pytest.mark.engines
def test_the_page_comes_back_after_the_server_was_gone(live_people, server, visit):
    visit.ignore(*GONE)
    page = visit(live_people.sue, "/team/", clock=now())
    settle(page)
    server.kill()
    expect(page.locator("html[data-live=off]")).to_be_attached()
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    stop_clock(page)
    services.start_call(live_people.alice, contact_phone="8888 1111")  # while nobody listens
    server.start()
    page.clock.fast_forward(21_000)  # longer than a page ever waits to connect again
    page.clock.resume()
    expect(page.locator("html[data-live=on]")).to_be_attached()
    expect(wall(page, "On a call now")).to_contain_text("8888 1111")


@pytest.mark.engines
def test_a_page_shows_what_happened_while_the_server_stood_still(live_people, server, visit):
    page = visit(live_people.sue, f"/team/?{around_today()}")
    settle(page)
    page.evaluate("window.notReloaded = true")
    with standing_still(server):
        for _ in range(20):
            call, _ = services.start_call(live_people.alice)
            services.end_call(call.call_id, live_people.alice)
        services.start_call(live_people.bob, contact_phone="8888 1111")
    expect(page.locator("#team_table tfoot td").first).to_have_text("20")
    expect(wall(page, "On a call now")).to_contain_text("8888 1111")
    assert page.evaluate("window.notReloaded") is True


def test_a_frame_that_is_lost_between_server_and_page_is_missed(live_people, server, visit):
    """The frame that follows is none of the desk's business; only its number says that."""
    own = Program(server, live_people.sue)
    lost: list[str] = []

    def between(line) -> None:
        def hand_on(text: str) -> None:
            if "call_started" in text and not lost:
                lost.append(text)
            else:
                line.send(text)

        line.connect_to_server().on_message(hand_on)

    page = visit.context(live_people.sue).new_page()
    page.route_web_socket("**/ws/dashboard/", between)
    page.goto("/")
    settle(page)
    call_id = own.start(contact_phone="8888 1111")
    Program(server, live_people.alice).start()
    expect(page.locator("#current_calls")).to_contain_text("8888 1111")
    assert call_id in lost[0]


@pytest.mark.engines
def test_a_page_whose_session_has_ended_goes_to_sign_in(live_people, server, visit):
    visit.ignore("WebSocket")
    page = visit(live_people.sue, "/team/")
    settle(page)
    Session.objects.all().delete()
    page.wait_for_url("**/login/?next=/team/")


def test_a_page_that_made_room_for_newer_ones_waits_until_it_is_looked_at(
    live_people, server, visit
):
    page = visit.context(live_people.sue, clock=now()).new_page()
    lines = []

    def close(line) -> None:
        lines.append(line)
        line.close(code=4429)

    page.route_web_socket("**/ws/dashboard/", close)
    page.goto("/team/")
    expect(page.locator("html[data-live=off]")).to_be_attached()
    page.clock.run_for(21_000)  # longer than a page ever waits after another end of its line
    assert len(lines) == 1
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await_that(lambda: page.title() and len(lines) == 2)


def test_another_team_neither_shows_nor_makes_requests(live_people, server, visit):
    heard: list[str] = []
    asked: list[str] = []
    page = visit.context(live_people.sam).new_page()
    page.on("websocket", lambda line: line.on("framereceived", lambda text: heard.append(text)))
    page.goto("/team/")
    settle(page)
    page.on("request", lambda request: asked.append(request.url))
    red, blue = (Program(server, person) for person in (live_people.alice, live_people.carol))
    call_id = red.start(contact_phone="8888 1111")
    red.end(call_id)
    own = blue.start(contact_phone="8888 2222")  # what Sam does hear, behind what he must not
    expect(wall(page, "On a call now")).to_contain_text("8888 2222")
    settle(page)
    assert own in "".join(heard) and call_id not in "".join(heard)
    assert len([url for url in asked if "/team/" in url]) == 1
    assert "8888 1111" not in page.content()


LINE_SCRIPT_IS_THERE = """() => performance.getEntriesByType("resource")
  .some(({ name, responseEnd }) => name.includes("/js/live.") && responseEnd > 0)"""
ANOTHER_LINE = """() => new Promise((opened) =>
  new WebSocket(`ws://${location.host}/ws/dashboard/`).addEventListener("open", () => opened()))"""
PARTS = ("/recent/", "/calls/current/", "/calls/unconfirmed/")


def listening(visit, person, server):
    """A page, what it asks for, and the script that notes what it hears."""
    page = visit.context(person).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(server.url)))
    page.add_init_script(
        """window.heard = [];
        document.addEventListener("live", ({ detail }) => window.heard.push(detail.type), true);"""
    )
    return page, asked


def test_what_happens_is_asked_for_once(live_people, server, visit):
    """Once an event; a page that gets the focus, which a browser gives at any time, asks anew."""
    page, asked = listening(visit, live_people.alice, server)

    def check(*said: str) -> None:
        settle(page)
        heard = page.evaluate("window.heard")
        assert [event for event in heard if event != "resync"] == list(said)
        for part in PARTS:
            assert len(said) <= asked.count(part) <= len(heard)

    page.goto("/")
    check("connected")  # what was missed before the line
    Program(server, live_people.alice).start(contact_phone="8888 1111")
    expect(page.locator("#current_calls")).to_contain_text("8888 1111")
    check("connected", "call_started")


def test_a_page_whose_scripts_come_late_asks_for_what_it_missed(live_people, server, visit):
    """The line opens quickly; no part listens before the last script is there."""
    page, asked = listening(visit, live_people.alice, server)
    late = []
    page.route("**/js/keys*.js", lambda route: late.append(route))
    page.goto("/", wait_until="commit")
    page.wait_for_function(LINE_SCRIPT_IS_THERE)
    page.evaluate(ANOTHER_LINE)  # which opens after the page's own could have
    await_that(lambda: page.evaluate("true") and late)
    late[0].continue_()
    settle(page)
    assert "connected" in page.evaluate("window.heard")
    assert all(part in asked for part in PARTS)


def test_filters_go_into_the_address_and_back_again(live_people, visit):
    make_call(live_people.alice, contact_phone="8888 1111")
    make_call(live_people.bob, contact_phone="8888 2222", status=timeline.FAILED)
    page = visit(live_people.sue, "/calls/")
    table = page.locator("#calls_table")
    expect(table.locator("tbody tr")).to_have_count(2)
    page.locator("#id_status").select_option("FAILED")
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(table).to_contain_text("8888 2222")
    assert "status=FAILED" in page.url
    page.reload()
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(page.locator("#id_status")).to_have_value("FAILED")
    page.go_back()
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("heading", name="Call history", exact=True)).to_be_visible()


def test_a_wrong_filter_is_said_at_its_field_at_once(live_people, visit):
    make_call(live_people.alice)
    page = visit(live_people.sue, f"/calls/?end_date={today() - dt.timedelta(days=2)}")
    page.locator("#id_start_date").fill(str(today()))
    expect(page.locator("#error_start_date")).to_have_text("The first day is after the last day.")
    expect(page.locator("#calls_table")).to_contain_text("No calls are shown")
    page.locator("#id_end_date").fill(str(today()))
    expect(page.locator("#error_start_date")).to_be_empty()


def test_a_supervisor_confirms_and_corrects_a_call(live_people, visit):
    call, _ = services.start_call(
        live_people.alice, reported=services.ReportedTime(now() - dt.timedelta(hours=1))
    )
    services.close_stale_calls()
    page = visit(live_people.sue, f"/calls/{call.call_id}/")
    page.get_by_role("button", name="Confirm as it stands").click()
    expect(page.get_by_text("Confirmed. The call counts now.")).to_be_visible()
    page.get_by_label("Status").select_option("FAILED")
    page.get_by_label("Reason").fill("Alice says the line was dead")
    page.get_by_role("button", name="Save the correction").click()
    expect(page.locator("#ledger")).to_contain_text("Alice says the line was dead")
    assert CallLog.objects.get(pk=call.pk).status == timeline.FAILED


@pytest.mark.engines
@pytest.mark.skipif(not os.environ.get("REDIS_URL"), reason="one process only without REDIS_URL")
def test_a_call_that_another_process_takes_shows_too(live_people, server, visit):
    second = Server().start()
    try:
        page = visit(live_people.sue, "/team/")
        settle(page)
        Program(second, live_people.alice).start(contact_phone="8888 1111")
        expect(wall(page, "On a call now")).to_contain_text("8888 1111")
    finally:
        second.kill()
