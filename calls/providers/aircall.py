"""Aircall: webhooks with a static token in the body. Instants are whole seconds.

A call has one id; each agent who has it in turn is a part of it. What rings before anybody takes
a call from outside belongs to nobody. `duration` contains the ringing and is not used.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.providers.base import (
    API_ADDRESS,
    Adapter,
    Forged,
    HookRequest,
    Payload,
    ProviderEvent,
    Setting,
    Unknown,
    Unreadable,
)
from calls.providers.reading import (
    Values,
    instant_of,
    joined,
    name_of,
    names,
    other_side,
    part,
    same,
    text,
)

PRECISION_MS = 1000

IGNORED = frozenset(
    {
        *("ringing_on_agent", "agent_declined", "unsuccessful_transfer", "voicemail_left"),
        *("assigned", "unassigned", "archived", "unarchived", "tagged", "untagged", "commented"),
        *("ivr_option_selected", "comm_assets_generated"),
    }
)
STEPS: Mapping[str, str] = {
    "created": timeline.STARTED,
    "answered": timeline.ANSWERED,
    "hold": timeline.HELD,
    "unhold": timeline.RESUMED,
    "hungup": timeline.ENDED,
    "ended": timeline.SUMMARY,
    "transferred": timeline.ENDED,
    "external_transferred": timeline.ENDED,
}
DIRECTIONS = {name: name for name in ("outbound", "inbound", "internal")}
# An agent may hand a call over and get it back, which is another turn.
TURN: Mapping[str, Any] = {"turn": True}
ABANDONED = frozenset({"abandoned_in_ivr", "abandoned_in_classic", "short_abandoned"})


class Aircall(Adapter):
    kind = "aircall"
    title = "Aircall"
    secret_names = ("token",)
    optional_secret_names = ("api_token",)
    setting_names: ClassVar = (
        Setting("api_id", _("API ID"), _("Of the API key that fetches the records.")),
        API_ADDRESS,
    )
    setup: ClassVar = (
        _("In Aircall: Integrations & API, Webhook, URL: {url}"),
        _(
            "Events: call.created, call.answered, call.hold, call.unhold, call.transferred, "
            "call.external_transferred, call.hungup, call.ended."
        ),
        _("Secret token: the webhook's token. Aircall signs nothing; tell nobody the address."),
        _("Set the alarm after silence: Aircall turns off a webhook that fails."),
        _(
            "To have the records fetched each night: Integrations & API, API Keys. Its API ID and "
            "API Token (secret api_token)."
        ),
    )

    def verify(self, request: HookRequest) -> None:
        if not same(text(self._said(request).get("token")), self.secret_values()):
            raise Forged("The token is missing or wrong.")

    def kept(self, request: HookRequest) -> Payload:
        said = {name: value for name, value in self._said(request).items() if name != "token"}
        return Payload(json.dumps(said).encode(), request.received, request.content_type)

    def _said(self, request: HookRequest) -> dict[str, Any]:
        try:
            return super().kept(request).json()
        except Unreadable as error:
            raise Forged("The body holds no token.") from error

    def parse(self, payload: Payload) -> list[ProviderEvent]:
        said = payload.json()
        resource, _, step = text(said.get("event")).partition(".")
        if step in IGNORED or (resource and resource != "call"):
            return []
        if step not in STEPS or resource != "call":
            raise Unknown(f"Event {said.get('event')!r:.100}")
        call = _Call(part(said, "data"))
        events = call.events(step, instant_of(said.get("timestamp"))[0])
        if events and call.values.trouble:
            raise Unknown(call.values.trouble, events)
        return events


class _Call:
    """Aircall's call object, which grows with the call. Instants in ms."""

    def __init__(self, data: Mapping[str, Any]):
        self.data = data
        self.id = name_of(data.get("id"), "call")
        self.by, self.to = part(data, "transferred_by"), part(data, "transferred_to")
        self.user = part(data, "user")
        self.values = Values()
        self.direction = self.values.word("direction", data.get("direction"), DIRECTIONS)

    def instant(self, name: str) -> int | None:
        return self.values.instant(name, self.data.get(name))

    def events(self, step: str, at: int) -> list[ProviderEvent]:
        kind = STEPS[step]
        if "transferred" in step:
            return self._handed_over(at)
        if kind in (timeline.ENDED, timeline.SUMMARY):
            return self._over(kind, at)
        if not self.user:
            return []
        if kind == timeline.STARTED:
            return self._opening()
        if kind == timeline.ANSWERED:
            return [*self._opening(), self._event(kind, self.instant("answered_at") or at)]
        return [self._event(kind, at, {"paired": True})]

    def _opening(self) -> list[ProviderEvent]:
        start = self.instant("started_at")
        if start is None or self.by:
            return []
        return [self._event(timeline.STARTED, start, TURN)]

    def _handed_over(self, at: int) -> list[ProviderEvent]:
        """The part of who hands over ends; that of who takes over begins, in mid-conversation."""
        giver = self.by or self.user
        events = [self._event(timeline.ENDED, at, {"status": timeline.COMPLETED}, giver)]
        if text(self.to.get("id")) not in ("", text(giver.get("id"))):
            events += [
                self._event(timeline.STARTED, at, TURN, self.to),
                self._event(timeline.ANSWERED, at, {"provisional": True}, self.to),
            ]
        return events

    def _over(self, kind: str, at: int) -> list[ProviderEvent]:
        """The end: live, or half a minute later as the record."""
        end = self.instant("ended_at") or at
        data: dict[str, Any] = {"record": True} if kind == timeline.ENDED else {"end": end}
        if self.by:
            taker = self.to or self.user
            if not taker or text(taker.get("id")) == text(self.by.get("id")):
                return []
            return [self._event(kind, end, data | {"status": timeline.COMPLETED}, taker)]
        answered = self.instant("answered_at")
        if "answered_at" in self.values.unread:
            data["status"] = timeline.COMPLETED
        else:
            status = timeline.NO_ANSWER if answered is None else timeline.COMPLETED
            data |= {"status": status, "answered": answered}
        start, cause = self.instant("started_at"), text(self.data.get("missed_call_reason"))
        if start is not None:
            data |= {"start": start, **TURN}
        if cause:
            data["cause"] = cause
        if cause in ABANDONED:
            data["reason"] = "cancelled"
        return [self._event(kind, end, data)]

    def _event(
        self,
        kind: str,
        at: int,
        data: Mapping[str, Any] | None = None,
        user: Mapping[str, Any] | None = None,
    ) -> ProviderEvent:
        user = self.user if user is None else user
        agents = names(user.get("id"), user.get("email"))
        return ProviderEvent(
            kind=kind,
            call=joined(self.id, *agents[:1]),
            at=at,
            precision_ms=PRECISION_MS,
            conversation=self.id,
            agents=agents,
            number=other_side(self.data.get("raw_digits")),
            direction=self.direction,
            data={**(data or {}), **self.values.said},
        )
