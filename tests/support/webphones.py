"""Phones in pages: real Chromium with a sound that it makes itself, at a real SIP server."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from calls.models import CallLog, ProviderAccount
from common.instants import to_ms
from tests.support.browsing import Visits
from tests.support.kamailio import DOMAIN, Kamailio, need_kamailio
from tests.support.patience import await_that
from tests.support.people import People
from tests.support.receiver import Receiver, receiving
from tests.support.server import CHROMIUM_ARGS, Server, chromium_path
from webphone.models import PhoneLine
from webphone.services.lines import hand_out

PASSWORD = "a long password"
SOUND_ARGS = [
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
]


def make_account(websocket: str, **settings: str) -> ProviderAccount:
    said = {"websocket": websocket, "domain": DOMAIN, **settings}
    return ProviderAccount.objects.create(kind="webphone", name="phone", settings=said)


def make_line(user: User, account: ProviderAccount, password: str = PASSWORD) -> PhoneLine:
    line = PhoneLine(user=user, account=account, sip_user=user.username)
    line.password = password
    hand_out(line)
    return line


class Phone:
    """The phone's window of a person, as somebody who uses it would."""

    def __init__(self, page: Any, user: User):
        self.page, self.user = page, user

    def ready(self) -> "Phone":
        self.page.locator("body[data-state=ready]").wait_for(state="attached")
        return self

    def call(self, number: str) -> None:
        """Dials, until the site knows of it: however short it is, it has begun by then."""
        known = len(calls_of(self.user))
        self.dial(number)
        await_that(lambda: len(calls_of(self.user)) > known, say=self.shown)

    def dial(self, number: str) -> None:
        details = self.page.locator("#dial")
        if details.get_attribute("open") is None:
            details.locator("summary").click()
        self.page.get_by_label("Number to call").fill(number)
        self.page.get_by_role("button", name="Call it", exact=True).click()

    def press(self, name: str, place: int = 0) -> None:
        self.page.get_by_role("button", name=name, exact=True).nth(place).click()

    def awaits(self, state: str, count: int = 1) -> None:
        """Until `count` of its calls stand so."""
        cards = self.page.locator(f".phone-call[data-state={state}]")
        await_that(lambda: cards.count() == count, say=lambda: self.shown())

    def is_idle(self) -> bool:
        return bool(self.page.locator(".phone-call").count() == 0)

    def shown(self) -> str:
        return f"{self.user}: {self.page.inner_text('body')}"

    def sent(self) -> None:
        """Until the site has all that the phone has to say."""
        waits = "window.phone.outbox.waits() === 0"
        await_that(lambda: self.page.evaluate(waits), say=self.shown)

    def kill(self) -> None:
        """The window is gone in mid-sentence, as if its process had been shot."""
        from playwright.sync_api import Error

        devtools = self.page.context.new_cdp_session(self.page)
        with contextlib.suppress(Error):
            devtools.send("Page.crash", timeout=500)  # nobody is left to answer


class Exchange:
    """Agents with phones in pages, the SIP server between them, and what it says of their calls."""

    def __init__(self, visits: Visits, kamailio: Kamailio, told: Receiver, account: Any):
        self.visits, self.kamailio, self.told, self.account = visits, kamailio, told, account

    def phone(self, user: User, **options: Any) -> Phone:
        if not PhoneLine.objects.filter(user=user).exists():
            make_line(user, self.account)
        size = {"viewport": {"width": 360, "height": 640}, "permissions": ["microphone"]}
        return Phone(self.visits(user, "/phone/", **size | options), user)

    def dialogues(self) -> dict[str, dict[str, Any]]:
        """What the SIP server says: by dialogue, the instant (ms) of each step and how it ended."""
        found: dict[str, dict[str, Any]] = {}
        for message in self.told.received:
            said = json.loads(message.body)
            dialogue = found.setdefault(said["call_id"], {})
            dialogue[said["event"]] = round(float(said["at"]) * 1000)
            if said["status"]:
                dialogue["status"] = said["status"]
        return found


def calls_of(user: User) -> list[CallLog]:
    return list(CallLog.objects.filter(user=user).order_by("start_time"))


def talked_ms(call: CallLog) -> int:
    """From the answer to the end, holds included."""
    assert call.answered_time is not None and call.end_time is not None
    return to_ms(call.end_time) - to_ms(call.answered_time)


@pytest.fixture
def sounding(browser: Any) -> Iterator[Any]:
    """A Chromium that hears and speaks."""
    found = browser.browser_type.launch(
        executable_path=chromium_path(), args=[*CHROMIUM_ARGS, *SOUND_ARGS]
    )
    yield found
    found.close()


@pytest.fixture
def exchange(
    live_people: People, server: Server, sounding: Any, tmp_path: Path
) -> Iterator[Exchange]:
    need_kamailio()
    visits = Visits(sounding, server)
    with (
        receiving() as told,
        Kamailio(tmp_path / "sip", hook=told.url(), patience_ms=6000, password=PASSWORD) as sip,
    ):
        yield Exchange(visits, sip, told, make_account(sip.ws_url))
        unexpected = visits.close()
    assert unexpected == [], unexpected
