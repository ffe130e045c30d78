"""Figures in a real browser: the period bar, saved views, plots that tell numbers, the wall."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from accounts import roles
from accounts.models import Team, User
from calls import services
from common.instants import from_ms, now
from metrics.models import SavedView
from tests.browser.test_team import Program
from tests.support.browsing import settle
from tests.support.patience import await_that
from tests.support.people import make_call, make_users, yesterday_noon

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


def yesterday() -> str:
    """The day of `some_calls` as a period that no midnight moves."""
    day = from_ms(yesterday_noon()).date()
    return f"period=range&from={day}&to={day}"


@pytest.fixture
def some_calls(live_people):
    noon = (now() - from_ms(yesterday_noon())).total_seconds()
    for number in range(5):
        make_call(live_people.alice, 60 + 30 * number, ago=noon + 600 * number)
    return live_people


def test_a_period_is_a_click_away_and_stays_in_the_address(some_calls, visit):
    page = visit(some_calls.sue, "/team/")
    page.get_by_role("link", name="Last month").click()
    expect(page.locator(".period-names a[aria-current]")).to_have_text("Last month")
    assert page.url.endswith("/team/?period=last_month")
    page.get_by_label("From").fill("2026-01-05")
    page.get_by_label("To", exact=True).fill("2026-01-06")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile("period=range&from=2026-01-05&to=2026-01-06"))


def test_a_view_is_saved_and_found_again_from_the_bar(some_calls, visit):
    page = visit(some_calls.sue, "/team/?period=week&sort=-calls_made")
    page.get_by_text("Saved views", exact=True).click()
    page.get_by_label("Save this page as").fill("Mondays")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saved_views").get_by_role("link", name="Mondays")).to_be_visible()
    view = SavedView.objects.get()
    assert (view.owner, view.url) == (some_calls.sue, "/team/?period=week&sort=-calls_made")
    page.goto("/team/")
    page.get_by_text("Saved views", exact=True).click()
    page.get_by_role("link", name="Mondays").click()
    expect(page).to_have_url(re.compile(r"period=week&sort=-calls_made"))


def test_a_name_that_is_taken_is_said_in_the_bar(some_calls, visit):
    SavedView.objects.create(owner=some_calls.sue, name="Mondays", path="/team/")
    page = visit(some_calls.sue, "/team/")
    page.get_by_text("Saved views", exact=True).click()
    page.get_by_label("Save this page as").fill("Mondays")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saved_error")).to_contain_text("You have a view of this name already.")


def test_plots_say_their_numbers_by_pointing_and_by_the_keys(some_calls, visit):
    page = visit(some_calls.alice, f"/agents/{some_calls.alice.pk}/?{yesterday()}")
    over_time = page.locator("#trend figure").first
    over_time.locator(".mark").last.hover(force=True)
    expect(over_time.locator(".plot-tip")).to_contain_text("5 calls, 0 failed")
    heat = page.locator(".heat-cells")
    heat.focus()
    page.keyboard.press("ArrowRight")
    line = page.locator("figure", has=heat).locator(".plot-tip")
    expect(line).to_have_text(re.compile(r"^Monday \d+:00: \d+ calls?$"))
    first = line.inner_text()
    page.keyboard.press("ArrowDown")
    expect(line).to_have_text(re.compile(r"^Tuesday"))
    page.keyboard.press("ArrowUp")
    expect(line).to_have_text(first)


def test_the_ledger_is_asked_on_the_spot(some_calls, visit):
    page = visit(some_calls.alice, f"/figures/avg_call_duration/?{yesterday()}")
    page.get_by_role("link", name="Recompute from the ledger").click()
    expect(page.locator("#figure_check")).to_contain_text("It agrees: 5 calls")
    assert "/check/" not in page.url


def wall_of(people, visit):
    """The wall with Alice, whose call is long already, and a clock that the test drives."""
    people.red.amber_seconds, people.red.red_seconds = 300, 600
    people.red.save()
    services.start_call(people.alice, reported=services.ReportedTime(now() - dt.timedelta(hours=1)))
    page = visit(people.sue, "/wall/", clock=now())
    settle(page)
    expect(page.locator(".tile", has_text="Alice").get_by_text("long call")).to_be_visible()
    return page


def gets_long(page, server, person: User) -> None:
    """A call of `person` begins, and ten minutes pass on the wall."""
    Program(server, person).start()
    tile = page.locator(".tile-busy", has_text=person.first_name)
    expect(tile).to_be_visible()
    settle(page)
    expect(tile.get_by_text("long call")).to_be_hidden()
    page.clock.run_for(602_000)
    expect(tile.get_by_text("long call")).to_be_visible()


def test_the_wall_sounds_once_for_a_call_that_gets_long_and_only_if_asked(
    live_people, server, visit
):
    page = wall_of(live_people, visit)
    expect(page.locator("#wall_sound")).not_to_be_checked()
    page.get_by_label("Sound when a call gets long").check()
    page.clock.run_for(2000)
    assert page.locator("html").get_attribute("data-sounded") is None  # Alice's is no news
    gets_long(page, server, live_people.bob)
    page.clock.run_for(10_000)
    assert page.locator("html").get_attribute("data-sounded") == "1"


def test_the_wall_is_silent_as_long_as_nobody_asks_for_sound(live_people, server, visit):
    page = wall_of(live_people, visit)
    gets_long(page, server, live_people.bob)
    page.clock.run_for(10_000)
    assert page.locator("html").get_attribute("data-sounded") is None


SCREENS = [(1366, 768), (1920, 1080), (3840, 2160)]
# Of every tile that is shown: its place, and what of it is cut off; and the screen.
LOOK_AT_TILES = """() => {
  const tiles = [...document.querySelectorAll(".tile")].filter((tile) => !tile.hidden);
  const places = tiles.map((tile) => tile.getBoundingClientRect());
  const clocks = tiles.map((tile) => tile.querySelector(".tile-clock"));
  const size = (element) => parseFloat(getComputedStyle(element).fontSize);
  const { scrollHeight, scrollWidth } = document.documentElement;
  return {
    count: tiles.length,
    scrolls: scrollHeight > innerHeight || scrollWidth > innerWidth,
    below: Math.max(...places.map(({ bottom }) => bottom)) / innerHeight,
    right: Math.max(...places.map(({ right }) => right)) / innerWidth,
    cut: clocks.filter((clock) => clock.scrollWidth > clock.clientWidth).length
      + tiles.filter((tile) => tile.scrollHeight > tile.clientHeight).length,
    clock: Math.min(...clocks.map(size)) / innerHeight,
  };
}"""


@pytest.mark.parametrize("agents", [3, 12, 60])
def test_the_wall_fills_its_screen_and_does_not_scroll(live_people, server, visit, agents):
    team = Team.objects.create(name="Wall")
    team.supervisors.add(live_people.sue)
    users = make_users({f"person{n:02}": (roles.AGENT, team) for n in range(agents)})
    for user in list(users.values())[:2]:
        hours_ago = services.ReportedTime(now() - dt.timedelta(hours=3))
        services.start_call(user, reported=hours_ago)
    page = visit(live_people.sue, f"/wall/?team={team.pk}", clock=now())
    settle(page)
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(f"innerWidth === {width}")
        seen: set[str] = set()
        while len(seen) < agents:
            await_that(lambda: page.evaluate(LOOK_AT_TILES)["below"] <= 1)
            look = page.evaluate(LOOK_AT_TILES)
            assert not look["scrolls"] and look["cut"] == 0
            assert look["below"] > 0.95 and 0.95 < look["right"] <= 1
            assert look["clock"] > {3: 0.12, 12: 0.06, 60: 0.03}[agents]
            shown = page.locator(".tile:not([hidden]) .tile-name").all_inner_texts()
            assert not seen & set(shown)
            seen.update(shown)
            page.clock.run_for(10_000)
        assert len(seen) == agents


def test_on_paper_the_page_is_light_and_without_what_can_only_be_clicked(some_calls, visit):
    page = visit(some_calls.sue, "/team/", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for part in (
        ".site-head",
        ".fold",
        ".again",
        ".period-names",
        ".period-range",
        ".views",
        ".plot-tip",
    ):
        expect(page.locator(part).first).to_be_hidden()
    expect(page.locator("#cards")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
