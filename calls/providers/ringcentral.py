"""RingCentral: notifications of telephony sessions, to the millisecond.

A session has parties, and each party that is one of our extensions is that person's part. In a
call queue many parties ring: one that does not answer is nobody's call. No final record is sent,
but a session's notifications are numbered without gaps, whomever they are about; the first number
has been seen to be 2.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.providers.base import (
    API_ADDRESS,
    Adapter,
    Forged,
    HookRequest,
    Payload,
    ProviderEvent,
    Reply,
    Setting,
    Unknown,
    Unreadable,
)
from calls.providers.reading import (
    Values,
    flag,
    instant_of,
    joined,
    name_of,
    names,
    objects,
    other_side,
    part,
    same,
    text,
)

KINDS: Mapping[str, str] = {
    "setup": timeline.STARTED,
    "proceeding": timeline.RINGING,
    "answered": timeline.ANSWERED,
    "hold": timeline.HELD,
    "disconnected": timeline.ENDED,
    "gone": timeline.ENDED,
    # Whoever parked the call is not with the caller who waits.
    "parked": timeline.ENDED,
    **dict.fromkeys(("voicemail", "voicemailscreening", "vmscreening"), timeline.ENDED),
}
MAILBOX = frozenset({"voicemail", "voicemailscreening", "vmscreening"})
DIRECTIONS = {"inbound": "inbound", "outbound": "outbound"}
_CALLER = "1"  # how the id of the party ends that began the session
IGNORED = frozenset({"faxreceive"})
# Why a party was disconnected that nobody had answered.
UNANSWERED: Mapping[str, tuple[str, str]] = {
    "noanswer": (timeline.NO_ANSWER, ""),
    "targetbusy": (timeline.NO_ANSWER, "busy"),
    "rejected": (timeline.NO_ANSWER, "rejected"),
    "cancelled": (timeline.NO_ANSWER, "cancelled"),
    **dict.fromkeys(("invalidnumber", "nosuchuser"), (timeline.FAILED, "invalid_number")),
    **dict.fromkeys(
        ("internationaldisabled", "destinationblocked", "notenoughfunds"),
        (timeline.FAILED, "rejected"),
    ),
}
# The call went on elsewhere: the queue, the menu or the phone that says so has no part in that.
PASSED_ON = frozenset(
    {"agentanswered", "agentdropped", "pickup", "callerinputredirect", "callredirected"}
)
# Why a conversation ended that should have gone on.
DROPPED = frozenset({"calldropped", "internalerror"})


class RingCentral(Adapter):
    kind = "ringcentral"
    title = "RingCentral"
    secret_names = ("verification_token",)
    optional_secret_names = ("client_secret", "jwt")
    rings_several = True
    setting_names: ClassVar = (
        Setting(
            "numbered",
            _("All notifications of a session"),
            _("no: the subscription leaves some out. Otherwise one that is lost is marked."),
        ),
        Setting("client_id", _("Client ID"), _("Of the app that fetches the records.")),
        API_ADDRESS,
    )
    setup: ClassVar = (
        _(
            "Secret verification_token: any long random text. Store it here before you create "
            "the subscription."
        ),
        _(
            "POST /restapi/v1.0/subscription with eventFilters "
            '["/restapi/v1.0/account/~/telephony/sessions"] and deliveryMode {"transportType": '
            '"WebHook", "address": "{url}", "verificationToken": "…"}.'
        ),
        _("A subscription expires, and is blocked after failures: set the alarm after silence."),
        _(
            "To have the records fetched each night: an app with JWT auth flow and the permission "
            "Read Call Log, of a user who may read the company's call log. Its Client ID, Client "
            "Secret (secret client_secret) and the user's JWT (secret jwt)."
        ),
    )

    def dial_url(self, number: str) -> str:
        return f"rcmobile://call?number={quote(number.removeprefix('+'), safe='')}"

    def challenge(self, request: HookRequest) -> Reply | None:
        """The echo that proves the address when a subscription is made: that request is empty."""
        token = request.headers.get("validation-token", "")
        if request.body.strip() or not token:
            return None
        if len(token) > 200 or not (token.isascii() and token.isprintable()):
            raise Forged("That is no token of RingCentral's.")
        return Reply(headers={"Validation-Token": token})

    def verify(self, request: HookRequest) -> None:
        """Every notification carries the chosen token; in older subscriptions by another name."""
        given = [
            request.headers.get(f"{name}-token", "") for name in ("verification", "validation")
        ]
        if not any(same(token, self.secret_values()) for token in given):
            raise Forged("The verification token is missing or wrong.")

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        said = payload.json()
        about = part(said, "body")
        path = text(said.get("event")).partition("?")[0]
        if "/telephony/sessions" not in path:
            if "/subscription/" in path:
                return []  # a reminder that the subscription will expire
            raise Unknown(f"Event {path!r:.100}")
        session = name_of(about.get("telephonySessionId"), "session")
        at = instant_of(about.get("eventTime"))[0]
        shared = Values()
        number = self._number(about, shared)
        events: list[ProviderEvent] = []
        troubles: list[str] = []
        for one in objects(about.get("parties")):
            code = text(part(one, "status").get("code"))
            if code.casefold() in KINDS:
                party = _Party(session, one)
                party.values.unread |= shared.unread
                found = party.events(KINDS[code.casefold()], at, text(said.get("uuid")))
                events += [replace(one, conversation_sequence=number) for one in found]
                troubles += [party.values.trouble] if found and party.values.trouble else []
            elif code.casefold() not in IGNORED:
                troubles.append(f"Status {code!r}")
        if not objects(about.get("parties")):
            raise Unreadable("The session has no parties.")
        if number is not None:
            events.append(
                ProviderEvent(
                    timeline.NOTED, "", at, conversation=session, conversation_sequence=number
                )
            )
        if troubles:
            raise Unknown(troubles[0], events)
        return events

    def _number(self, about: Mapping[str, Any], values: Values) -> int | None:
        """The notification's number within its session; None where that would prove nothing."""
        if text(self.settings.get("numbered")).casefold() == "no":
            return None
        return values.whole("sequence", about.get("sequence"))


