"""Signing in and one's own account, in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.support.people import PASSWORD, People

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.once]


@pytest.fixture
def sue(live_people: People, settings) -> User:
    """With a password hashed as the server hashes it; the tests' own hash would be refused."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    live_people.sue.set_password(PASSWORD)
    live_people.sue.save()
    return live_people.sue


def arrives(page: Page, path: str) -> None:
    expect(page).to_have_url(re.compile(rf"^http://127\.0\.0\.1:\d+{re.escape(path)}$"))


def test_signing_in_with_the_keyboard_and_out_again(visit, sue):
    page = visit(None, "/calls/?status=DROPPED")
    name, password = page.get_by_label("Username"), page.get_by_label("Password")
    expect(name).to_be_focused()
    name.press_sequentially("sue")
    name.press("Tab")
    expect(password).to_be_focused()
    password.press_sequentially(PASSWORD)
    password.press("Enter")
    arrives(page, "/calls/?status=DROPPED")
    page.locator("header .menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/login/$"))
    page.goto("/")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_page_left_open_leads_to_the_sign_in_and_back(visit, sue):
    page = visit(sue, "/team/")
    # By a timer set before, because the page may be left at any moment once the session is gone.
    live = "document.body.dispatchEvent(new CustomEvent('live', {detail: {}}))"
    page.evaluate(f"void setInterval(() => {live}, 300)")
    page.context.clear_cookies(name="sessionid")
    arrives(page, "/login/?next=/team/")
    page.get_by_label("Username").fill("sue")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    arrives(page, "/team/")


def test_a_key_is_made_used_once_on_the_page_and_revoked(visit, live_people):
    page = visit(live_people.alice, "/me/")
    page.get_by_label("Name").fill("softphone")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_text(re.compile(r"^cm_[\w-]{43}$"))).to_be_visible()
    page.goto("/me/")
    expect(page.get_by_text(re.compile(r"^cm_[\w-]{43}$"))).to_have_count(0)
    page.get_by_role("button", name="Revoke softphone").click()
    expect(page.get_by_text("The key was revoked")).to_be_visible()
    expect(page.get_by_role("button", name="Revoke softphone")).to_have_count(0)
