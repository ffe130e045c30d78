"""Call detail records confirm what was recorded live, and supply what is missing.

A record's instants are whole seconds: what live events said exactly stays as it is. Only what they
do not tell (a call that nobody heard end, that began in a gap, that was missed as a whole) is taken
from the record.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import Q

from calls import timeline
from calls.models import CallEvent, CallLog, ProviderAccount
from calls.providers.asterisk.cdr import CdrPart
from calls.providers.base import ProviderEvent
from calls.telephony import intake
from common.instants import from_ms, now, to_ms

# How far a record, cut to seconds and rounded by some versions, may be from the truth.
TOLERANCE = 1_000  # ms
_PRECISION = 1_000  # ms
# How far from a record's start a live call of the same channel's name may have begun (ms).
_NEAR = 5_000
_AT_ONCE = 300


@dataclass
class ReconciliationReport:
    """What an import came to. `differ` are sentences about calls that were left as they were,
    `doubtful` about those that have a record which may be another's."""

    matched: int = 0
    corrected: int = 0
    new: int = 0
    differ: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def confirm(
    account: ProviderAccount, parts: Iterable[CdrPart], *, dry_run: bool
) -> ReconciliationReport:
    """Lays the records over the calls of `account`. Again with the same records changes nothing."""
    report = ReconciliationReport()
    for some in _in_bits(parts):
        known = _Known(account, some)
        events = [_judged(part, known.call_of(part), report) for part in some]
        report.doubtful += [_doubt(part) for part in some if part.is_doubtful]
        if not dry_run:
            intake.record(account, events, received=now())
    return report


def _in_bits(parts: Iterable[CdrPart]) -> Iterator[list[CdrPart]]:
    waiting = iter(parts)
    while some := list(islice(waiting, _AT_ONCE)):
        yield some


@dataclass
class _Recorded:
    """A call with what its ledger tells for certain."""

    call: CallLog
    facts: list[timeline.Event]

    def tells(self, kind: str, name: str) -> bool:
        """Whether the provider reported the instant of `kind`, live and not provisionally, or in a
        record as `name`."""
        return any(
            fact.by_provider
            and ((fact.kind == kind and not fact.data.get("provisional")) or name in fact.data)
            for fact in self.facts
        )

    @property
    def is_exact(self) -> bool:
        """Whether the whole call was heard live."""
        gap = any("gap" in fact.data for fact in self.facts)
        return not gap and self.tells(timeline.ENDED, "end")


class _Known:
    """The recorded calls that some records may be about."""

    def __init__(self, account: ProviderAccount, parts: Sequence[CdrPart]):
        names = {name for part in parts for name in (*_conversations(part), *_ids_of(part))}
        rule = Q(provider_call_id__in=names) | Q(conversation__in=names)
        nameless = [part for part in parts if not part.conversations]
        if nameless:  # no id at all: a channel's name at its time is all there is
            since = from_ms(min(part.start for part in nameless) - _NEAR)
            rule |= Q(start_time__range=(since, from_ms(max(p.start for p in nameless) + _NEAR)))
        calls = list(CallLog.objects.filter(account=account).filter(rule))
        facts: dict[int, list[timeline.Event]] = {call.pk: [] for call in calls}
        for event in CallEvent.objects.filter(call__in=facts):
            facts[event.call_id].append(event.as_fact())
        self._by_id = {c.provider_call_id: _Recorded(c, facts[c.pk]) for c in calls}
        self._by_channel: dict[str, list[_Recorded]] = {}
        for recorded in self._by_id.values():
            for channel in {
                str(f.data["channel"]) for f in recorded.facts if f.data.get("channel")
            }:
                self._by_channel.setdefault(channel, []).append(recorded)

    def call_of(self, part: CdrPart) -> _Recorded | None:
        by_id = (self._by_id.get(name) for name in _ids_of(part))
        found = next(filter(None, by_id), None)
        if found is not None:
            return found
        names = _conversations(part)
        return next(
            (
                recorded
                for recorded in self._by_channel.get(part.channel, ())
                if recorded.call.conversation in names
                or (
                    not part.conversations
                    and abs(to_ms(recorded.call.start_time) - part.start) <= _NEAR
                )
            ),
            None,
        )


def _conversations(part: CdrPart) -> tuple[str, ...]:
    """All that the whole call may have been called, its name first."""
    return tuple(dict.fromkeys((part.conversation, *part.conversations)))


def _ids_of(part: CdrPart) -> list[str]:
    """The agent's leg; a dialled one, whose Uniqueid no record tells, by its channel."""
    if part.call:
        return [part.call]
    return [f"{name}:{part.channel}"[:120] for name in _conversations(part)]


def _judged(
    part: CdrPart, recorded: _Recorded | None, report: ReconciliationReport
) -> ProviderEvent:
    """The record as an event that claims only what is not known better."""
    if recorded is None:
        report.new += 1
        return _event(part, _ids_of(part)[0], _claims_of(part))
    claims = _lacking(part, recorded)
    if claims:
        report.corrected += 1
    else:
        report.matched += 1
        report.differ += _differences(part, recorded.call)
    return _event(part, recorded.call.provider_call_id, claims)


def _claims_of(part: CdrPart) -> dict[str, Any]:
    claims = {
        "start": part.start,
        "end": part.end,
        "status": part.status,
        "reason": part.reason,
    }
    if part.knows_answer:
        claims["answered"] = part.answered
    if part.is_doubtful:
        claims["conflict"] = {"linkedid": "none, and two calls fit"}
    return claims


def _lacking(part: CdrPart, recorded: _Recorded) -> dict[str, Any]:
    """Of the record's claims, those about which nothing better is known."""
    claims = _claims_of(part)
    if recorded.is_exact:
        return {}
    if recorded.tells(timeline.STARTED, "start"):
        del claims["start"]
    if recorded.tells(timeline.ANSWERED, "answered") or part.answered is None:
        claims.pop("answered", None)
    if recorded.tells(timeline.ENDED, "end"):
        for name in ("end", "status", "reason"):
            del claims[name]
    return claims


def _event(part: CdrPart, call: str, claims: dict[str, Any]) -> ProviderEvent:
    return ProviderEvent(
        kind=timeline.SUMMARY,
        call=call,
        at=part.end,
        precision_ms=_PRECISION,
        conversation=part.conversation,
        agents=(part.agent,) if part.agent else (),
        number=part.number,
        direction=part.direction,
        data=claims,
    )


def _doubt(part: CdrPart) -> str:
    lines = ", ".join(map(str, part.lines))
    return f"line {lines}: a try without linkedid fits this call and another one; kept with this"


def _differences(part: CdrPart, call: CallLog) -> Iterator[str]:
    """Sentences about where the record contradicts an exact live call. The start is not compared:
    a record of a click to call begins with the agent's own phone."""
    assert call.end_time is not None
    lines = ", ".join(str(line) for line in part.lines)
    off = to_ms(call.end_time) - part.end
    if not -TOLERANCE <= off < 2 * TOLERANCE:
        yield f"line {lines}: ends {from_ms(part.end):%H:%M:%S}, recorded {call.end_time:%H:%M:%S}"
    elif part.knows_answer and (part.answered is None) != (call.answered_time is None):
        said = "not answered" if part.answered is None else "answered"
        yield f"line {lines}: {said}, recorded as {call.status}"
