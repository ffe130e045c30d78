"""Zoom Phone: its webhook events, signed over the raw body.

One call has a caller's side and, for each phone that rings, a callee's side; each side that is one
of our people is that person's part. Event instants are whole seconds; what `..._ended` and the
call history say of the answer is believed before `caller_connected`, which may come with ringback.
"""

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
    bounded_ms,
    iso_to_ms,
)
from calls.providers.reading import joined, name_of, names, number_of, objects, part, same, text

PRECISION_MS = 1000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
CHALLENGE = "endpoint.url_validation"

# What happened on a side -> kind, and the field that says when.
STEPS: Mapping[str, tuple[str, str]] = {
    "ringing": (timeline.STARTED, "ringing_start_time"),
    "connected": (timeline.ANSWERED, "connected_start_time"),
    "answered": (timeline.ANSWERED, "answer_start_time"),
    "hold": (timeline.HELD, "date_time"),
    "unhold": (timeline.RESUMED, "date_time"),
    "ended": (timeline.ENDED, "call_end_time"),
    "missed": (timeline.ENDED, "call_end_time"),
    "rejected": (timeline.ENDED, "call_end_time"),
}
# Known, and of no interest to the time of a call.
IGNORED = frozenset(
    {
        *("mute", "unmute", "parked", "unparked", "meeting_inviting", "conference_started"),
        *("call_log_completed", "call_history_deleted", "call_element_deleted"),
    }
)
HISTORY = "call_history_completed"

COMPLETED, NO_ANSWER, FAILED = timeline.COMPLETED, timeline.NO_ANSWER, timeline.FAILED
ELSEWHERE = ("", "elsewhere")
# handup_result (sic) of an event, and result of the history, without capitals, spaces and dashes.
RESULTS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("callconnected", "connected", "answered", "accepted"), (COMPLETED, "")),
    **dict.fromkeys(("pickedup", "succeeded", "callfinished", "completed"), (COMPLETED, "")),
    **dict.fromkeys(
        ("callcancel", "callcanceled", "canceled", "cancelled"), (NO_ANSWER, "cancelled")
    ),
    **dict.fromkeys(("hangup", "abandoned"), (NO_ANSWER, "cancelled")),
    **dict.fromkeys(("noanswer", "missed", "ringtimeout", "voicemail"), (NO_ANSWER, "")),
    **dict.fromkeys(("rejected", "declined", "callrejected"), (NO_ANSWER, "rejected")),
    "busy": (NO_ANSWER, "busy"),
    **dict.fromkeys(("callfailed", "failed", "unconnected"), (FAILED, "network")),
    **dict.fromkeys(("serviceunavailable", "systemblock"), (FAILED, "network")),
    **dict.fromkeys(
        ("invalidnumber", "invalidkey", "invalidoperation"), (FAILED, "invalid_number")
    ),
    **dict.fromkeys(("answeredbyothermember", "answeredbyother"), ELSEWHERE),
}
# Phones that ring for several people: one that does not answer ends nothing.
SHARED = frozenset({"callqueue", "sharedlinegroup", "autoreceptionist", "sharedoffice"})


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Zoom's signature of a raw body sent at `timestamp` (the header as it came)."""
    signed = b"v0:" + timestamp.encode(errors="surrogatepass") + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, "sha256").hexdigest()


