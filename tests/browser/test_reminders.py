"""From a real call to the agent's page: a real worker holds the timer, and the page hears of it."""

import sys
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import expect

from notifications.models import Alert
from notifications.rules import standard
from tests.support.browsing import Visits, settle
from tests.support.patience import PATIENCE
from tests.support.people import key_of
from tests.support.processes import kill, spawn
from tests.support.server import ROOT, Server

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


@pytest.fixture
def worker(server: Server) -> Iterator[None]:
    """The worker of the standing server, for which a call is long after three seconds."""
    process = spawn(
        [sys.executable, "manage.py", "run_huey", "--skip-checks"],
        cwd=ROOT,
        env=server.surroundings() | {"LONG_CALL_SECONDS": "3"},
    )
    yield
    kill(process)


@pytest.mark.engines
def test_a_call_that_only_a_program_reports_becomes_long_on_the_page_by_itself(
    visit: Visits, live_people, server: Server, worker
):
    standard.lay("default")
    page = visit(live_people.alice)
    settle(page)
    page.evaluate("window.notReloaded = true")
    begun = requests.post(
        f"{server.url}/api/calls/start",
        json={"contact_phone": "8888 7777"},
        headers={"X-API-Key": key_of(live_people.alice)},
        timeout=PATIENCE,
    )
    assert begun.status_code == 201
    reminder = page.get_by_role("status").locator(".reminder")
    expect(reminder).to_contain_text("Your call has lasted longer than 3 seconds. +506 8888 7777")
    expect(page.get_by_role("link", name="Notifications: 1 unread")).to_be_visible()
    assert page.evaluate("window.notReloaded")
    assert Alert.objects.filter(agent=live_people.alice).count() == 1