class _Party:
    """One leg of a session."""

    def __init__(self, session: str, party: Mapping[str, Any]):
        self.session, self.party = session, party
        self.values = Values()
        self.id = name_of(party.get("id"), "party")
        self.direction = self._direction()
        self.outbound = self.direction == "outbound"
        ends = part(party, "from"), part(party, "to")
        self.own, self.other = ends if self.outbound else ends[::-1]
        self.status = part(party, "status")
        self.code = text(self.status.get("code")).casefold()
        self.reason = text(self.status.get("reason"))

    def _direction(self) -> str:
        """As told, or by which end is the extension itself."""
        found = self.values.word("direction", self.party.get("direction"), DIRECTIONS)
        extension = text(self.party.get("extensionId"))
        if found or not extension:
            return found
        caller, called = (text(part(self.party, end).get("extensionId")) for end in ("from", "to"))
        if (caller == extension) == (called == extension):
            return ""
        return "outbound" if caller == extension else "inbound"

    def events(self, kind: str, at: int, event_id: str) -> list[ProviderEvent]:
        agents = self._agents()
        if not agents:
            return []
        data = self._end() if kind == timeline.ENDED else {}
        internal = any(text(self.other.get(f"extension{what}")) for what in ("Id", "Number"))
        if kind in (timeline.ANSWERED, timeline.HELD):
            # The end of a hold is reported as a further answer.
            data = {"paired": True, "resumes": kind == timeline.ANSWERED}
            if internal and self.outbound and kind == timeline.ANSWERED:
                data["reached"] = True
            elif kind == timeline.ANSWERED:
                data["turn"] = True  # who parked the call may fetch it
        # Who fetches a parked call dials its place: the caller is the one who waited there.
        fetches = self.outbound and bool(text(part(self.party, "park").get("id")))
        answers = internal and not self.outbound and kind == timeline.ANSWERED
        tentative, unless_known = self._waits(kind, data)
        return [
            *(self._answer_of_caller(at, event_id) if answers else ()),
            ProviderEvent(
                kind=kind,
                call=joined(self.session, self.id),
                at=at,
                conversation=self.session,
                agents=agents,
                number="" if fetches else self._number_of_other(),
                direction="inbound" if fetches else "internal" if internal else self.direction,
                event_id=event_id,
                tentative=tentative,
                unless_known=unless_known,
                data=data | self.values.said,
            ),
        ]

    def _number_of_other(self) -> str:
        number = other_side(self.other.get("phoneNumber"))
        return number or text(self.other.get("extensionNumber"))

    def _waits(self, kind: str, data: Mapping[str, Any]) -> tuple[bool, bool]:
        """Whether the event makes no call by itself, and whether that is so only of a stranger's.

        A queue and a menu are extensions as people are, so of a stranger only the end tells
        whether the call was theirs. A phone of a queue rings for whoever answers first.
        """
        if self.outbound:
            return False, False
        if kind == timeline.ENDED and self.reason.casefold() in PASSED_ON:
            return True, False
        if flag(self.party.get("queueCall")):
            rings = kind in (timeline.STARTED, timeline.RINGING)
            return rings or data.get("answered", 0) is None, False
        waits = kind != timeline.ENDED or self.code == "parked"
        return waits, waits

    def _answer_of_caller(self, at: int, event_id: str) -> list[ProviderEvent]:
        """The called party's answer, as one of the caller's part too: a session's first party."""
        name, _dash, place = self.id.rpartition("-")
        if not name or not place.isdecimal() or place == _CALLER:
            return []
        return [
            ProviderEvent(
                kind=timeline.ANSWERED,
                call=joined(self.session, f"{name}-{_CALLER}"),
                at=at,
                conversation=self.session,
                event_id=event_id,
                data={"party": "called"},
            )
        ]

    def _agents(self) -> tuple[str, ...]:
        extension = self.party.get("extensionId") or self.own.get("extensionId")
        if not text(extension):
            return ()
        return names(extension, self.own.get("extensionNumber"), self.own.get("phoneNumber"))

    def _end(self) -> dict[str, Any]:
        plain = self.reason.casefold()
        cause = self.reason or ("Parked" if self.code == "parked" else "")
        data: dict[str, Any] = {"status": timeline.COMPLETED, "unanswered": timeline.NO_ANSWER}
        missed = flag(self.party.get("missedCall")) or self.code in MAILBOX
        if self.code == "parked" or plain in PASSED_ON:
            pass  # a phone that was answered had the call until then
        elif plain in UNANSWERED or missed:
            status, reason = UNANSWERED.get(plain, (timeline.NO_ANSWER, ""))
            data = {"status": status, "answered": None} | ({"reason": reason} if reason else {})
        elif plain in DROPPED:
            data |= {"status": timeline.DROPPED, "reason": "network", "unsure": True}
        else:
            data["unsure"] = True
        return data | ({"cause": cause} if cause else {})
