"""The phone in the page: what our own softphone says of its calls, in JsSIP's words.

It has no hook. The phone's window sends what happens to a route of the site, signed in as the
agent it belongs to (see webphone/), so it can speak of that agent's calls and of no others.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.providers.base import (
    Adapter,
    Gone,
    Payload,
    ProviderEvent,
    Setting,
    Unknown,
    Unreadable,
    bounded_ms,
)
from calls.providers.reading import text

KINDS: Final[Mapping[str, str]] = {
    "connecting": timeline.STARTED,
    "progress": timeline.RINGING,
    "accepted": timeline.ANSWERED,
    "hold": timeline.HELD,
    "unhold": timeline.RESUMED,
    "refer": timeline.NOTED,
    "ended": timeline.ENDED,
    "failed": timeline.ENDED,
    "lost": timeline.ENDED,
}
DIRECTIONS: Final = ("outbound", "inbound")
# Causes of `ended`: the call broke off. Any other is a hang-up.
_BROKEN: Final[Mapping[str, str]] = {
    "RTP Timeout": "media_timeout",
    "Connection Error": "network",
    "Internal Error": "network",
    "Request Timeout": "network",
}
# Causes of `failed`: nobody answered. Any other is a failure.
_UNANSWERED: Final[Mapping[str, str]] = {
    "Busy": "busy",
    "No Answer": "",
    "Rejected": "rejected",
    "Canceled": "cancelled",
    "Unavailable": "",
}
_FAULTS: Final[Mapping[str, str]] = {
    "Not Found": "invalid_number",
    "Address Incomplete": "invalid_number",
    "Connection Error": "network",
    "Request Timeout": "network",
}
_LOST_PRECISION_MS: Final = 1000  # a window notes every second that it lives
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


class WebPhone(Adapter):
    kind = "webphone"
    title = _("Phone in the page")
    optional_secret_names = ("turn_password",)
    has_hook = False
    setting_names: ClassVar = (
        Setting(
            "websocket",
            _("WebSocket of the SIP server"),
            _("Such as wss://pbx.example.org:8089/ws. Browsers want wss."),
            required=True,
        ),
        Setting("domain", _("SIP domain"), _("What stands behind the @ of a line."), required=True),
        Setting(
            "ice",
            _("STUN and TURN servers"),
            _("Such as stun:stun.example.org:3478 turn:turn.example.org:3478. Empty: none."),
        ),
        Setting("turn_user", _("User at the TURN server"), _("Its password is a secret.")),
        Setting(
            "display",
            _("Name that others see"),
            _("{name} stands for the agent's. Empty: just that."),
        ),
    )
    setup: ClassVar = (
        _("Have your SIP server accept WebSockets: docs/webphone.md shows Kamailio and Asterisk."),
        _("Enter a line for each agent in the administration: Lines of the phone in the page."),
    )

    @property
    def origin(self) -> str:
        """Scheme, host and port of the WebSocket, as a page's policy names it; "" if unreadable."""
        try:
            parts = urlsplit(self._setting("websocket"))
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return ""
        host = parts.netloc.removesuffix(port)
        fits = parts.scheme in ("ws", "wss") and _HOST.fullmatch(host)
        return f"{parts.scheme}://{host}{port}" if fits else ""

    def configuration(self, user: str, name: str) -> dict[str, Any]:
        """What the line `user` of the agent called `name` needs to register, but its password."""
        domain = self._setting("domain")
        display = self._setting("display") or "{name}"
        return {
            "websocket": self._setting("websocket"),
            "uri": f"sip:{user}@{domain}" if domain else "",
            "user": user,
            "domain": domain,
            "name": display.replace("{name}", name),
            "ice": self._ice_servers(),
        }

    def _ice_servers(self) -> list[dict[str, Any]]:
        urls = re.split(r"[\s,]+", self._setting("ice").strip())
        relays = [url for url in urls if url.startswith(("turn:", "turns:"))]
        others = [{"urls": url} for url in urls if url.startswith(("stun:", "stuns:"))]
        if not relays:
            return others
        password = next(iter(self.secret_values("turn_password")), "")
        user = self._setting("turn_user")
        return [*others, {"urls": relays, "username": user, "credential": password}]

    def _setting(self, name: str) -> str:
        return text(self.settings.get(name))

    def ask(self, call_id: str) -> list[ProviderEvent] | None:
        """Nobody is asked about a call of which its window goes on telling: it says several times a
        minute that it lives. The one that is silent for so long that we ask is gone."""
        raise Gone

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        """Of {"line": the SIP user, "events": [...]}, each as the window keeps it."""
        said = payload.json()
        line, events = text(said.get("line")), said.get("events")
        if not line or not isinstance(events, list):
            raise Unreadable("It names no line, or no events.")
        return [_event(line, one) for one in events]


def part_of(line: str, session: str) -> str:
    """The name of the part of `line` in the SIP dialogue `session`: both ends may be ours."""
    return f"{session}:{line}"


def _event(line: str, said: Any) -> ProviderEvent:
    if not isinstance(said, Mapping):
        raise Unreadable("An event is no object.")
    word, session = text(said.get("event")), text(said.get("session"))
    at, number = said.get("at"), said.get("n")
    if not session or len(session) > 150 or type(at) is not int or type(number) is not int:
        raise Unreadable("An event lacks its session, its instant or its number.")
    if word not in KINDS:
        raise Unknown(f"An event called {word!r:.40}.")
    direction = text(said.get("direction"))
    return ProviderEvent(
        kind=KINDS[word],
        call=part_of(line, session),
        at=bounded_ms(at),
        precision_ms=_LOST_PRECISION_MS if word == "lost" else 1,
        conversation=session,
        agents=(line,),
        number=text(said.get("number"))[:64],
        direction=direction if direction in DIRECTIONS else "",
        sequence=min(max(number, 0), 1_000_000),
        leg="page",
        data=_data(word, text(said.get("cause"))[:60], text(said.get("originator"))),
    )


def _data(word: str, cause: str, originator: str) -> dict[str, Any]:
    if word in ("hold", "unhold"):
        return {"party": "remote" if originator == "remote" else "local"}
    if word == "refer":
        return {"transfer": cause or "blind"}
    if KINDS[word] != timeline.ENDED:
        return {}
    status, reason = outcome(word, cause, originator)
    return {"status": status, "reason": reason, "cause": cause}


def outcome(word: str, cause: str, originator: str) -> tuple[str, str]:
    """Status and reason of an end, by JsSIP's event, its cause and who brought it about."""
    if word == "lost":
        return timeline.DROPPED, "page_closed"
    if word == "failed":
        if cause in _UNANSWERED:
            return timeline.NO_ANSWER, _UNANSWERED[cause]
        return timeline.FAILED, _FAULTS.get(cause, "")
    if cause in _BROKEN:
        return timeline.DROPPED, _BROKEN[cause]
    by = {"local": "agent_hangup", "remote": "remote_hangup"}
    return timeline.COMPLETED, by.get(originator, "")
