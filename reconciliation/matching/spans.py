"""Within which bounds the truth lies that a record states. Pure; milliseconds."""

from typing import NamedTuple

from reconciliation.call_record import CEILING, FLOOR, NEAREST, CallRecord

_SECOND = 1_000


class Span(NamedTuple):
    """From `low` to `high`, both within."""

    low: int
    high: int

    def wider(self, by: int) -> "Span":
        return Span(self.low - by, self.high + by)

    def plus(self, other: "Span") -> "Span":
        return Span(self.low + other.low, self.high + other.high)

    def off(self, value: int) -> int:
        """How far `value` lies outside; 0 within."""
        return max(self.low - value, value - self.high, 0)


def of_instant(at: int, precision: int) -> Span:
    """An instant is cut to its precision; systems that round it, or whose parts disagree by one
    count, are allowed a second more on either side (less, where they count finer)."""
    slack = min(precision, _SECOND)
    return Span(at - slack, at + precision + slack - 1)


def of_length(length: int, unit: int, rounding: str) -> Span:
    """What a length may be that is stated in whole `unit`s."""
    if rounding == FLOOR:
        return Span(length, length + unit - 1)
    if rounding == CEILING:
        return Span(max(0, length - unit + 1), length)
    if rounding == NEAREST:
        return Span(max(0, length - unit // 2), length + unit // 2)
    return Span(length, length)


def of_end(record: CallRecord) -> Span | None:
    """When the record says that the call ended; None where it does not say."""
    if record.end is not None:
        return of_instant(record.end, record.precision)
    if record.duration is not None:
        since, length = record.start, record.duration
    elif record.talk is not None and record.answered is not None:
        since, length = record.answered, record.talk
    else:
        return None
    begun = of_instant(since, record.precision)
    return begun.plus(of_length(length, record.unit, record.rounding))


def end_of(record: CallRecord) -> int | None:
    """The same as one instant."""
    if record.end is not None:
        return record.end
    if record.duration is not None:
        return record.start + record.duration
    if record.talk is not None and record.answered is not None:
        return record.answered + record.talk
    return None


def answered_of(record: CallRecord) -> int | None:
    """When somebody answered by the record, from its length of talk if need be; None where nobody
    did or the record does not tell."""
    end = end_of(record)
    if record.answered is not None or record.knows_answer or not record.talk or end is None:
        return record.answered
    return max(record.start, end - record.talk)
