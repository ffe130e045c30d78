"""The pages of upkeep in the administration are for everybody, on a phone, too."""

import pytest

from tests.support.accessibility import DESKTOP, PHONE, Tour, faults_in_both_themes, overhang_of

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]

PAGES = ["workerbeat/", "jobrun/", "removal/", "removal/forget/"]


def test_the_pages_of_upkeep_are_for_everybody(visit, live_people):
    found = []
    places = [("ada", f"/admin/upkeep/{page}") for page in PAGES]
    for url, page in Tour(visit, live_people, viewport=DESKTOP).all(places):
        if url.endswith("forget/"):
            page.fill("[name=older_than]", "9")
            page.click("[value=look]")
            page.locator("#held_title").wait_for()
        faults = faults_in_both_themes(page) + overhang_of(page, PHONE)
        page.set_viewport_size(DESKTOP)
        found += [f"{url}: {fault}" for fault in faults]
    assert not found, "\n".join(found)
