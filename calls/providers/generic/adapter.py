"""Any system that can send JSON: signed with HMAC-SHA256 over `timestamp.body`, or with a token.

The age of a signed request is no reason to refuse it: what is reported late is as true, and what
is reported twice says nothing new. docs/providers.md names the fields; settings translate others.
"""

import hmac
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.utils.translation import gettext_lazy as _

from calls.providers.base import (
    Adapter,
    Forged,
    HookRequest,
    Payload,
    ProviderEvent,
    Setting,
    Unknown,
    Unreadable,
)
from calls.providers.generic.report import Report
from calls.providers.generic.scopes import Objects, listed
from calls.providers.reading import number_of, same, text

MOST_EVENTS = 500  # in one request
TOKEN_HEADER = "X-CallManager-Token"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The hex HMAC-SHA256 of `timestamp.body`."""
    signed = timestamp.encode(errors="surrogatepass") + b"." + body
    return hmac.new(secret.encode(), signed, "sha256").hexdigest()


class Generic(Adapter):
    kind = "generic"
    title = _("Any system (JSON)")
    secret_names = ("secret",)
    setting_names: ClassVar = (
        Setting("auth", _("Proof"), _("signature (as a rule), or token for what cannot sign.")),
        Setting("token_header", _("Header of the token"), _("As a rule X-CallManager-Token.")),
        Setting(
            "token_query",
            _("Parameter of the token"),
            _("Its name in the address. Empty: no token is taken from the address."),
        ),
        Setting("events", _("Where the list is"), _("A dotted path. As a rule: events.")),
        Setting("fields", _("Where the fields are"), '{"call_id": "data.call.0.uid"}'),
        Setting("values", _("What values mean"), '{"event": {"PICKUP": "answered"}}'),
        Setting(
            "time_zone",
            _("Time zone"),
            _("Of instants without an offset, such as America/Costa_Rica."),
        ),
        Setting("lengths", _("Unit of lengths"), _("seconds (as a rule), or ms.")),
        Setting(
            "record",
            _("A summary follows"),
            _("yes: a call whose summary has not come is marked."),
        ),
    )
    setup: ClassVar = (
        _("Send each event as JSON by POST to {url}"),
        _(
            "Header X-CallManager-Timestamp: seconds since 1970. Header X-CallManager-Signature: "
            "hex HMAC-SHA256, by the secret, over that timestamp, a full stop and the body."
        ),
        _("Secret secret: any long random text that both sides know."),
    )

    # --- Proof ---

    def verify(self, request: HookRequest) -> None:
        if self._setting("auth") == "token":
            if not same(self._token_of(request), self.secret_values()):
                raise Forged("The token is missing or wrong.")
            return
        timestamp = request.headers.get("x-callmanager-timestamp", "")
        given = request.headers.get("x-callmanager-signature", "").removeprefix("sha256=")
        if number_of(timestamp) is None:
            raise Forged("There is no timestamp.")
        valid = [signature(one, timestamp, request.body) for one in self.secret_values() if one]
        if not same(given.lower(), valid):
            raise Forged("The signature is missing or wrong.")

    def _token_of(self, request: HookRequest) -> str:
        header = self._setting("token_header") or TOKEN_HEADER
        found = request.headers.get(header.lower(), "")
        return found or dict(_asked(request)).get(self._setting("token_query"), "")

    def kept(self, request: HookRequest) -> Payload:
        secret = self._setting("token_query")
        query = urlencode([(name, value) for name, value in _asked(request) if name != secret])
        return Payload(request.body, request.received, request.content_type, query)

    # --- Events ---

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        events: list[ProviderEvent] = []
        troubles: list[str] = []
        reported = self._reports_in(payload.json())
        for place, objects in enumerate(reported, 1):
            try:
                report = Report(objects, self.settings, payload.received, self.knows)
                events.append(report.event())
            except Unknown as unknown:
                events += unknown.events
                troubles.append(f"Event {place}: {unknown}")
            except Unreadable as error:
                if len(reported) == 1:
                    raise
                troubles.append(f"Event {place}: {error}")
        if troubles:
            raise Unknown("; ".join(troubles)[:300], events)
        return events

    def _reports_in(self, said: Mapping[str, Any]) -> list[Objects]:
        try:
            found = listed(said, self._setting("events") or "events")
        except ValueError as error:
            raise Unreadable(str(error)) from error
        if found is not None and len(found) > MOST_EVENTS:
            raise Unreadable(f"A list holds at most {MOST_EVENTS} events.")
        return [(said,)] if found is None else found

    def _setting(self, name: str) -> str:
        return text(self.settings.get(name))


def _asked(request: HookRequest) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
