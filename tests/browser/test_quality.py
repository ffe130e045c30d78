"""How good every page is, measured in a real browser: for everybody, on small screens, on paper."""

from typing import Any

import pytest
from django.test import Client

from calls import services
from calls.models import CallLog
from tests.support.accessibility import *  # noqa: F403  (fixtures: things, places)
from tests.support.accessibility import (
    DESKTOP,
    PHONE,
    SIZES,
    Tour,
    faults_in_both_themes,
    overhang_of,
    shift_of,
    wear,
)
from tests.support.administration import faults_of_administration
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

# Those that people have open all day, and one of each other kind.
MAIN = [
    ("alice", "/"),
    ("sue", "/team/"),
    ("ada", "/organization/"),
    ("alice", "/calls/"),
    ("alice", "/contacts/import/"),
    ("nobody", "/login/"),
    ("sue", "/calls/"),
    ("ada", "/"),
]
MOST_BYTES = 120 * 1024


def overhangs_of(page: Any) -> list[str]:
    return [fault for size in SIZES for fault in overhang_of(page, size)]


def test_every_page_is_for_everybody_and_fits_a_small_screen(visit, live_people, places):
    found = []
    # The same page about a part of its people is in tests/proof.
    whole = [(who, url) for who, url in places if "?" not in url]
    for url, page in Tour(visit, live_people, viewport=DESKTOP).all(whole):
        faults = shift_of(page) + faults_in_both_themes(page) + overhangs_of(page)
        page.set_viewport_size(DESKTOP)
        found += [f"{url}: {fault}" for fault in faults]
    assert not found, "\n".join(found)


def test_the_main_pages_are_for_everybody_on_a_phone_too(visit, live_people, things):
    found = []
    for url, page in Tour(visit, live_people, viewport=PHONE).all(MAIN):
        faults = shift_of(page) + faults_in_both_themes(page)
        found += [f"{url}: {fault}" for fault in faults]
    assert not found, "\n".join(found)


def test_what_opens_on_a_page_is_for_everybody_too(visit, live_people, things):
    CallLog.objects.filter(user=live_people.alice).active().delete()
    call, _ = services.start_call(live_people.alice)
    services.end_call(call.call_id, live_people.alice, wrap_up=True)
    page = Tour(visit, live_people).opened("alice", "/")
    page.locator("#wrap_up").wait_for()
    for size in SIZES:
        page.set_viewport_size(size)
        assert faults_in_both_themes(page) == []
        page.locator(".site-head .menu > summary").click()
        assert faults_in_both_themes(page) == []
        page.locator(".site-head .menu > summary").click()
        page.keyboard.press("?")
        page.locator("#keys_help").wait_for()
        assert faults_in_both_themes(page) == []
        assert overhang_of(page, size) == []
        page.keyboard.press("Escape")


@pytest.mark.parametrize("app", ["", "accounts"])  # the others are in tests/proof
def test_the_administration_is_for_everybody(visit, live_people, things, app):
    found = faults_of_administration(visit, live_people, app)
    assert not found, "\n".join(found)


def test_the_docs_of_the_api_are_in_the_clothes_of_the_site(visit, live_people):
    page = visit(live_people.alice, "/api/docs/", color_scheme="light")
    page.locator(".opblock").first.wait_for()
    site = page.context.new_page()
    site.goto("/")
    for theme in ("light", "dark"):
        assert look_of(page, theme) == look_of(site, theme)


def test_the_administration_is_in_the_clothes_of_the_site(visit, live_people):
    page = visit(live_people.ada, "/admin/", color_scheme="light")
    site = page.context.new_page()
    site.goto("/")
    for theme in ("light", "dark"):
        assert look_of(page, theme) == look_of(site, theme)


def look_of(page: Any, theme: str) -> list[str]:
    """The ground, the type and the header of a page."""
    wear(page, theme)
    return page.evaluate(
        """() => {
          const head = document.querySelector(".site-head");
          const brand = head.querySelector(".brand");
          const [ground, bar, name] = [document.body, head, brand].map((e) => getComputedStyle(e));
          return [ground.backgroundColor, bar.backgroundColor, bar.fontFamily, name.color,
            name.fontSize, brand.innerText, `${Math.round(head.getBoundingClientRect().height)}`,
            getComputedStyle(brand.querySelector("rect")).fill];
        }"""
    )


def test_the_style_guide_is_for_everybody(visit, live_people, transactional_db):
    server = Server(DEBUG="1").start()
    try:
        page = Tour(visit, live_people, base_url=server.url).opened("nobody", "/styleguide/")
        for size in SIZES:
            assert overhang_of(page, size) + faults_in_both_themes(page) == []
    finally:
        server.kill()


def test_a_first_visit_loads_little(visit, live_people, things):
    for place in MAIN:
        page = Tour(visit, live_people).opened(*place)  # a browser that has seen nothing yet
        loaded = page.evaluate(
            """[...performance.getEntriesByType("navigation"),
                ...performance.getEntriesByType("resource")]
               .reduce((sum, entry) => sum + entry.transferSize, 0)"""
        )
        assert 20_000 < loaded < MOST_BYTES, (place, loaded)
        page.context.close()


def test_pages_can_be_printed(visit, live_people, things):
    for url, page in Tour(visit, live_people, color_scheme="dark").all(MAIN):
        page.emulate_media(media="print", color_scheme="dark")
        assert page.locator(".site-head").count() == 0 or page.locator(".site-head").is_hidden()
        assert page.locator("h1").is_visible(), url
        ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
        assert max(map(int, ink.removeprefix("rgb(").rstrip(")").split(","))) < 100, (url, ink)
        assert page.pdf(format="A4").startswith(b"%PDF"), url
        page.emulate_media(media="screen", color_scheme="dark")


def test_everything_is_said_under_one_strict_policy(client, people):
    client.force_login(people.alice)
    policy = client.get("/")["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'self'" in policy
    assert Client().get("/login/")["Content-Security-Policy"] == policy
