"""The clocks of a page: one instant, told by the server, and one phase for all of them."""

import datetime as dt
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from calls import services
from calls.models import CallLog
from common.instants import now
from tests.support.browsing import settle

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

# What all the clocks show, frame by frame, while parts of the page are fetched again, each alone.
WATCH = """([selectors, parts, frames]) => new Promise((done) => {
  const seen = [];
  function look() {
    const clocks = selectors.flatMap((selector) => [...document.querySelectorAll(selector)]);
    seen.push(clocks.map((clock) => clock.textContent.trim()));
    if (seen.length % 20 === 0 && parts.length > 0) {
      const part = parts[(seen.length / 20) % parts.length];
      htmx.trigger(part, "stale");
    }
    if (seen.length < frames) requestAnimationFrame(look);
    else done(seen);
  }
  requestAnimationFrame(look);
})"""


def running(user, ago: float) -> CallLog:
    reported = services.ReportedTime(now() - dt.timedelta(seconds=ago), explicit=True)
    return services.start_call(user, reported=reported)[0]


def test_the_header_and_the_card_show_the_same_second_in_every_frame(visit, live_people):
    running(live_people.alice, ago=30.4)
    page = visit(live_people.alice)
    settle(page)
    clocks, parts = ["#timer .clock", "article .clock"], ["#timer", "#current_calls"]
    seen = page.evaluate(WATCH, [clocks, parts, 240])
    assert {len(set(shown)) for shown in seen} == {1}, seen
    assert len({head for head, _ in seen}) > 2
    assert all(len(shown) == 2 for shown in seen)


def test_all_clocks_of_a_page_change_in_the_same_frame(visit, live_people):
    """Whatever instants the calls began at; also while a part is fetched again."""
    for number, user in enumerate((live_people.alice, live_people.bob, live_people.sue)):
        running(user, ago=100 + number * 10.3)
    page = visit(live_people.sue, "/team/")
    settle(page)
    expect(page.locator("#team_live [data-clock]")).to_have_count(2)
    seen = page.evaluate(
        WATCH, [["#timer .clock", "#team_live [data-clock]"], ["#timer", "#team_live"], 150]
    )
    steps = [
        {before != after for before, after in zip(first, second, strict=True)}
        for first, second in pairwise(seen)
    ]
    assert {len(changed) for changed in steps} == {1}
    assert {True} in steps
