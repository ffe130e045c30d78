"""How a leg of a call went, by Twilio's words."""

from collections.abc import Mapping
from typing import Any

from calls import timeline
from calls.providers.reading import Values, text

PRECISION_MS = 1000

KINDS: Mapping[str, str] = {
    "queued": timeline.STARTED,
    "initiated": timeline.STARTED,
    "ringing": timeline.RINGING,
    "in-progress": timeline.ANSWERED,
    **dict.fromkeys(("completed", "busy", "no-answer", "canceled", "failed"), timeline.ENDED),
}
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "completed": (timeline.COMPLETED, ""),
    "busy": (timeline.NO_ANSWER, "busy"),
    "no-answer": (timeline.NO_ANSWER, ""),
    "canceled": (timeline.NO_ANSWER, "cancelled"),
    "failed": (timeline.FAILED, "network"),
}
# SIP answers that say more than `failed`.
FAILURES: Mapping[str, str] = {
    **dict.fromkeys(("404", "410", "484", "485", "604"), "invalid_number"),
    **dict.fromkeys(("403", "603"), "rejected"),
    "503": "congestion",
}
Said = tuple[str, int, dict[str, Any]]


class Fate:
    """What a status tells of how a leg went. Instants in ms."""

    def __init__(self, status: str, fields: Mapping[str, Any], values: Values, at: int):
        self.status, self.at = status, at
        seconds = values.whole("CallDuration", fields.get("CallDuration"))
        self.was_answered = status in ("in-progress", "completed")
        self.answered = at - seconds * 1000 if status == "completed" and seconds else None
        if status == "completed" and seconds == 0:
            self.answered = at
        self.sip = text(fields.get("SipResponseCode"))

    def outcome(self) -> dict[str, Any]:
        status, reason = OUTCOMES[self.status]
        said: dict[str, Any] = {"status": status, "unanswered": timeline.NO_ANSWER}
        if status == timeline.FAILED:
            said["unanswered"] = status
            reason = FAILURES.get(self.sip, reason)
        if reason:
            said["reason"] = reason
        if self.sip:
            said["cause"] = f"SIP {self.sip}"
        return said

    def report(self) -> dict[str, Any]:
        """The outcome with the instant of the answer, where it is sure."""
        if self.status == "completed" and self.answered is None:
            return self.outcome()
        return {**self.outcome(), "answered": self.answered}


def of_customers_phone(kind: str, fate: Fate, leg: str) -> list[Said]:
    """A child that begins will tell its end, without which the parent's would be believed."""
    return [(kind, fate.at, fate.report() if kind == timeline.ENDED else {"awaits": leg})]


def of_agents_phone(kind: str, fate: Fate, leg: str) -> list[Said]:
    """One of perhaps several phones: that one of them was not answered ends no call."""
    if kind == timeline.ENDED and not fate.was_answered:
        return [(timeline.RINGING, fate.at, {"over": True})]
    return of_customers_phone(kind, fate, leg)
