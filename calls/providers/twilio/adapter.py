"""Twilio Voice: status callbacks of parent and child calls, and its Calls API.

A call that is dialled on is a parent and its children. The parent is the call; what a child says of
answer and end is believed before what the parent says, which is answered by a document and not by
a person. Instants are whole seconds.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.providers import web
from calls.providers.base import (
    API_ADDRESS,
    Adapter,
    Forged,
    HookRequest,
    Payload,
    ProviderEvent,
    Setting,
    Unknown,
    Unreachable,
    Unreadable,
    bounded_ms,
)
from calls.providers.reading import Values, instant_of, name_of, objects, same, text
from calls.providers.twilio.outcome import (
    KINDS,
    PRECISION_MS,
    Fate,
    Said,
    of_agents_phone,
    of_customers_phone,
)
from calls.providers.twilio.people import People
from calls.providers.twilio.signing import fields_of, pairs_of, query, signature, signed, spellings
from common.instants import UTC, to_ms

CALLBACK_EVENTS = ("initiated", "ringing", "answered", "completed")


class Twilio(Adapter):
    kind = "twilio"
    title = "Twilio Voice"
    secret_names = ("auth_token",)
    optional_secret_names = ("subaccount_tokens",)  # AC...=token, with spaces between
    setting_names: ClassVar = (
        Setting(
            "account_sid",
            _("Account SID"),
            _("AC and 32 characters. Needed to place calls and to ask about them."),
        ),
        Setting("caller_id", _("Caller ID"), _("The number that those called see, in E.164.")),
        Setting(
            "dials",
            _("Whom Dial reaches"),
            _(
                "customers (as a rule), or agents if the plain numbers that Dial calls are "
                "agents' phones."
            ),
        ),
        API_ADDRESS,
    )
    can_dial = True
    setup: ClassVar = (
        _(
            "In your TwiML, on <Number>, <Client> or <Sip> inside <Dial>: "
            'statusCallback="{url}?agent=NAME" '
            'statusCallbackEvent="initiated ringing answered completed"; NAME is the agent, '
            "such as client:ana."
        ),
        _("On the phone number and on the TwiML application, “Call status changes”: {url} (POST)."),
        _("Secret auth_token: the Auth Token of the account that the calls run in."),
        _("Secret subaccount_tokens, if need be: AC…=token for each sub-account, spaces between."),
    )

    def __init__(self, *args: Any, transport: web.Transport = web.https, **more: Any):
        super().__init__(*args, **more)
        self._transport = transport

    # --- Proof ---

    def verify(self, request: HookRequest) -> None:
        given = request.headers.get("x-twilio-signature", "")
        pairs, digest = signed(request)
        if digest and not same(hashlib.sha256(request.body).hexdigest(), [digest.lower()]):
            raise Forged("The body is not the one that was signed.")
        account = dict(pairs_of(query(request.url)) + list(pairs)).get("AccountSid", "")
        urls = spellings(request.url)
        chosen = request.headers.get("x-twilio-webhooks-signature-settings", "").lower()
        algorithm = "sha256" if "algorithm=hmac_sha256" in chosen else "sha1"
        expected = [
            signature(url, pairs, key, algorithm) for url in urls for key in self._tokens(account)
        ]
        if not same(given, expected):
            raise Forged("The signature is not Twilio's.")

    def _tokens(self, account_sid: str) -> Sequence[str]:
        """The tokens that sign for this account: a sub-account may have one of its own.

        None of them is empty: anybody could sign with that.
        """
        pairs = " ".join(self.secrets.get("subaccount_tokens", ())).split()
        own = [
            token for sid, _, token in (one.partition("=") for one in pairs) if sid == account_sid
        ]
        return [token for token in own or self.secret_values("auth_token") if token]

    # --- Events ---

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        fields = fields_of(payload)
        status = text(fields.get("CallStatus")).lower()
        leg = name_of(fields.get("CallSid"), "call")
        if status not in KINDS:
            raise Unknown(f"CallStatus {status!r:.60}")
        values = Values()
        events = self._events(fields, values, status, leg, _instant(fields, payload.received))
        if values.trouble:
            raise Unknown(values.trouble, events)
        return events

    def _events(
        self, fields: Mapping[str, Any], values: Values, status: str, leg: str, at: int
    ) -> list[ProviderEvent]:
        """What a status says, of the parent or of a child of a call."""
        parent = text(fields.get("ParentCallSid"))
        if parent == leg:  # no call has come of itself
            values.contradict("ParentCallSid", parent)
            fields, parent = {**fields, "ParentCallSid": ""}, ""
        who = People(
            fields, values, self.knows, to_agents=text(self.settings.get("dials")) == "agents"
        )
        kind = KINDS[status]
        sequence = values.whole("SequenceNumber", fields.get("SequenceNumber"))
        common: dict[str, Any] = {
            "call": parent or leg,
            "conversation": parent or leg,
            "leg": leg,
            "precision_ms": PRECISION_MS,
            "number": who.number,
            "direction": who.direction,
        }
        fate = Fate(status, fields, values, at)
        if not parent:
            common["agents"] = who.agents
            events = self._of_parent(kind, fate, who.inbound)
        elif who.inbound:
            common["agents"] = who.agents if fate.was_answered else ()
            events = of_agents_phone(kind, fate, leg)
        else:
            common["agents"] = who.agents
            events = of_customers_phone(kind, fate, leg)
        return [
            ProviderEvent(
                kind=one,
                at=when,
                data=data | values.said,
                sequence=sequence if place == 0 else None,
                **common,
            )
            for place, (one, when, data) in enumerate(events)
        ]

    def _of_parent(self, kind: str, fate: "Fate", inbound: bool) -> list["Said"]:
        """A caller from outside was answered by a document, whoever took the call then."""
        if kind == timeline.ANSWERED:
            return [] if inbound else [(kind, fate.at, {"provisional": True})]
        if kind != timeline.ENDED:
            return [(kind, fate.at, {})]
        said: list[Said] = [(kind, fate.at, {**fate.outcome(), "provisional": True})]
        if fate.answered is not None and not inbound:
            said.append((timeline.ANSWERED, fate.answered, {"provisional": True}))
        return said

    # --- Asking ---

    def place_call(self, agent: str, number: str, hook: str = "") -> str:
        caller = text(self.settings.get("caller_id"))
        callback = hook and f"{hook}?{urlencode({'agent': agent, 'number': number})}"
        phone = _address_of(agent)
        fields = [("To", phone), ("From", caller), ("Twiml", _dial(number, caller, callback))]
        if callback:
            # Several events are a repeated parameter: one joined value does not work.
            fields += [("StatusCallback", callback)]
            fields += [("StatusCallbackEvent", event) for event in CALLBACK_EVENTS]
        made = self._call_api("POST", "Calls.json", fields)
        return text(made.get("sid"))

    def ask(self, call_id: str) -> list[ProviderEvent] | None:
        if not re.fullmatch(r"CA[0-9a-f]{32}", call_id):
            return None
        try:
            parent = self._call_api("GET", f"Calls/{call_id}.json")
            children = self._call_api("GET", f"Calls.json?ParentCallSid={call_id}")
        except Unreachable:
            return None
        calls = [parent, *objects(children.get("calls"))]
        events = [event for call in calls for event in self.known_of(call)]
        is_over = KINDS.get(text(parent.get("status"))) == timeline.ENDED
        return None if is_over and not events else events

    def known_of(self, call: Mapping[str, Any]) -> list[ProviderEvent]:
        """What the Calls API tells of a call that has ended; it tells nothing exact before.

        Of a list of calls each is told by itself: a parent, and each of its children.
        """
        fields = {
            "CallSid": call.get("sid"),
            "ParentCallSid": call.get("parent_call_sid"),
            "CallDuration": call.get("duration"),
            "Direction": call.get("direction"),
            "From": call.get("from"),
            "To": call.get("to"),
            "Timestamp": call.get("end_time"),
        }
        status = text(call.get("status"))
        if KINDS.get(status) != timeline.ENDED or not text(call.get("end_time")):
            return []
        try:
            leg = name_of(fields["CallSid"], "call")
            return self._events(fields, Values(), status, leg, _instant(fields, 0))
        except Unreadable:
            return []

    def _call_api(
        self, method: str, path: str, fields: list[tuple[str, str]] | None = None
    ) -> dict[str, Any]:
        account = text(self.settings.get("account_sid"))
        tokens = self._tokens(account)
        if not account or not tokens:
            raise Unreachable(gettext("The account's account_sid and auth_token are needed."))
        base = f"https://api.twilio.com/2010-04-01/Accounts/{quote(account)}/{path}"
        headers = web.basic(account, tokens[0]) | {"Accept": "application/json"}
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = None if fields is None else web.form(fields)
        return web.answered_json(self._transport(web.Question(method, base, headers, body)))


def _address_of(agent: str) -> str:
    """How Twilio reaches an agent: a number or an address; a plain name is that of a client."""
    return agent if ":" in agent or agent.startswith("+") else f"client:{agent}"


def _instant(fields: Mapping[str, Any], received: int) -> int:
    """When it happened: the Timestamp (RFC 2822), or when we heard of it where there is none."""
    reported = text(fields.get("Timestamp"))
    if not reported:
        return received
    try:
        at = parsedate_to_datetime(reported)
        return bounded_ms(to_ms(at if at.tzinfo else at.replace(tzinfo=UTC)))
    except (ValueError, OverflowError, TypeError):
        return instant_of(fields["Timestamp"])[0]


def _dial(number: str, caller_id: str, hook: str) -> str:
    """What the agent's phone does once it is answered: it dials the number."""
    callback = f" statusCallback={quoteattr(hook)}" if hook else ""
    events = f' statusCallbackEvent="{" ".join(CALLBACK_EVENTS)}"' if hook else ""
    caller = f" callerId={quoteattr(caller_id)}" if caller_id else ""
    dialled = f"<Number{callback}{events}>{escape(number)}</Number>"
    return f"<Response><Dial{caller}>{dialled}</Dial></Response>"
