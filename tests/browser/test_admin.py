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


HIDDEN = """(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(
  document.querySelector(".results"))"""
# What reaches out of the panel of a form at its right.
REACHING_OUT = """() => {
  const end = (box) => box.getBoundingClientRect().right;
  return [...document.querySelectorAll("#content fieldset.aligned .form-row *")]
    .filter((one) => one.checkVisibility() && getComputedStyle(one).position !== "absolute")
    .filter((one) => end(one) > end(one.closest("fieldset")))
    .map((one) => `${one.tagName} ${one.id || one.textContent.trim()}`);
}"""


def test_no_field_of_a_form_is_cut_at_any_width(live_people, visit):
    call = make_call(live_people.alice)
    page = visit(live_people.ada, "/admin/")
    for url in (
        "accounts/user/add/",
        f"accounts/user/{live_people.alice.pk}/change/",
        f"accounts/team/{live_people.blue.pk}/change/",
        f"calls/calllog/{call.pk}/correct/",
        "calls/diallink/add/",
    ):
        page.goto(f"/admin/{url}")
        for width in (320, 390, 768, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate(REACHING_OUT) == [], (url, width)


def test_a_list_shows_all_its_columns_beside_sidebar_and_filter(live_people, visit):
    make_call(live_people.alice)
    page = visit(live_people.ada, "/admin/calls/calllog/", locale="es")
    for url in ("calls/calllog/", "accounts/user/"):
        page.goto(f"/admin/{url}")
        expect(page.locator("#nav-sidebar")).to_be_visible()
        assert page.evaluate(HIDDEN) == 0, url


def brightness(page) -> int:
    """Of the page's ground: from 0, black, to 765, white."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3]))
