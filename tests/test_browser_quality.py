"""How good every page is, measured in a real browser: for everybody, on small screens, on paper.

axe-core (tests/vendor, MPL-2.0) looks for what hinders people; the rest the browser tells itself.
"""

from typing import Any

import pytest
from django.test import Client

from calls import services
from calls.models import CallLog, Disposition
from tests.browsing import Visits
from tests.server import ROOT, Server
from tests.test_markup import pages_of
from tests.test_roles import make_things

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

AXE = ROOT / "tests" / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (tags) => {
  const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(" ")}`);
}"""
WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
SIZES = [(1280, 800), (360, 740)]
# A search shows the way back to all.
ADMIN_SEARCHED = {"accounts/user", "accounts/team", "calls/contact"}
# Those that people have open all day, and one of each other kind.
MAIN = {"/", "/team/", "/organization/", "/calls/", "/contacts/import/", "/login/"}
MOST_SHIFT = 0.02
MOST_BYTES = 120 * 1024


@pytest.fixture
def places(live_people, tmp_path, settings) -> list[tuple[str, str]]:
    """Every page, as the right person, with something on it."""
    settings.DATA_DIR = tmp_path
    things = make_things(live_people)
    for number, code in enumerate(("sale", "later"), start=1):
        Disposition.objects.create(
            code=code, label_es=code.title(), label_en=code.title(), order=number
        )
    more = [("sue", "/calls/"), ("sue", f"/calls/{things['ended']}/"), ("ada", "/")]
    return pages_of(live_people, things) + more


def opened(visit: Visits, people: Any, who: str, url: str, **options: Any) -> Any:
    """The page, loaded; on a phone in the dark, so that both sizes are loaded once."""
    if options.get("color_scheme") == "dark":
        options["viewport"] = {"width": 360, "height": 740}
    user = None if who == "nobody" else getattr(people, who)
    context = visit.context(user, bypass_csp=True, **options)
    context.add_init_script(WATCH_SHIFTS)
    page = visit.tab(context, url)
    page.wait_for_load_state("load")
    return page


def faults_of(page: Any) -> list[str]:
    """What axe finds in the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    return page.evaluate(RUN_AXE, RULES)


def overhang(page: Any) -> int:
    """By how many pixels one would have to scroll sideways."""
    root = "document.documentElement"
    return page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_for_everybody_and_fits_a_small_screen(visit, live_people, places, theme):
    found: list[str] = []
    for who, url in places:
        page = opened(visit, live_people, who, url, color_scheme=theme)
        page.locator("#plots[hx-trigger=load]").wait_for(state="detached")
        page.wait_for_timeout(150)  # what loads late would shift what is there
        if page.evaluate("window.shift") >= MOST_SHIFT:
            found.append(f"{url}: moves by {page.evaluate('window.shift'):.3f}")
        sizes = SIZES if theme == "light" else SIZES[::-1]  # as it was opened, then the other
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            if url in MAIN or (width, height) == sizes[0]:
                found += [f"{who} {url} {width}: {fault}" for fault in faults_of(page)]
            if overhang(page) > 0:
                found.append(f"{who} {url} {width}: {overhang(page)} px too wide")
        page.context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_opens_on_a_page_is_for_everybody_too(visit, live_people, places, theme):
    CallLog.objects.filter(user=live_people.alice).active().delete()
    call, _ = services.start_call(live_people.alice)
    services.end_call(call.call_id, live_people.alice, wrap_up=True)
    page = opened(visit, live_people, "alice", "/", color_scheme=theme)
    page.locator("#wrap_up").wait_for()
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert faults_of(page) == []
        page.locator(".site-head .menu > summary").click()
        assert faults_of(page) == []
        page.locator(".site-head .menu > summary").click()
        page.keyboard.press("?")
        page.locator("#keys_help").wait_for()
        assert faults_of(page) == []
        assert overhang(page) <= 0
        page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lists_of_the_administration_are_for_everybody(visit, live_people, places, theme):
    """Single objects have boxes and hints of Django's own that axe complains of."""
    lists = ["accounts/user", "accounts/team", "accounts/apikey"]
    lists += ["calls/contact", "calls/disposition", "calls/diallink", "calls/rawevent"]
    for name in lists:
        url = f"/admin/{name}/?q=a" if name in ADMIN_SEARCHED else f"/admin/{name}/"
        page = opened(visit, live_people, "ada", url, color_scheme=theme)
        assert faults_of(page) == [], url
        assert overhang(page) <= 0, url
        page.context.close()


def test_the_style_guide_is_for_everybody(visit, transactional_db, browser):
    server = Server(DEBUG="1").start()
    try:
        guides = Visits(browser, server)
        for theme in ("light", "dark"):
            page = opened(guides, None, "nobody", "/styleguide/", color_scheme=theme)
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                assert faults_of(page) == []
                assert overhang(page) <= 0
        assert guides.close() == []
    finally:
        server.kill()


@pytest.fixture
def main_places(places) -> list[tuple[str, str]]:
    return [place for place in places if place[1] in MAIN]


def test_a_first_visit_loads_little(visit, live_people, main_places):
    for who, url in main_places:
        page = opened(visit, live_people, who, url)
        page.wait_for_load_state("networkidle")
        loaded = page.evaluate(
            """[...performance.getEntriesByType("navigation"),
                ...performance.getEntriesByType("resource")]
               .reduce((sum, entry) => sum + entry.transferSize, 0)"""
        )
        assert 20_000 < loaded < MOST_BYTES, (url, loaded)
        page.context.close()


def test_pages_can_be_printed(visit, live_people, main_places):
    for who, url in main_places:
        page = opened(visit, live_people, who, url, color_scheme="dark")
        page.emulate_media(media="print", color_scheme="dark")
        assert page.locator(".site-head").count() == 0 or page.locator(".site-head").is_hidden()
        assert page.locator("h1").is_visible(), url
        ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
        assert max(map(int, ink.removeprefix("rgb(").rstrip(")").split(","))) < 100, (url, ink)
        assert page.pdf(format="A4").startswith(b"%PDF"), url
        page.context.close()


def test_everything_is_said_under_one_strict_policy(client, people):
    client.force_login(people.alice)
    policy = client.get("/")["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'self'" in policy
    assert Client().get("/login/")["Content-Security-Policy"] == policy