class Zoom(Adapter):
    kind = "zoom"
    title = "Zoom Phone"
    secret_names = ("secret_token",)
    setting_names: ClassVar = (
        Setting(
            "history",
            _("Call history"),
            _("no: the app does not subscribe to the call history, so none of it is missed."),
        ),
    )
    setup: ClassVar = (
        _("In the Zoom App Marketplace: an app of your account, Feature, Event Subscriptions."),
        _("Secret secret_token: the app's Secret Token. Store it here before you validate."),
        _("Event notification endpoint URL: {url}, then Validate."),
        _(
            "Phone events: caller and callee ringing, connected, answered, hold, unhold, ended, "
            "missed and rejected, and both of call history completed."
        ),
    )

    def dial_url(self, number: str) -> str:
        return f"zoomphonecall://{quote(number, safe='+')}"

    # --- Proof ---

    def challenge(self, request: HookRequest) -> Reply | None:
        """The answer to Zoom's test of the address, signed or not, but never signed wrongly.

        The answer signs what it is given. What it signs can never pass for an event: an event's
        signed text has colons, and a token of Zoom's has none.
        """
        if CHALLENGE.encode() not in request.body:
            return None
        try:
            asked = self.kept(request).json()
        except Unreadable:
            return None
        if asked.get("event") != CHALLENGE:
            return None
        signed = "x-zm-signature" in request.headers
        secret = self._signer(request) if signed else next(iter(self.secret_values()), "")
        token = text(part(asked, "payload").get("plainToken"))
        if not secret or not _TOKEN.fullmatch(token):
            raise Forged("That is no token of Zoom's.")
        encrypted = hmac.new(secret.encode(), token.encode(), "sha256").hexdigest()
        answer = {"plainToken": token, "encryptedToken": encrypted}
        return Reply(body=json.dumps(answer).encode())

    def verify(self, request: HookRequest) -> None:
        self._signer(request)

    def _signer(self, request: HookRequest) -> str:
        """The secret that `request` is signed with; Forged if it is none of ours."""
        timestamp = request.headers.get("x-zm-request-timestamp", "")
        given = request.headers.get("x-zm-signature", "")
        for secret in self.secret_values():
            if secret and timestamp and same(given, [signature(secret, timestamp, request.body)]):
                return secret
        raise Forged("The signature is not Zoom's.")

    # --- Events ---

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        said = payload.json()
        event = text(said.get("event"))
        what = event.removeprefix("phone.")
        side, _, step = what.partition("_")
        about = part(said, "payload", "object")
        if side in ("caller", "callee") and event.startswith("phone."):
            if step == HISTORY:
                return self._recorded(side, about)
            if step in STEPS:
                return self._events(side, step, about)
            if step in IGNORED:
                return []
        elif event == CHALLENGE or what.startswith(("recording_", "voicemail_", "sms_")):
            return []
        if what in ("blind_transfer_initiated", "conference_started", "warm_transfer_initiated"):
            return []
        raise Unknown(f"Event {event!r:.100}")

    def _events(self, side: str, step: str, about: Mapping[str, Any]) -> list[ProviderEvent]:
        kind, when = STEPS[step]
        who = _sides(side, about)
        if who.shared and step in ("ringing", "missed", "rejected"):
            return []
        at = iso_to_ms(about.get(when))
        data: dict[str, Any] = {}
        if kind == timeline.ENDED:
            data, known = self._end(step, about)
            if not data:
                return []
        elif step == "connected":
            data, known = {"provisional": True}, True
        else:
            data, known = ({"party": side} if step in ("hold", "unhold") else {}), True
        event = who.event(kind, at, data)
        if not known:
            raise Unknown(f"handup_result {text(about.get('handup_result'))!r}", [event])
        return [event]

    def _end(self, step: str, about: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
        """What an end reports, {} if another phone took the call; and whether we know its words."""
        reported = text(about.get("handup_result"))
        status, reason = RESULTS.get(_plain(reported), ("", ""))
        if (status, reason) == ELSEWHERE:
            return {}, True
        known = bool(status) or not reported
        answered = _instant(about.get("answer_start_time"))
        if step in ("missed", "rejected") or status in (NO_ANSWER, FAILED):
            answered = None
        status = status or COMPLETED
        if answered is None and status == COMPLETED:
            status, reason = NO_ANSWER, ""
        if step == "rejected":
            reason = reason or "rejected"
        data: dict[str, Any] = {"status": status, "answered": answered}
        if about.get("ringing_start_time"):
            data["start"] = iso_to_ms(about["ringing_start_time"])
        if text(self.settings.get("history")).lower() != "no":
            data["record"] = True
        return data | _words(reason, reported), known

    def _recorded(self, side: str, about: Mapping[str, Any]) -> list[ProviderEvent]:
        """The call history: the provider's last word on each leg."""
        events, unknown = [], []
        for log in objects(about.get("call_logs")):
            reported = text(log.get("result"))
            outcome = RESULTS.get(_plain(reported), ("", ""))
            if outcome == ELSEWHERE:
                continue
            if not outcome[0] and reported:
                unknown.append(reported)
            events.append(_summary(side, log, outcome))
        if not events and not objects(about.get("call_logs")):
            raise Unreadable("The history holds no call.")
        if unknown:
            raise Unknown(f"result {unknown[0]!r}", events)
        return events


@dataclass(frozen=True)
class _Who:
    """One side of a call that is one of ours, and the other."""

    call: str
    conversation: str
    agents: tuple[str, ...]
    number: str
    direction: str
    shared: bool

    def event(
        self, kind: str, at: int, data: Mapping[str, Any], event_id: str = ""
    ) -> ProviderEvent:
        return ProviderEvent(
            kind=kind,
            call=self.call,
            at=at,
            precision_ms=PRECISION_MS,
            conversation=self.conversation,
            agents=self.agents,
            number=self.number,
            direction=self.direction,
            event_id=event_id,
            data=data,
        )


def _sides(side: str, about: Mapping[str, Any]) -> _Who:
    call_id = name_of(about.get("call_id"), "call")
    own = part(about, side)
    other = part(about, "callee" if side == "caller" else "caller")
    forwarded = [part(about, name) for name in ("forwarded_by", "redirect_forwarded_by")]
    kinds = {_plain(text(one.get("extension_type"))) for one in forwarded}
    return _who(
        side,
        call_id,
        (own.get("extension_number"), own.get("user_id"), own.get("phone_number")),
        (other.get("phone_number"), other.get("extension_number")),
        internal=bool(text(other.get("user_id"))),
        shared=side == "callee" and bool(kinds & SHARED),
    )


def _who(
    side: str,
    call_id: str,
    own: tuple[Any, ...],
    other: tuple[Any, ...],
    *,
    internal: bool,
    shared: bool = False,
) -> _Who:
    agents = names(*own)
    phone = agents[:1] if side == "callee" else ()
    direction = "outbound" if side == "caller" else "inbound"
    return _Who(
        call=joined(call_id, side, *phone),
        conversation=call_id,
        agents=agents,
        number=next(iter(names(*other)), ""),
        direction="internal" if internal else direction,
        shared=shared,
    )


def _summary(side: str, log: Mapping[str, Any], outcome: tuple[str, str]) -> ProviderEvent:
    other = "callee" if side == "caller" else "caller"
    who = _who(
        side,
        name_of(log.get("call_id"), "call"),
        tuple(log.get(f"{side}_{what}") for what in ("ext_number", "email", "did_number")),
        (log.get(f"{other}_did_number"), log.get(f"{other}_ext_number")),
        internal=bool(text(log.get(f"{other}_ext_number"))),
    )
    start = iso_to_ms(log.get("start_time"))
    answered, end = _instant(log.get("answer_time")), _instant(log.get("end_time"))
    status, reason = outcome
    if status in (NO_ANSWER, FAILED):
        answered = None
    if answered is None and status not in (NO_ANSWER, FAILED):
        status, reason = NO_ANSWER, ""
    data: dict[str, Any] = {
        "start": start,
        "answered": answered,
        "end": _end_of(log, start, answered) if end is None else end,
        "status": status or COMPLETED,
    }
    hold = number_of(log.get("hold_time"))
    if hold is not None:
        data["hold"] = hold * 1000
    words = _words(reason, text(log.get("result_reason")) or text(log.get("result")))
    return who.event(timeline.SUMMARY, data["end"], data | words, text(log.get("id")))


def _end_of(log: Mapping[str, Any], start: int, answered: int | None) -> int:
    """The end that the lengths give, where it is not reported itself."""
    lengths = ("talk_time", "hold_time") if answered is not None else ("wait_time",)
    seconds = [number_of(log.get(name)) for name in lengths]
    if seconds[0] is None:
        raise Unreadable("The history does not say when the call ended.")
    return bounded_ms(
        (start if answered is None else answered) + sum(s or 0 for s in seconds) * 1000
    )


def _words(reason: str, reported: str) -> dict[str, str]:
    """Our reason and the provider's own words for it, where there are any."""
    return {name: said for name, said in (("reason", reason), ("cause", reported)) if said}


def _instant(value: Any) -> int | None:
    return iso_to_ms(value) if value else None


def _plain(reported: str) -> str:
    return "".join(filter(str.isalnum, reported.casefold()))
