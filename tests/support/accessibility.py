"""What every page is measured by: axe-core (tests/vendor, MPL-2.0), its width, and what moves."""

from collections.abc import Iterator
from typing import Any

import pytest

from calls.models import Disposition
from tests.callmanager.test_markup import pages_of
from tests.support.browsing import Visits, settle
from tests.support.doors import make_things
from tests.support.people import People
from tests.support.server import ROOT

AXE = ROOT / "tests" / "vendor" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
# No page has a frame, a sound or a film, so axe need not look for them or fetch the styles anew.
RUN_AXE = """async (rules) => {
  const { violations } = await axe.run(document, {
    runOnly: rules, resultTypes: ["violations"], preload: false, iframes: false,
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.target).join(" ")}`);
}"""
WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# What moves in a frame is reported once the frame has been painted.
PAINTED = """() => document.fonts.ready.then(() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true))))))"""
# The administration's links take a moment to change their colour.
RECOLOURED = """() => Promise.allSettled(document.getAnimations()
  .filter((one) => one instanceof CSSTransition).map((one) => one.finished)).then(() => true)"""
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
SIZES = (DESKTOP, PHONE)
MOST_SHIFT = 0.02


@pytest.fixture
def things(live_people: People, tmp_path, settings) -> dict[str, Any]:
    """What the pages show, and two outcomes to choose from."""
    settings.DATA_DIR = tmp_path
    for number, code in enumerate(("sale", "later"), start=1):
        label = code.title()
        Disposition.objects.create(code=code, label_es=label, label_en=label, order=number)
    return make_things(live_people)


@pytest.fixture
def places(things: dict[str, Any]) -> list[tuple[str, str]]:
    """(viewer, address) of every page, as the right person, with something on it."""
    more = [("sue", "/calls/"), ("sue", f"/calls/{things['ended']}/"), ("ada", "/")]
    return pages_of(things) + more


class Tour:
    """Goes from page to page, each person in one tab of one browser, with `options` of its own."""

    def __init__(self, visit: Visits, people: People, **options: Any):
        self._visit, self._people, self._options = visit, people, options
        self._tabs: dict[str, Any] = {}

    def all(self, places: list[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
        """(address, page at rest) of each of the `places`."""
        for who, url in places:
            yield url, self.opened(who, url)

    def opened(self, who: str, url: str) -> Any:
        """The page at `url`, with all that it loads late."""
        if who not in self._tabs:
            user = None if who == "nobody" else getattr(self._people, who)
            context = self._visit.context(user, **self._options)
            context.add_init_script(WATCH_SHIFTS)
            context.add_init_script(path=AXE)  # sent to the browser once, not for every page
            self._tabs[who] = context.new_page()
        page = self._tabs[who]
        page.goto(url)
        if page.locator("#timer").count():  # who is not signed in has no live line
            settle(page)
        page.evaluate(PAINTED)
        return page


def faults_of(page: Any, rules: Any = RULES) -> list[str]:
    """What axe finds in the page as it stands."""
    return page.evaluate(RUN_AXE, rules)


def faults_in_both_themes(page: Any) -> list[str]:
    """All that axe finds in the light; the dark has the same structure and other colours."""
    wear(page, "light")
    found = faults_of(page)
    wear(page, "dark")
    return found + faults_of(page, CONTRAST)


def wear(page: Any, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.evaluate(RECOLOURED)


def shift_of(page: Any) -> list[str]:
    """How far the page moved under the eyes while it loaded, if that was too far."""
    shift = page.evaluate("window.shift")
    return [f"moves by {shift:.3f}"] if shift >= MOST_SHIFT else []


def overhang_of(page: Any, size: dict[str, int]) -> list[str]:
    """By how many pixels one would have to scroll sideways on a screen of that size."""
    page.set_viewport_size(size)
    root = "document.documentElement"
    overhang = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
    return [f"{overhang} px too wide at {size['width']}"] if overhang > 0 else []
