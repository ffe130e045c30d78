"""Whether a record and a call say the same: equal, completed by it, or different and why. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from calls import timeline
from reconciliation.call_record import CallRecord
from reconciliation.matching import reason_codes as reasons
from reconciliation.matching import spans
from reconciliation.matching.spans import Span
from reconciliation.matching.told import CLICK_MS, Ours, Told

# A record may begin before the agent's own part: as the queue took the call, or as the agent's own
# phone rang for a call that a program asked for.
_BEGINS_BEFORE: Final = 600_000
_ALIKE: Final = 2_000  # two shifts of the same clock


@dataclass(frozen=True)
class Unequal:
    """One thing that is said differently (see reasons.Difference); instants and lengths in ms."""

    field: str
    ours: Any
    theirs: Any
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """`claims`: what the record may add to the ledger, nothing where all is known. With
    differences, nothing is added before somebody decides."""

    claims: dict[str, Any]
    differences: tuple[Unequal, ...] = ()

    @property
    def reasons(self) -> list[str]:
        """The codes of all of them, each once, the first first."""
        return list(dict.fromkeys(code for one in self.differences for code in one.reasons))


def judge(record: CallRecord, ours: Ours, spread: int = 0) -> Verdict:
    """`record` without its clock's skew, whose estimate is sure to `spread` ms."""
    said = _Comparison(record, ours, spread)
    found = [said.start(), said.answer(), said.end(), said.status(), said.talk()]
    differences = [one for one in found if one is not None]
    if differences:
        return Verdict({}, tuple(said.explained(differences)))
    return Verdict(lacking(record, ours))


def lacking(record: CallRecord, ours: Ours) -> dict[str, Any]:
    """Of the record's claims, those about which we hold nothing."""
    claims = claims_of(record)
    if ours.start.precision is not None:
        claims.pop("start", None)
    if ours.answered.precision is not None or claims.get("answered") is None:
        claims.pop("answered", None)
    if ours.end.precision is not None:
        for name in ("end", "status", "reason"):
            claims.pop(name, None)
    if ours.knows_hold or not claims.get("hold"):
        claims.pop("hold", None)  # of several legs a record has one, and it counts in its own way
    return claims


def claims_of(record: CallRecord) -> dict[str, Any]:
    """All that a record says of a call, as a line of the ledger says it."""
    claims: dict[str, Any] = {"start": record.start}
    end, answered = spans.end_of(record), spans.answered_of(record)
    if end is not None:
        claims |= {
            "end": end,
            "status": record.status or _status(record, answered, end),
            "reason": record.reason,
        }
    if record.knows_answer or answered is not None:
        claims["answered"] = answered
    if record.hold is not None:
        claims["hold"] = record.hold
    return claims


def _status(record: CallRecord, answered: int | None, end: int) -> str:
    """Lists that tell nothing but lengths, such as bills, are of calls that came about."""
    lasted = not record.knows_answer and end > record.start
    return timeline.COMPLETED if lasted or answered is not None else timeline.NO_ANSWER


@dataclass(frozen=True)
class _Comparison:
    record: CallRecord
    ours: Ours
    spread: int

    def start(self) -> Unequal | None:
        span = spans.of_instant(self.record.start, self.record.precision)
        if self.ours.is_heard:
            span = Span(span.low, span.high + _BEGINS_BEFORE)
        return self._instant("start", span, self.ours.start, self.record.start, reasons.START)

    def answer(self) -> Unequal | None:
        theirs, ours = self.record.answered, self.ours.answered
        if theirs is None or ours.at is None:
            return None  # whether anybody answered at all is the status
        span = spans.of_instant(theirs, self.record.precision)
        if self._is_own_phone(theirs, ours.at):
            return None
        return self._instant("answered", span, ours, theirs, reasons.ANSWER)

    def _is_own_phone(self, theirs: int, ours: int) -> bool:
        """Whether the record tells when the agent's own phone answered, which a click had made
        ring, and nothing of the other side."""
        begun = spans.of_instant(self.record.start, self.record.precision)
        return self.ours.is_dialled and theirs < ours and begun.off(theirs) == 0

    def end(self) -> Unequal | None:
        span, theirs = spans.of_end(self.record), spans.end_of(self.record)
        if span is None or theirs is None:
            return None
        return self._instant("end", span, self.ours.end, theirs, reasons.END)

    def _instant(self, field: str, span: Span, ours: Told, theirs: int, why: str) -> Unequal | None:
        if ours.at is None or ours.precision is None:
            return None
        off = span.wider(self.spread + _slack(ours.precision)).off(ours.at)
        return Unequal(field, ours.at, theirs, (why,)) if off else None

    def status(self) -> Unequal | None:
        """Only whether somebody answered is compared: systems have many words for the rest."""
        theirs, ours = self.record, self.ours
        if ours.end.precision is None or not theirs.status:
            return None
        answered = theirs.status in timeline.ANSWERED_ENDS
        if answered == ours.was_answered:
            return None
        why = reasons.ANSWER if ours.end.precision < CLICK_MS else reasons.STATUS
        return Unequal("status", ours.status, theirs.status, (why,))

    def talk(self) -> Unequal | None:
        """A stated length of talk, where no instants tell it."""
        theirs, ours = self.record, self.ours
        if theirs.talk is None or theirs.answered is not None or theirs.knows_answer:
            return None
        if ours.answered.precision is None or ours.end.precision is None or ours.talk is None:
            return None
        slack = _slack(ours.answered.precision) + _slack(ours.end.precision) + 999
        span = spans.of_length(theirs.talk, theirs.unit, theirs.rounding).wider(slack)
        if not span.off(ours.talk):
            return None
        return Unequal("talk", ours.talk, theirs.talk, (reasons.OTHER,))

    def explained(self, found: list[Unequal]) -> list[Unequal]:
        """The same with a better reason where one shows."""
        shifts = [o.theirs - o.ours for o in found if o.field in ("start", "answered", "end")]
        has_all = {"start", "end"} <= {one.field for one in found}
        is_shift = has_all and max(shifts) - min(shifts) <= _ALIKE + self._clicks()
        return [
            Unequal(one.field, one.ours, one.theirs, self._why(one, is_shift=is_shift))
            for one in found
        ]

    def _clicks(self) -> int:
        told = (self.ours.start, self.ours.end)
        return max(_slack(one.precision) for one in told if one.precision is not None)

    def _why(self, one: Unequal, *, is_shift: bool) -> tuple[str, ...]:
        if is_shift and one.field in ("start", "answered", "end"):
            return (reasons.CLOCK_SKEW,)
        if self._has_ring(one):
            return (reasons.RING_INCLUDED, *one.reasons)
        if self._is_rounded(one):
            return (reasons.ROUNDING, *one.reasons)
        return one.reasons

    def _has_ring(self, one: Unequal) -> bool:
        """The record counts from the start what we count from the answer."""
        theirs, ours = self.record, self.ours
        if one.field == "answered":
            return spans.of_instant(theirs.start, theirs.precision).off(one.theirs) == 0
        if one.field == "talk" and ours.duration is not None:
            span = spans.of_length(one.theirs, theirs.unit, theirs.rounding)
            return span.wider(_ALIKE).off(ours.duration) == 0
        return False

    def _is_rounded(self, one: Unequal) -> bool:
        """What was counted in coarse units may be off by one of them."""
        is_length = one.field == "talk" or (one.field == "end" and self.record.end is None)
        return is_length and abs(one.ours - one.theirs) <= 2 * self.record.unit


def _slack(precision: int | None) -> int:
    """An instant that is told to the millisecond is that."""
    return 0 if precision is None or precision <= 1 else precision
