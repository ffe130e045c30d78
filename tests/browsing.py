"""A browser that is already signed in, and that fails its test on any error in the console."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from tests.server import Server


def session_cookie(user: User) -> str:
    """The session key of a fresh sign-in of `user`."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


# Chromium would ask whether to open a phone program, and take no further click until answered.
PHONE_PROGRAM = """
window.dialled = [];
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dial]");
  if (link === null) return;
  event.preventDefault();
  window.dialled.push(link.getAttribute("href"));
});
"""


# What comes by itself must come by the live line: no part asks by the clock (every 30 s or more).
NO_POLLS = """
const later = window.setTimeout;
window.setTimeout = (act, ms, ...more) => later(act, ms >= 30000 ? 2 ** 31 - 1 : ms, ...more);
"""


class Visits:
    """Opens pages as people; `ignore` names the console errors that a test brings about itself."""

    def __init__(self, browser: Any, server: Server):
        self._browser, self._server = browser, server
        self._contexts: list[Any] = []
        self._ignored: list[str] = []
        self.errors: list[str] = []

    def __call__(self, user: User | None, path: str = "/", **options: Any) -> Any:
        """A page at `path` as `user`, in a browser context of its own made with `options`."""
        return self.tab(self.context(user, **options), path)

    def context(self, user: User | None, **options: Any) -> Any:
        context = self._browser.new_context(
            **{"base_url": self._server.url, "locale": "en-GB", "reduced_motion": "reduce"}
            | options
        )
        context.set_default_timeout(30_000)
        context.add_init_script(PHONE_PROGRAM)
        context.add_init_script(NO_POLLS)
        if user is not None:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_cookie(user)}
            context.add_cookies([cookie | {"url": self._server.url}])
        self._contexts.append(context)
        return context

    def tab(self, context: Any, path: str = "/") -> Any:
        """A further page in `context`: the same person's second tab."""
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(path)
        return page

    def ignore(self, *patterns: str) -> None:
        self._ignored += patterns

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def close(self) -> list[str]:
        """Closes everything; the errors that nobody expected."""
        for context in self._contexts:
            context.close()
        return [e for e in self.errors if not any(re.search(p, e) for p in self._ignored)]


@pytest.fixture
def visit(browser: Any, server: Server) -> Iterator[Visits]:
    """`visit(user, path)` opens a page; the test fails if its console or scripts report errors."""
    visits = Visits(browser, server)
    yield visits
    unexpected = visits.close()
    assert unexpected == [], unexpected
