"""Any system that can send JSON: signed with HMAC-SHA256 over `timestamp.body`, or with a token.

The age of a signed request is no reason to refuse it: what is reported late is as true, and what
is reported twice says nothing new. docs/providers.md names the fields; settings translate others.
"""

import datetime as dt
import hmac
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.providers.base import (
    Adapter,
    Forged,
    HookRequest,
    Payload,
    ProviderEvent,
    Setting,
    Unknown,
    Unreadable,
    bounded_ms,
    iso_to_ms,
    seconds_to_ms,
)
from calls.providers.reading import name_of, names, number_of, objects, part, same, text

MOST_EVENTS = 500  # in one request
TOKEN_HEADER = "X-CallManager-Token"

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("started", "dialing", "dialling", "initiated"), timeline.STARTED),
    "ringing": timeline.RINGING,
    **dict.fromkeys(("answered", "connected"), timeline.ANSWERED),
    **dict.fromkeys(("held", "hold"), timeline.HELD),
    **dict.fromkeys(("resumed", "resume", "unhold"), timeline.RESUMED),
    **dict.fromkeys(("ended", "end", "hangup"), timeline.ENDED),
    "summary": timeline.SUMMARY,
}
STATUSES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("completed", "answered"), (timeline.COMPLETED, "")),
    **dict.fromkeys(("no_answer", "no-answer", "noanswer", "missed"), (timeline.NO_ANSWER, "")),
    "busy": (timeline.NO_ANSWER, "busy"),
    **dict.fromkeys(("cancelled", "canceled"), (timeline.NO_ANSWER, "cancelled")),
    "rejected": (timeline.NO_ANSWER, "rejected"),
    "failed": (timeline.FAILED, ""),
    "dropped": (timeline.DROPPED, ""),
}
DIRECTIONS: Mapping[str, str] = {
    **dict.fromkeys(("outbound", "outgoing", "out"), "outbound"),
    **dict.fromkeys(("inbound", "incoming", "in"), "inbound"),
    "internal": "internal",
}
_REPORTED = {"started_at": "start", "answered_at": "answered", "ended_at": "end"}


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
        said = payload.json()
        reported = list(self._reports_in(said))
        for place, one in enumerate(reported, 1):
            try:
                events.append(self._event(one, payload.received))
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

    def _reports_in(self, said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        found = dig(said, self._setting("events") or "events")
        if not isinstance(found, list):
            yield said
            return
        if len(found) > MOST_EVENTS or len(objects(found)) != len(found):
            raise Unreadable(f"A list holds at most {MOST_EVENTS} events, each a JSON object.")
        yield from objects(found)

    def _event(self, said: Mapping[str, Any], received: int) -> ProviderEvent:
        kind = KINDS.get(self._value(said, "event").casefold())
        call = name_of(self._field(said, "call_id"), "call_id")
        if kind is None:
            raise Unknown(f"event {self._value(said, 'event')!r}")
        reported = self._field(said, "at")
        at, precision = (received, 1000) if reported in (None, "") else self._instant(reported)
        agent = self._field(said, "agent")
        data: dict[str, Any] = {}
        trouble = ""
        if kind in (timeline.ENDED, timeline.SUMMARY):
            data, trouble = self._outcome(said)
        if kind == timeline.SUMMARY:
            at = data.setdefault("end", at)
        elif kind == timeline.ENDED:
            at = data.pop("end", at)
            data |= {"record": True} if self._setting("record").casefold() == "yes" else {}
        event = ProviderEvent(
            kind=kind,
            call=call,
            at=at,
            precision_ms=precision,
            conversation=text(self._field(said, "conversation")),
            agents=names(*agent) if isinstance(agent, list) else names(agent),
            number=text(self._field(said, "number")),
            direction=DIRECTIONS.get(self._value(said, "direction").casefold(), ""),
            event_id=text(self._field(said, "event_id")),
            sequence=number_of(self._field(said, "sequence")),
            leg=text(self._field(said, "leg")),
            data=data,
        )
        if trouble:
            raise Unknown(trouble, [event])
        return event

    def _outcome(self, said: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """What an end or a summary reports; and the status that we do not know, if so."""
        reported, trouble = self._value(said, "status"), ""
        status, reason = STATUSES.get(reported.casefold(), ("", ""))
        data: dict[str, Any] = {}
        if reported and not status:
            trouble, data["cause"] = f"status {reported!r}", reported
        data["status"] = status or timeline.COMPLETED
        reason = self._value(said, "reason") or reason
        if reason:
            data["reason"] = reason[:40]
        for theirs, ours in _REPORTED.items():
            found = self._field(said, theirs)
            if found not in (None, ""):
                data[ours] = self._instant(found)[0]
        if "answered" not in data and data["status"] in (timeline.NO_ANSWER, timeline.FAILED):
            data["answered"] = None
        hold = self._field(said, "hold_seconds")
        if isinstance(hold, int | float) and 0 <= hold <= 86_400:
            data["hold"] = round(hold * 1000)
        return data, trouble

    def _instant(self, reported: Any) -> tuple[int, int]:
        """Milliseconds and precision of an ISO instant or of a number of seconds, ms or µs."""
        if isinstance(reported, int | float) or text(reported).replace(".", "", 1).isdigit():
            return _of_number(reported)
        zone, found = self._setting("time_zone"), text(reported)
        try:
            local = dt.datetime.fromisoformat(found.upper())
            if zone and local.tzinfo is None:
                found = local.replace(tzinfo=ZoneInfo(zone)).isoformat()
        except (ValueError, OSError, KeyError) as error:
            raise Unreadable(f"{reported!r:.60} is no instant.") from error
        return iso_to_ms(found), 1 if "." in found else 1000

    # --- Other names ---

    def _setting(self, name: str) -> str:
        return text(self.settings.get(name))

    def _field(self, said: Mapping[str, Any], name: str) -> Any:
        return dig(said, text(part(self.settings, "fields").get(name)) or name)

    def _value(self, said: Mapping[str, Any], name: str) -> str:
        found = text(self._field(said, name))
        return text(part(self.settings, "values", name).get(found)) or found


def dig(data: Any, path: str) -> Any:
    """What is at a dotted path, `data.legs.0.number`; None where there is nothing."""
    for step in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and step.isascii() and step.isdigit() and int(step) < len(data):
            data = data[int(step)]
        else:
            return None
    return data


def _asked(request: HookRequest) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(request.url).query, keep_blank_values=True)


def _of_number(reported: Any) -> tuple[int, int]:
    try:
        value = float(reported)
        if value >= 1e14:
            return bounded_ms(int(reported) // 1000), 1
        if value >= 1e11:
            return bounded_ms(int(value)), 1
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{reported!r:.60} is no instant.") from error
    return seconds_to_ms(reported), 1 if "." in str(reported) else 1000
