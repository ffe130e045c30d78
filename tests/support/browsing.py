"""A browser that is already signed in, and that fails its test on any error in the console."""

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from tests.support.server import Server


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


# A clock that the test drives knows no navigation, so a page would count from the clock's beginning
# instead of its own. And the server answers in its own time: a minute that passes at once would be
# a minute without an answer on the live line, so the page does not ask there (every 20 s).
DRIVEN = """
performance.getEntriesByType = (type) =>
  type === "navigation" ? [{ responseStart: performance.now() }] : [];
const often = window.setInterval;
window.setInterval = (act, ms, ...more) => (ms >= 20000 ? 0 : often(act, ms, ...more));
"""

# What the browser itself reports while the network is gone.
GONE = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "ERR_INTERNET_DISCONNECTED",
    "ERR_SOCKET_NOT_CONNECTED",
    "WebSocket",
    "htmx:afterRequest",
    "htmx:sendError",
)

# A part that is asked for, or that htmx is still fitting in.
ON_ITS_WAY = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added, [hx-trigger=load]"


class Visits:
    """Opens pages as people; `ignore` names the console errors that a test brings about itself."""

    def __init__(self, browser: Any, server: Server):
        self._browser, self._server = browser, server
        self._contexts: list[Any] = []
        self._ignored: list[str] = []
        self._said: list[tuple[Any, str]] = []
        self.errors: list[str] = []

    def __call__(self, user: User | None, path: str = "/", **options: Any) -> Any:
        """A page at `path` as `user`, in a browser context of its own made with `options`."""
        return self.tab(self.context(user, **options), path)

    def context(
        self, user: User | None, *, clock: dt.datetime | None = None, **options: Any
    ) -> Any:
        """With `clock`, it is that time in the pages, and `page.clock` drives it from there on."""
        context = self._browser.new_context(
            **{"base_url": self._server.url, "locale": "en-GB", "reduced_motion": "reduce"}
            | options
        )
        context.set_default_timeout(60_000)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._failed(error.page, str(error.error)))
        if clock is not None:
            context.clock.install(time=clock)
            context.add_init_script(DRIVEN)
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
        page.goto(path)
        return page

    def ignore(self, *patterns: str) -> None:
        self._ignored += patterns

    def _heard(self, message: Any) -> None:
        line = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error":
            self._failed(message.page, line)
        else:
            self._said.append((message.page, f"{message.type}: {line}"))

    def _failed(self, page: Any, line: str) -> None:
        self._said.append((page, f"error: {line}"))
        self.errors.append(line)

    def keep_evidence(self, folder: Path) -> list[Path]:
        """What every open page shows, its HTML and what its console said, as files in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        pages = [page for context in self._contexts for page in context.pages]
        found = [self._evidence_of(page, folder, number) for number, page in enumerate(pages, 1)]
        return [path for paths in found for path in paths]

    def _evidence_of(self, page: Any, folder: Path, number: int) -> Iterator[Path]:
        from playwright.sync_api import Error

        console = folder / f"console-{number}.txt"
        lines = [line for speaker, line in self._said if speaker == page]
        console.write_text("\n".join([page.url, *lines]) + "\n")
        yield console
        with contextlib.suppress(Error):  # a page that has crashed has only its console left
            html = folder / f"page-{number}.html"
            html.write_text(page.content())
            yield html
            picture = folder / f"page-{number}.png"
            page.screenshot(path=picture, full_page=True, timeout=10_000)
            yield picture

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


def settle(page: Any) -> None:
    """Until the live line is open, and no part of the page is on its way."""
    # What was missed before the line opened is asked for in the very moment that it opens.
    page.locator("html[data-live=on]").wait_for(state="attached")
    page.locator(ON_ITS_WAY).first.wait_for(state="detached")


def stop_clock(page: Any) -> None:
    """Stops the driven clock of the page, a minute on; it goes on by `page.clock` only."""
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 60"))


def shown_seconds(clock: Any) -> int:
    """What a clock of a page shows."""
    seconds = 0
    for part in clock.inner_text().split(":"):
        seconds = 60 * seconds + int(part)
    return seconds
