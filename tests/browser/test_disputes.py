"""A dispute in real browsers: the agent says it, the supervisor's bell rings, then the agent's."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from calls.models import CallLog
from tests.support.browsing import settle
from tests.support.people import make_call

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

SAID, ANSWER = "The clock stopped with my browser", "So it did: a minute longer"


def test_from_the_agents_word_to_the_decision_without_a_reload(visit, live_people):
    call = make_call(live_people.alice, 60)
    waiting = visit(live_people.sue, "/disputes/")
    settle(waiting)
    waiting.evaluate("window.notReloaded = true")
    expect(waiting.get_by_text("No dispute is open.")).to_be_visible()

    agent = visit(live_people.alice, f"/calls/{call.call_id}/")
    agent.get_by_label("What is wrong with it?").fill(SAID)
    agent.get_by_role("button", name="Dispute this call", exact=True).click()
    expect(agent.locator("#disputes")).to_contain_text(SAID)

    expect(waiting.locator("#bell .bell-count")).to_have_text("1")
    expect(waiting.locator("#dispute_lists")).to_contain_text(SAID)
    assert waiting.evaluate("window.notReloaded")
    waiting.locator("#dispute_lists").get_by_role("link").first.click()
    decision = waiting.locator("#decision")
    end = decision.get_by_label("End", exact=True)
    later = dt.datetime.fromisoformat(end.input_value()) + dt.timedelta(minutes=1)
    end.fill(later.isoformat())
    decision.get_by_label("Your decision, in a sentence").fill(ANSWER)
    decision.get_by_role("button", name="Uphold").click()
    expect(waiting.locator("#disputes")).to_contain_text(ANSWER)

    expect(agent.locator("#bell .bell-count")).to_have_text("1")
    agent.locator("#bell").click()
    agent.get_by_role("link", name="Your dispute of a call was upheld.").click()
    expect(agent.locator("#disputes")).to_contain_text(ANSWER)
    expect(agent.locator("#ledger")).to_contain_text("Decision: upheld")
    expect(agent.locator("#dispute")).to_be_visible()  # one may say more
    assert CallLog.objects.get().events.filter(kind="corrected").exists()


def test_several_grades_are_chosen_and_stay_in_the_address(visit, live_people):
    for grade in "ACE":
        call = make_call(live_people.alice)
        CallLog.objects.filter(pk=call.pk).update(evidence=grade)
    page = visit(live_people.alice, "/calls/?evidence=E")
    lines = page.locator("#calls_table tbody tr")
    expect(lines).to_have_count(1)
    expect(page.get_by_role("checkbox", name="E Estimated")).to_be_checked()
    page.get_by_role("checkbox", name="A Confirmed").check()
    expect(lines).to_have_count(2)
    assert "evidence=A&evidence=E" in page.url
    page.locator("summary", has_text="What the grades of evidence mean").click()
    expect(page.get_by_text("the times are proven")).to_be_visible()
