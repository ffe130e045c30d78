"""Proves that no page hinders anybody: every page in both themes and on both screens, loaded there
anew, with all of axe's rules. `tests/browser/test_quality.py` has the short form of it.
"""

import pytest

from tests.support.accessibility import *  # noqa: F403  (fixtures: things, places)
from tests.support.accessibility import SIZES, Tour, faults_of, overhang_of, shift_of
from tests.support.administration import faults_of_administration

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


@pytest.mark.parametrize("size", SIZES, ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_for_everybody(visit, live_people, places, theme, size):
    found = []
    tour = Tour(visit, live_people, color_scheme=theme, viewport=size)
    for url, page in tour.all(places):
        faults = shift_of(page) + faults_of(page) + overhang_of(page, size)
        found += [f"{url}: {fault}" for fault in faults]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("app", ["calls", "metrics", "upkeep"])
def test_the_administration_is_for_everybody(visit, live_people, things, app):
    """The other half is in the short form."""
    found = faults_of_administration(visit, live_people, app)
    assert not found, "\n".join(found)
