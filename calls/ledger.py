"""A call's ledger in the reader's words."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls import timeline
from calls.instants import from_ms
from calls.models import CallEvent, CallLog

_SOURCES: Mapping[str, Any] = {
    "agent": gettext_lazy("the agent"),
    "client": gettext_lazy("the agent’s program"),
    "admin": gettext_lazy("a supervisor or administrator"),
    timeline.WATCHDOG: gettext_lazy("the watch over silent calls"),
}
# Why calls end, as programs and providers say it; free text stands for itself.
_REASONS: Mapping[str, Any] = {
    "agent_hangup": gettext_lazy("the agent hung up"),
    "busy": gettext_lazy("busy"),
    "cancelled": gettext_lazy("cancelled"),
    "congestion": gettext_lazy("lines congested"),
    "elsewhere": gettext_lazy("answered elsewhere"),
    "invalid_number": gettext_lazy("invalid number"),
    "media_timeout": gettext_lazy("no more sound"),
    "network": gettext_lazy("network fault"),
    "rejected": gettext_lazy("rejected"),
    "remote_hangup": gettext_lazy("the other side hung up"),
    timeline.WATCHDOG: gettext_lazy("no sign of life"),
}
_STATUSES = dict(CallLog.STATUSES)


@dataclass(frozen=True)
class Line:
    """One event, and what it says besides its kind: (label, value) pairs."""

    event: CallEvent
    source: str
    details: list[tuple[str, str]]

    @property
    def happened(self) -> str:
        return clock_ms(self.event.occurred_at)

    @property
    def heard(self) -> str:
        return clock_ms(self.event.received_at)


def lines(events: list[CallEvent]) -> list[Line]:
    return [Line(event, source_words(event.source), list(_details(event.data))) for event in events]


def source_words(source: str) -> str:
    """Who said it, for reading; a provider by its own name."""
    if source.startswith(timeline.PROVIDER_PREFIX):
        return source.removeprefix(timeline.PROVIDER_PREFIX)
    return str(_SOURCES.get(source, source))


def reason_words(reason: str) -> str:
    """Why a call ended or was corrected, for reading; what people wrote stays as it is."""
    return str(_REASONS.get(reason, reason))


def clock_ms(instant: dt.datetime) -> str:
    """The organisation's time of day with milliseconds: 14:05:06.123."""
    local = timezone.localtime(instant)
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def _details(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "status" in data:
        yield _("Status"), str(_STATUSES.get(data["status"], data["status"]))
    for name, label in (("start", _("Start")), ("answered", _("Answered")), ("end", _("End"))):
        if name in data:
            yield label, _("unknown") if data[name] is None else clock_ms(from_ms(data[name]))
    if data.get("reason"):
        yield _("Reason"), reason_words(str(data["reason"]))
    for name, label in (("notes", _("Notes")), ("party", _("Party"))):
        if data.get(name):
            yield label, str(data[name])
    if data.get("offline"):
        yield _("Offline"), _("told later than it happened")
