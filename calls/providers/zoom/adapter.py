"""Zoom Phone: its webhook events, signed over the raw body.

One call has a caller's side and, for each phone that rings, a callee's side; each side that is one
of our people is that person's part. Event instants are whole seconds; what `..._ended` and the
call history say of the answer is believed before `caller_connected`, which may come with ringback.
"""

import hmac
import json
import re
from collections.abc import Mapping
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
from calls.providers.reading import Values, instant_of, is_empty, objects, part, same, text
from calls.providers.zoom.history import summary
from calls.providers.zoom.results import (
    COMPLETED,
    ELSEWHERE,
    FAILED,
    NO_ANSWER,
    RESULTS,
    plain,
    words,
)
from calls.providers.zoom.sides import sides

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
    "parked": (timeline.ENDED, "date_time"),
}
# Known, and of no interest to the time of a call.
IGNORED = frozenset(
    {
        *("mute", "unmute", "unparked", "meeting_inviting", "conference_started"),
        *("call_log_completed", "call_history_deleted", "call_element_deleted"),
    }
)
HISTORY = "call_history_completed"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Zoom's signature of a raw body sent at `timestamp` (the header as it came)."""
    signed = b"v0:" + timestamp.encode(errors="surrogatepass") + b":" + body
    return "v0=" + hmac.new(secret.encode(), signed, "sha256").hexdigest()


class Zoom(Adapter):
    kind = "zoom"
    title = "Zoom Phone"
    secret_names = ("secret_token",)
    optional_secret_names = ("client_secret",)
    rings_several = True
    setting_names: ClassVar = (
        Setting(
            "history",
            _("Call history"),
            _("no: the app does not subscribe to the call history, so none of it is missed."),
        ),
        Setting("account_id", _("Account ID"), _("Of the app that fetches the records.")),
        Setting("client_id", _("Client ID"), _("Of the app that fetches the records.")),
        API_ADDRESS,
    )
    setup: ClassVar = (
        _("In the Zoom App Marketplace: an app of your account, Feature, Event Subscriptions."),
        _("Secret secret_token: the app's Secret Token. Store it here before you validate."),
        _("Event notification endpoint URL: {url}, then Validate."),
        _(
            "Phone events: caller and callee ringing, connected, answered, hold, unhold, ended, "
            "missed and rejected, and both of call history completed."
        ),
        _(
            "To have the records fetched each night: a Server-to-Server OAuth app with the scope "
            "phone:read:list_call_logs:admin. Its Account ID, Client ID and Client Secret "
            "(secret client_secret)."
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
                return self._events(side, step, about, said.get("event_ts"))
            if step in IGNORED:
                return []
        elif event == CHALLENGE or what.startswith(("recording_", "voicemail_", "sms_")):
            return []
        if what in ("blind_transfer_initiated", "conference_started", "warm_transfer_initiated"):
            return []
        raise Unknown(f"Event {event!r:.100}")

    def _events(
        self, side: str, step: str, about: Mapping[str, Any], sent: Any
    ) -> list[ProviderEvent]:
        """What a step says; `sent`, the message's own instant, where it does not say when."""
        kind, when = STEPS[step]
        who = sides(side, about, self.knows)
        if who.shared and step in ("missed", "rejected"):
            return []
        at = instant_of(sent if is_empty(about.get(when)) else about[when])[0]
        values = Values()
        data: dict[str, Any] = {}
        tentative = False
        if step == "parked":
            if text(about.get("park_failure_reason")):
                return []
            # Whoever parked the call is not with the caller who waits.
            data = {"status": COMPLETED, "unanswered": NO_ANSWER, "cause": "parked"}
        elif kind == timeline.ENDED:
            data = self._end(step, about, values)
            tentative = data.get("reason") == ELSEWHERE[1]
            if tentative and who.shared:
                return []
        elif step == "connected":
            data = {"provisional": True}
        elif step == "ringing":
            data, tentative = {"turn": True}, who.shared
        elif step in ("hold", "unhold"):
            data = {"party": side}
        event = who.event(kind, at, data | values.said, tentative=tentative)
        if values.trouble:
            raise Unknown(values.trouble, [event])
        return [event]

    def _end(self, step: str, about: Mapping[str, Any], values: Values) -> dict[str, Any]:
        """What an end reports; where another phone took the call, it is no more than that."""
        reported = text(about.get("handup_result"))
        status, reason = RESULTS.get(plain(reported), ("", ""))
        start = values.instant("ringing_start_time", about.get("ringing_start_time"))
        began = {} if start is None else {"start": start, "turn": True}
        if (status, reason) == ELSEWHERE:
            elsewhere = {"status": NO_ANSWER, "answered": None}
            return elsewhere | began | words(reason, reported)
        if reported and not status:
            values.keep("handup_result", reported)
        answered = values.instant("answer_start_time", about.get("answer_start_time"))
        unread = "answer_start_time" in values.unread
        if step in ("missed", "rejected") or status in (NO_ANSWER, FAILED):
            answered, unread = None, False
        status = status or COMPLETED
        if answered is None and status == COMPLETED and not unread:
            status, reason = NO_ANSWER, ""
        if step == "rejected":
            reason = reason or "rejected"
        data: dict[str, Any] = {"status": status} | began
        if not unread:
            data["answered"] = answered
        if text(self.settings.get("history")).lower() != "no":
            data["record"] = True
        return data | words(reason, reported)

    def _recorded(self, side: str, about: Mapping[str, Any]) -> list[ProviderEvent]:
        """The call history: the provider's last word on each leg."""
        events, troubles = [], []
        for log in objects(about.get("call_logs")):
            reported = text(log.get("result"))
            outcome = RESULTS.get(plain(reported), ("", ""))
            if outcome == ELSEWHERE:
                continue
            values = Values()
            if not outcome[0] and reported:
                values.keep("result", reported)
            events.append(summary(side, log, outcome, values))
            troubles += [values.trouble] if values.trouble else []
        if not events and not objects(about.get("call_logs")):
            raise Unreadable("The history holds no call.")
        if troubles:
            raise Unknown(troubles[0], events)
        return events
