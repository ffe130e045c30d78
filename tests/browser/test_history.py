"""The history and the large files in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from calls import services
from common.instants import from_ms, now
from tests.support.people import make_call, yesterday_noon

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


def test_typing_narrows_the_list_and_the_address_says_so(live_people, visit):
    noon = (now() - from_ms(yesterday_noon())).total_seconds()
    for person, said in ((live_people.alice, "Pidió factura"), (live_people.bob, "Llamar mañana")):
        services.add_note(make_call(person, 65, ago=noon), person, said)
    page = visit(live_people.sue, "/calls/")
    visit.ignore("htmx:sendAbort", "htmx:afterRequest")  # a newer search replaces an older one
    page.evaluate("window.notReloaded = true")
    table = page.locator("#calls_table")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table.locator(".totals")).to_contain_text("2")

    page.get_by_label("Search").press_sequentially("pidio fact")
    expect(table.locator("tbody tr")).to_have_count(1)
    expect(table).to_contain_text("Alice")
    expect(page).to_have_url(re.compile(r"search=pidio(\+|%20)fact"))

    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Notes").check()
    expect(table.get_by_role("columnheader", name="Notes")).to_be_visible()
    expect(table).to_contain_text("Pidió factura")
    assert page.evaluate("window.notReloaded")

    page.get_by_role("link", name="Yesterday", exact=True).click()
    expect(page).to_have_url(re.compile(r"search=pidio.*period=yesterday"))
    expect(page.get_by_label("Search")).to_have_value("pidio fact")
    with page.expect_download() as started:
        table.get_by_role("link", name="Excel").click()
    assert re.fullmatch(r"calls-\d{4}-\d\d-\d\d\.xlsx", started.value.suggested_filename)


def test_a_wrong_length_is_said_at_its_field(live_people, visit):
    make_call(live_people.alice)
    page = visit(live_people.alice, "/calls/")
    page.get_by_text("More filters", exact=True).click()
    page.get_by_label("Lasting at least").fill("soon")
    page.get_by_label("Lasting at least").press("Enter")
    expect(page.locator("#error_min_duration")).to_contain_text("1:30")
    page.get_by_label("Lasting at least").fill("0:30")
    page.get_by_label("Lasting at least").press("Enter")
    expect(page.locator("#error_min_duration")).to_be_empty()
    expect(page.locator("#calls_table tbody tr")).to_have_count(1)
