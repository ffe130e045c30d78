"""FreeSWITCH: call records by HTTP (mod_json_cdr, mod_xml_cdr), in microseconds, with the hold.

A call has the leg of who called and a leg for each phone that rang. Any of them is enough; more of
them agree. What is recorded is a final record: there are no live events in this way.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit
from xml.etree import ElementTree

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
    outcome_of_cause,
)
from calls.providers.reading import joined, name_of, names, number_of, objects, part, same, text

TOKEN_HEADER = "X-CallManager-Token"
TOKEN_QUERY = "token"
# A bridge follows the answer at once; an answer well before it was the dialplan's own.
_OWN_ANSWER_MS = 2_000

# Names of causes whose Q.850 number decides.
Q850: Mapping[str, int] = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
    "USER_NOT_REGISTERED": 20,
    "NO_PICKUP": 19,
}
_COMPLETED, _NO_ANSWER = (timeline.COMPLETED, ""), (timeline.NO_ANSWER, "")
_BROKEN = (timeline.DROPPED, "network"), (timeline.FAILED, "network")
# FreeSWITCH's own causes: what they mean after an answer, and before.
OWN: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "ORIGINATOR_CANCEL": (_COMPLETED, (timeline.NO_ANSWER, "cancelled")),
    "MANAGER_REQUEST": (_COMPLETED, (timeline.NO_ANSWER, "cancelled")),
    "LOSE_RACE": (_COMPLETED, (timeline.NO_ANSWER, "elsewhere")),
    "PICKED_OFF": (_COMPLETED, (timeline.NO_ANSWER, "elsewhere")),
    "ALLOTTED_TIMEOUT": (_COMPLETED, _NO_ANSWER),
    "ATTENDED_TRANSFER": (_COMPLETED, _NO_ANSWER),
    "BLIND_TRANSFER": (_COMPLETED, _NO_ANSWER),
    "MEDIA_TIMEOUT": ((timeline.DROPPED, "media_timeout"), (timeline.FAILED, "network")),
    "PROGRESS_TIMEOUT": (_COMPLETED, _NO_ANSWER),
    **dict.fromkeys(
        ("SYSTEM_SHUTDOWN", "CRASH", "GATEWAY_DOWN", "EXCHANGE_ROUTING_ERROR"), _BROKEN
    ),
}


class FreeSwitch(Adapter):
    kind = "freeswitch"
    title = _("FreeSWITCH (call records)")
    secret_names = ("password",)
    setting_names: ClassVar = (
        Setting("user", _("User"), _("Of the basic authentication. Empty: any.")),
        Setting(
            "b_legs",
            _("Records of B legs"),
            _("no: log-b-leg is off, so that none of them is missed."),
        ),
    )
    setup: ClassVar = (
        _(
            'In json_cdr.conf.xml or xml_cdr.conf.xml: <param name="url" value="{url}"/>, '
            '<param name="auth-scheme" value="basic"/>, <param name="cred" value="USER:PASSWORD"/>,'
            ' <param name="log-b-leg" value="true"/>.'
        ),
        _(
            "Secret password: the PASSWORD of cred. Where there can be none, the same text in the "
            "header X-CallManager-Token, or as ?token= in the address (it is not kept)."
        ),
    )

    # --- Proof ---

    def verify(self, request: HookRequest) -> None:
        user, password = _credentials(request)
        wanted = text(self.settings.get("user"))
        given = password or request.headers.get(TOKEN_HEADER.lower(), "") or _asked_token(request)
        if password and wanted and not same(user, [wanted]):
            raise Forged("The user is not the right one.")
        if not same(given, self.secret_values()):
            raise Forged("The password is missing or wrong.")

    def kept(self, request: HookRequest) -> Payload:
        query = urlencode([pair for pair in _asked(request.url) if pair[0] != TOKEN_QUERY])
        return Payload(request.body, request.received, request.content_type, query)

    # --- Events ---

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        return _Leg(*_record_of(payload), self.settings).events()


class _Leg:
    """One leg of a call: its variables and its caller's profile. Instants in ms."""

    def __init__(
        self,
        variables: Mapping[str, str],
        profile: Mapping[str, str],
        settings: Mapping[str, Any],
    ):
        self.variables, self.profile = variables, profile
        self.settings = settings
        self.uuid = name_of(variables.get("uuid"), "leg")
        origin = text(variables.get("originating_leg_uuid"))
        self.conversation = text(variables.get("call_uuid")) or origin or self.uuid
        self.is_b = bool(origin) or self.conversation != self.uuid
        self.agent = text(variables.get("dialed_user" if self.is_b else "user_name"))
        # The part of the agent who called, or that of the agent who was called.
        self.called_us = self.is_b == bool(self.agent)
        self.answered = self._answer()

    def events(self) -> list[ProviderEvent]:
        if self.is_b and self.answered is None:
            return []  # one of the phones that rang; the caller's leg says how the call ended
        cause, (status, reason) = self._outcome()
        guess = timeline.FAILED if self.answered is None else timeline.COMPLETED
        data: dict[str, Any] = {
            "start": self._needed("start_uepoch"),
            "answered": self.answered,
            "end": self._needed("end_uepoch"),
            "status": status or guess,
            "cause": cause,
        }
        if reason:
            data["reason"] = reason
        if self.is_b == self.called_us:  # the agent's own phone, which pressed hold
            data["hold"] = number_of(self.variables.get("hold_accum_ms")) or 0
        elif self._own_leg():
            data["awaits"] = self._own_leg()
        event = ProviderEvent(
            kind=timeline.SUMMARY,
            call=joined(self.conversation, "callee" if self.called_us else ""),
            at=data["end"],
            conversation=self.conversation,
            agents=self._agents(),
            number=self._number(),
            direction="inbound" if self.called_us else "outbound",
            leg=self.uuid,
            data=data,
        )
        if not status:
            raise Unknown(f"hangup cause {cause!r}", [event])
        return [event]

    def _own_leg(self) -> str:
        """The leg of the agent's phone, which alone knows the hold and is recorded too."""
        if self.is_b:
            return self.conversation
        alone = text(self.settings.get("b_legs")).casefold() == "no"
        return "" if alone else text(self.variables.get("bridge_uuid"))

    def _answer(self) -> int | None:
        answered, bridged = self._instant("answer_uepoch"), self._instant("bridge_uepoch")
        if self.is_b or answered is None:
            return answered
        if bridged is None:
            # Announcements and queues answer too: without a bridge nobody was reached.
            failed = text(self.variables.get("originate_disposition")) not in ("", "SUCCESS")
            return None if failed or self.called_us else answered
        return bridged if bridged - answered > _OWN_ANSWER_MS else answered

    def _outcome(self) -> tuple[str, tuple[str, str]]:
        """The cause, and what it means; ("", "") where we do not know it."""
        hung_up = text(self.variables.get("hangup_cause")).upper()
        cause = hung_up
        if self.answered is None:
            # The caller's leg ends in the normal way, however the other phone failed.
            causes = [text(self.variables.get(name)).upper() for name in _BETTER_CAUSES]
            cause = next((one for one in causes if one not in ("", "SUCCESS")), hung_up)
        answered = self.answered is not None
        if cause in OWN:
            return cause, OWN[cause][0 if answered else 1]
        number = Q850.get(cause)
        if number is None and cause == hung_up:
            number = number_of(self.variables.get("hangup_cause_q850"))
        return cause, ("", "") if number is None else outcome_of_cause(number, answered)

    def _agents(self) -> tuple[str, ...]:
        if self.agent:
            return names(self.agent, self.profile.get("username") if not self.is_b else "")
        if self.is_b or self.answered is None:
            return ()
        found = re.search(r"/(?:sip:)?([^/@]+)@", self.variables.get("bridge_channel", ""))
        return names(found and found[1], self.variables.get("last_sent_callee_id_number"))

    def _number(self) -> str:
        caller = self.profile.get("caller_id_number") or self.variables.get("sip_from_user")
        called = self.profile.get("destination_number") or self.variables.get("sip_to_user")
        return text(caller if self.called_us else called)

    def _needed(self, name: str) -> int:
        found = self._instant(name)
        if found is None:
            raise Unreadable(f"The record has no {name}.")
        return found

    def _instant(self, name: str) -> int | None:
        """Microseconds as milliseconds; None for 0, which means never."""
        microseconds = number_of(self.variables.get(name))
        return bounded_ms(microseconds // 1000) if microseconds else None


_BETTER_CAUSES = ("originate_disposition", "last_bridge_hangup_cause", "bridge_hangup_cause")


# --- The record, as the two modules send it ---------------------------------------------------


def _record_of(payload: Payload) -> tuple[dict[str, str], dict[str, str]]:
    """Variables and caller's profile of a record, whatever its dress."""
    record = _undressed(payload).strip()
    return _of_xml(record) if record.startswith("<") else _of_json(record)


def _undressed(payload: Payload) -> str:
    """The record itself: raw, or as the field `cdr` of a form in one of three encodings."""
    raw = payload.body.strip()
    if raw.startswith((b"{", b"<")):
        return raw.decode(errors="replace")
    _, field, encoded = raw.partition(b"cdr=")
    if not field:
        raise Unreadable("The body holds no record.")
    if "plain" in payload.content_type:
        return encoded.decode(errors="replace")
    value = dict(parse_qsl(raw.decode(errors="replace"))).get("cdr", "")
    if value.lstrip().startswith(("{", "<")):
        return value
    try:
        return base64.b64decode(unquote(encoded.decode("ascii")), validate=True).decode(
            errors="replace"
        )
    except (ValueError, binascii.Error) as error:
        raise Unreadable("The record is not readable.") from error


def _of_json(record: str) -> tuple[dict[str, str], dict[str, str]]:
    try:
        said = json.loads(record)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The record is not valid JSON.") from error
    flows = part(said).get("callflow")
    first = (objects(flows) or [part(said, "callflow")])[-1]  # the latest comes first
    return _texts(part(said, "variables")), _texts(part(first, "caller_profile"))


def _of_xml(record: str) -> tuple[dict[str, str], dict[str, str]]:
    if re.search(r"<!(DOCTYPE|ENTITY)", record, re.IGNORECASE):
        raise Unreadable("A record declares no document type.")
    try:
        root = ElementTree.fromstring(record)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Unreadable("The record is not valid XML.") from error
    flows = root.findall("callflow")
    profile = flows[-1].find("caller_profile") if flows else None
    return _texts(_children(root.find("variables"))), _texts(_children(profile))


def _children(element: ElementTree.Element | None) -> dict[str, str | None]:
    return {} if element is None else {child.tag: child.text for child in element}


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Both modules encode what stands in a value as in an address."""
    return {name: text(unquote(text(value))) for name, value in values.items()}


# --- Proof ---


def _credentials(request: HookRequest) -> tuple[str, str]:
    """User and password of the basic authentication; empty where there is none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return "", ""
    return user, password


def _asked(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def _asked_token(request: HookRequest) -> str:
    return dict(_asked(request.url)).get(TOKEN_QUERY, "")
