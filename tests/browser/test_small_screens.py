"""What a phone shows at once, what opens there, and figures that stay on one line at any width."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from calls import services
from metrics.definitions import ON_CARDS, Sums
from metrics.exports.document import Document
from metrics.exports.pdf_file import laid_out
from metrics.models import DailyMetrics
from metrics.rollups.stored_rows import columns_of
from tests.support.accessibility import PAINTED
from tests.support.browsing import settle
from tests.support.patience import await_that
from tests.support.people import make_call

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

PHONE = {"width": 390, "height": 844}
WIDTHS = (320, 360, 390, 480, 481, 600, 768, 769, 900, 1088, 1089, 1280, 1920)
# 1,295 and 123,456 hours; a success rate with all its digits.
LARGE = (1295 * 3600 + 26 * 60, 123_456 * 3600 + 59 * 60)
# Lines that a figure takes, and how far it reaches out of what holds it.
BOXES = """(selector) => [...document.querySelectorAll(selector)].map((figure) => {
  const text = document.createRange();
  text.selectNodeContents(figure);
  const own = text.getBoundingClientRect();
  const holder = figure.parentElement.getBoundingClientRect();
  const lines = own.height / parseFloat(getComputedStyle(figure).lineHeight);
  const fault = lines > 1.5 ? "wraps" : own.right > holder.right + 0.5 ? "reaches out" : "";
  return fault && `${figure.textContent.trim()} ${fault} of ${holder.width}px`;
}).filter(Boolean)"""


def some_calls(person: User, count: int = 4) -> None:
    for number in range(count):
        make_call(person, 65, ago=120 + 90 * number)


def bottom(page: Any, selector: str, place: int = 0) -> float:
    """Where the box ends, in pixels from the top of the page."""
    box = page.locator(selector).nth(place).bounding_box()
    return box["y"] + box["height"]


@pytest.mark.parametrize(
    ("who", "url", "shown", "count"),
    [
        ("sue", "/calls/", ".totals .total", 7),
        ("sue", "/calls/", "#calls_table tbody tr", 2),
        ("sue", "/team/", ".card", 7),
        ("sue", "/team/", "#team_live .wall > li", 1),
        ("ada", "/organization/", ".card", 7),
        ("ada", "/organization/", "#organization_live tbody th", 1),
        ("sue", "/reports/", ".card", 7),
    ],
)
def test_figures_and_the_first_lines_are_on_the_first_screen_of_a_phone(
    live_people, visit, who, url, shown, count
):
    some_calls(live_people.alice)
    services.start_call(live_people.alice)
    page = visit(getattr(live_people, who), url, viewport=PHONE)
    settle(page)
    expect(page.locator(shown).nth(count - 1)).to_be_visible()
    page.evaluate(PAINTED)
    assert bottom(page, shown, count - 1) <= PHONE["height"]
    for line in page.locator(".period-bar, .call-filters").all():
        assert line.bounding_box()["height"] < 64


def test_what_a_line_of_a_phone_stands_for_opens_by_keyboard(live_people, visit):
    some_calls(live_people.alice)
    page = visit(live_people.sue, "/calls/", viewport=PHONE)
    settle(page)
    period = page.get_by_role("button", name="Period: All time")
    yesterday = page.get_by_role("link", name="Yesterday", exact=True)
    expect(yesterday).to_be_hidden()
    period.press("Enter")
    expect(period).to_have_attribute("aria-expanded", "true")
    expect(yesterday).to_be_visible()
    filters = page.get_by_role("button", name="Filters")
    filters.press("Space")
    page.locator("#id_status").select_option("NO_ANSWER")
    expect(page.locator("#calls_table")).to_contain_text("No call matches these filters.")
    expect(page.get_by_role("button", name="Filters 1")).to_be_visible()
    expect(filters).to_have_attribute("aria-expanded", "true")
    filters.press("Space")
    expect(page.locator("#id_status")).to_be_hidden()


def test_without_script_all_is_open(live_people, visit):
    page = visit(live_people.sue, "/calls/", viewport=PHONE, java_script_enabled=False)
    expect(page.get_by_role("link", name="Yesterday", exact=True)).to_be_visible()
    expect(page.locator("#id_status")).to_be_visible()
    expect(page.get_by_role("button", name="Filters")).to_be_hidden()


@pytest.mark.parametrize(("who", "url", "part"), [("sue", "/team/", "#team_live")])
def test_refresh_fetches_the_page_again_by_its_own_door(live_people, visit, who, url, part):
    page = visit(getattr(live_people, who), url)
    settle(page)
    page.evaluate("window.notReloaded = true")
    page.locator(part).evaluate("(part) => part.dataset.old = 'yes'")
    with page.expect_response(lambda answer: answer.url.endswith(url)) as answer:
        page.get_by_role("link", name="Refresh").click()
    assert answer.value.request.headers["hx-request"] == "true"
    expect(page.locator(f"{part}[data-old]")).to_have_count(0)
    expect(page.locator(part)).to_be_visible()
    assert page.evaluate("window.notReloaded")


def expect_no_faults(page: Page, figure: str) -> None:
    """A page that has another width takes some frames to be laid out anew."""
    faults: list[str] = []

    def is_laid_out() -> bool:
        faults[:] = page.evaluate(BOXES, figure)
        return not faults

    await_that(is_laid_out, say=lambda: f"{page.url}: {faults}")


def large_sums(seconds: int) -> Sums:
    return Sums(
        calls_success=8_765_432,
        calls_dropped=1_234_567,
        calls_answered=8_765_432,
        total_talk_time=seconds,
        total_duration=seconds,
        ring_time=seconds,
        longest_call=99 * 3600 + 3599,
    )


@pytest.mark.parametrize("font", ["own", "system"])
@pytest.mark.parametrize(("language", "seconds"), list(zip(("es", "en"), LARGE, strict=True)))
def test_no_figure_wraps_or_reaches_out_at_any_width(live_people, visit, language, seconds, font):
    """Nor where the page's own font did not come in time, so that the system's, often wider, is
    used."""
    make_call(live_people.alice)
    DailyMetrics.objects.filter(user=live_people.alice).update(**columns_of(large_sums(seconds)))
    for person, url, figure in (
        ("alice", "/", ".card-value, .card-change"),
        ("sue", "/reports/?period=today", ".card-value"),
        ("alice", "/calls/?period=today", ".totals .total"),
        ("alice", "/figures/total_talk_time/", ".figure-value"),
    ):
        page = visit(getattr(live_people, person), url, locale=language)
        settle(page)
        if font == "system":
            page.evaluate("document.documentElement.style.setProperty('--font', 'sans-serif')")
        expect(page.locator(figure).first).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(PAINTED)
            expect_no_faults(page, figure)
        page.context.close()


@pytest.mark.parametrize("seconds", LARGE)
def test_no_figure_wraps_or_reaches_out_on_paper(seconds):
    """On the smallest paper, with the longest words that a value may have."""
    document = Document("Llamadas", [], [], sums=large_sums(seconds))
    (page, *_more) = laid_out(document).pages
    boxes = list(page._page_box.descendants())
    values = [b for b in boxes if b.element_tag == "strong" and type(b).__name__ == "InlineBox"]
    cards = [b for b in boxes if b.element_tag == "li" and getattr(b, "border_left_width", 0)]
    assert len(values) == len(cards) == len(ON_CARDS)
    for value, card in zip(values, cards, strict=True):
        inner = card.content_box_x() + card.width
        assert value.position_x + value.width <= inner


@pytest.mark.parametrize("font", ["own", "system"])
def test_the_timer_of_the_header_keeps_its_place_at_any_width(live_people, visit, font):
    page = visit(live_people.ada, "/organization/", locale="es")
    settle(page)
    page.evaluate("document.fonts.ready.then(() => true)")
    if font == "system":
        page.evaluate("document.documentElement.style.setProperty('--font', 'sans-serif')")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        timer, menu = (
            page.locator(f".site-head {one}").bounding_box() for one in (".timer", ".menu")
        )
        assert timer["x"] + timer["width"] <= menu["x"], width
        assert menu["x"] + menu["width"] <= width
        assert page.locator(".timer").evaluate("(it) => it.scrollWidth <= it.clientWidth"), width
