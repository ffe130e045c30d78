"""The administration in a real browser: the page policy lets it work, in light and dark."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import ApiKey
from calls import timeline
from tests.support.people import make_call

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


def test_a_key_is_made_for_a_person_who_is_looked_up(live_people, visit):
    page = visit(live_people.ada, "/admin/accounts/apikey/add/")
    page.locator(".select2-selection").click()
    page.locator(".select2-search__field").fill("ali")
    page.get_by_role("option", name="Alice").click()
    page.get_by_label("Name").fill("Her program")
    page.get_by_role("button", name="Save", exact=True).click()
    secret = page.locator(".secret").inner_text().strip()
    assert ApiKey.objects.get(digest=ApiKey.digest_of(secret)).owner == live_people.alice
    page.goto("/admin/accounts/apikey/")
    assert secret not in page.content()


def test_supervisors_are_chosen_from_a_list(live_people, visit):
    page = visit(live_people.ada, f"/admin/accounts/team/{live_people.blue.pk}/change/")
    page.locator("#id_supervisors_from").select_option(label="Sue")
    page.locator("#id_supervisors_add").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert set(live_people.blue.supervisors.all()) == {live_people.sue, live_people.sam}


def test_a_call_is_corrected(live_people, visit):
    call = make_call(live_people.alice, 75)
    page = visit(live_people.ada, "/admin/calls/calllog/", color_scheme="light")
    assert brightness(page) > 600
    page.emulate_media(color_scheme="dark")
    assert brightness(page) < 200
    page.get_by_role("link", name=re.compile(r"\d\d:\d\d:\d\d")).click()
    page.get_by_role("link", name="Correct this call").click()
    page.get_by_label("Status").select_option("DROPPED")
    page.get_by_label("Reason").fill("The line broke")
    page.get_by_role("button", name="Correct").click()
    expect(page.locator("#events-group")).to_contain_text("The line broke")
    call.refresh_from_db()
    assert call.status == timeline.DROPPED


def brightness(page) -> int:
    """Of the page's ground: from 0, black, to 765, white."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3]))
