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
    Adapter,
    Forged,
    HookRequest,
    Payload,
    ProviderEvent,
    Reply,
    Setting,
    Unknown,
    Unreadable,
    iso_to_ms,
)
from calls.providers.reading import joined, name_of, names, number_of, objects, part, same, text

KINDS: Mapping[str, str] = {
    "setup": timeline.STARTED,
    "proceeding": timeline.RINGING,
    "answered": timeline.ANSWERED,
    "hold": timeline.HELD,
    "disconnected": timeline.ENDED,
    "gone": timeline.ENDED,
    "voicemail": timeline.ENDED,
}
_CALLER = "1"  # how the id of the party ends that began the session
IGNORED = frozenset({"parked", "faxreceive", "voicemailscreening"})
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
# Why a conversation ended that should have gone on.
DROPPED = frozenset({"calldropped", "internalerror"})


class RingCentral(Adapter):
    kind = "ringcentral"
    title = "RingCentral"
    secret_names = ("verification_token",)
    setting_names: ClassVar = (
        Setting(
            "numbered",
            _("All notifications of a session"),
            _("no: the subscription leaves some out. Otherwise one that is lost is marked."),
        ),
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
        at = iso_to_ms(about.get("eventTime"))
        number = self._number(about)
        events: list[ProviderEvent] = []
        unknown: list[str] = []
        for one in objects(about.get("parties")):
            code = text(part(one, "status").get("code"))
            if code.casefold() in KINDS:
                party = _Party(session, one)
                found = party.events(KINDS[code.casefold()], at, text(said.get("uuid")))
                events += [replace(one, conversation_sequence=number) for one in found]
            elif code.casefold() not in IGNORED:
                unknown.append(code)
        if not objects(about.get("parties")):
            raise Unreadable("The session has no parties.")
        if number is not None:
            events.append(
                ProviderEvent(
                    timeline.NOTED, "", at, conversation=session, conversation_sequence=number
                )
            )
        if unknown:
            raise Unknown(f"Status {unknown[0]!r}", events)
        return events

    def _number(self, about: Mapping[str, Any]) -> int | None:
        """The notification's number within its session; None where that would prove nothing."""
        if text(self.settings.get("numbered")).casefold() == "no":
            return None
        return number_of(about.get("sequence"))


class _Party:
    """One leg of a session."""

    def __init__(self, session: str, party: Mapping[str, Any]):
        self.session, self.party = session, party
        self.id = name_of(party.get("id"), "party")
        self.outbound = text(party.get("direction")).casefold() == "outbound"
        ends = part(party, "from"), part(party, "to")
        self.own, self.other = ends if self.outbound else ends[::-1]
        self.status = part(party, "status")

    def events(self, kind: str, at: int, event_id: str) -> list[ProviderEvent]:
        agents = self._agents()
        queued = self.party.get("queueCall") is True
        data = self._end() if kind == timeline.ENDED else {}
        if not agents or (queued and not self.outbound and self._rings_in_vain(kind, data)):
            return []
        internal = bool(text(self.other.get("extensionId")))
        if kind in (timeline.ANSWERED, timeline.HELD):
            # The end of a hold is reported as a further answer.
            data = {"paired": True, "resumes": kind == timeline.ANSWERED}
            if internal and self.outbound and kind == timeline.ANSWERED:
                data["reached"] = True
        direction = "outbound" if self.outbound else "inbound"
        answers = internal and not self.outbound and kind == timeline.ANSWERED
        return [
            *(self._answer_of_caller(at, event_id) if answers else ()),
            ProviderEvent(
                kind=kind,
                call=joined(self.session, self.id),
                at=at,
                conversation=self.session,
                agents=agents,
                number=text(self.other.get("phoneNumber") or self.other.get("extensionNumber")),
                direction="internal" if internal else direction,
                event_id=event_id,
                data=data,
            ),
        ]

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

    def _rings_in_vain(self, kind: str, data: Mapping[str, Any]) -> bool:
        return kind in (timeline.STARTED, timeline.RINGING) or "answered" in data

    def _end(self) -> dict[str, Any]:
        reported = text(self.status.get("reason"))
        plain = reported.casefold()
        data: dict[str, Any] = {"status": timeline.COMPLETED, "unanswered": timeline.NO_ANSWER}
        if plain in UNANSWERED or self.party.get("missedCall") is True or self._went_to_voicemail():
            status, reason = UNANSWERED.get(plain, (timeline.NO_ANSWER, ""))
            data = {"status": status, "answered": None} | ({"reason": reason} if reason else {})
        elif plain in DROPPED:
            data |= {"status": timeline.DROPPED, "reason": "network", "unsure": True}
        else:
            data["unsure"] = True
        return data | ({"cause": reported} if reported else {})

    def _went_to_voicemail(self) -> bool:
        return text(self.status.get("code")).casefold() == "voicemail"
