"""A call's ledger in the reader's words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls import timeline
from calls.models import CallDispute, CallEvent, CallLog, Disposition
from common.formats.dates import time_ms
from common.instants import from_ms

_SOURCES: Mapping[str, Any] = {
    "agent": gettext_lazy("the agent"),
    "client": gettext_lazy("the agent’s program"),
    "admin": gettext_lazy("a supervisor or administrator"),
    "dialler": gettext_lazy("the phone system that was to dial"),
    timeline.WATCHDOG: gettext_lazy("the watch over stale calls"),
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
    "not_dialled": gettext_lazy("not dialled"),
    "page_closed": gettext_lazy("the phone’s window was closed"),
    "rejected": gettext_lazy("rejected"),
    "remote_hangup": gettext_lazy("the other side hung up"),
    timeline.WATCHDOG: gettext_lazy("no sign of life"),
}
_PROVIDER_DETAILS: Sequence[tuple[str, Any]] = (
    ("agent", gettext_lazy("Agent there")),
    ("number", gettext_lazy("Number")),
    ("assigned", gettext_lazy("Assigned to")),
)
# What an ended call lacks (calls.timeline.MISSING), as a sentence.
LACKS: Mapping[str, Any] = {
    "start": gettext_lazy("The phone system did not tell when the call began."),
    "answer": gettext_lazy("The phone system did not tell when the call was answered."),
    "events": gettext_lazy("An event of the phone system is missing; its number was left out."),
    "record": gettext_lazy("The phone system’s final record has not come."),
    "gap": gettext_lazy("The line to the phone system was down for a part of the call."),
    "unread": gettext_lazy("The phone system said something that could not be read."),
    "conflict": gettext_lazy("What the phone system said contradicts itself: see the events."),
}
_STATUSES = dict(CallLog.STATUSES)


@dataclass(frozen=True)
class LedgerLine:
    """One event, what it says besides its kind ((label, value) pairs), and whether it was taken
    back since."""

    event: CallEvent
    source: str
    details: list[tuple[str, str]]
    is_withdrawn: bool = False

    @property
    def title(self) -> str:
        """What happened, in a word or two: a dispute is more than a note."""
        about = self.event.data.get("dispute")
        if not isinstance(about, Mapping):
            return str(self.event.get_kind_display())
        return _("disputed") if about.get("state") == CallDispute.OPEN else _("dispute decided")

    @property
    def happened(self) -> str:
        return time_ms(self.event.occurred_at)

    @property
    def heard(self) -> str:
        return time_ms(self.event.received_at)


def lines(events: list[CallEvent]) -> list[LedgerLine]:
    """The ledger's lines; what a phone system repeats with each event is shown once, and what it
    said of another turn of the same person with that turn's call."""
    seen: set[tuple[str, str]] = set()
    found = []
    facts = [one.as_fact() for one in events]
    own = {fact.key for fact in timeline.own_turn(facts).events}
    gone = timeline.withdrawn_keys(facts)
    for event in events:
        if event.key not in own:
            continue
        repeated = {pair for pair in _provider_details(event.data) if pair in seen}
        details = [pair for pair in _details(event.data) if pair not in repeated]
        seen.update(_provider_details(event.data))
        is_withdrawn = event.key in gone
        found.append(LedgerLine(event, source_words(event.source), details, is_withdrawn))
    return found


def source_words(source: str) -> str:
    """Who said it, for reading; a provider by its own name."""
    if source.startswith(timeline.PROVIDER_PREFIX):
        return source.removeprefix(timeline.PROVIDER_PREFIX)
    return str(_SOURCES.get(source, source))


def reason_words(reason: str) -> str:
    """Why a call ended or was corrected, for reading; what people wrote stays as it is."""
    return str(_REASONS.get(reason, reason))


def outcome_words(code: str) -> str:
    """What came of a call, for reading; an outcome that is gone stands for itself."""
    if not code:
        return "—"
    known = Disposition.objects.filter(code=code).first()
    return code if known is None else known.label


def _details(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "status" in data:
        yield _("Status"), str(_STATUSES.get(data["status"], data["status"]))
    for name, label in (("start", _("Start")), ("answered", _("Answered")), ("end", _("End"))):
        if name in data:
            yield label, _("unknown") if data[name] is None else time_ms(from_ms(data[name]))
    if data.get("reached"):
        yield _("Meaning"), _("the other phone is reached; not an answer yet")
    if data.get("transfer"):
        asked = data["transfer"] == "attended"
        yield _("Transferred"), _("after asking") if asked else _("at once")
    if data.get("reason"):
        yield _("Reason"), reason_words(str(data["reason"]))
    for name, label in (("said", _("Said")), ("notes", _("Notes")), ("party", _("Party"))):
        if data.get(name):
            yield label, str(data[name])
    yield from _provider_details(data)
    if "conversation_seq" in data:
        number = {"number": data["conversation_seq"]}
        yield _("Message"), _("number %(number)d of the conversation") % number
    if "gap" in data:
        since, until = (time_ms(from_ms(int(instant))) for instant in data["gap"])
        yield _("Not heard"), f"{since} – {until}"
    if timeline.WITHDRAWS in data:
        yield _("Taken back"), _("what the record had said")
    if "disposition" in data:
        yield _("Outcome"), outcome_words(str(data["disposition"]))
    if "wrap_up" in data:
        over = data["wrap_up"] == timeline.WRAP_UP_ENDED
        yield _("Wrap-up"), _("over") if over else _("begun")
    decided = data.get("dispute")
    if isinstance(decided, Mapping) and decided.get("state") != CallDispute.OPEN:
        yield _("Decision"), _dispute_words(decided)
    if isinstance(data.get("turn"), int) and data["turn"] is not True:
        yield _("Turn"), str(data["turn"])
    yield from _doubtful_details(data)
    if data.get("offline"):
        yield _("Offline"), _("told later than it happened")


def _dispute_words(about: Mapping[str, Any]) -> str:
    return _("upheld") if about.get("state") == CallDispute.UPHELD else _("rejected")


def _doubtful_details(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What could not be read, and what contradicts itself, by the phone system's own names."""
    for name, label in (("unread", _("Not readable")), ("conflict", _("Contradiction"))):
        for field, value in dict(data.get(name) or {}).items():
            yield label, f"{field}: {value}"


def _provider_details(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, label in _PROVIDER_DETAILS:
        if data.get(name):
            yield str(label), str(data[name])
