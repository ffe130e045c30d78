"""A record as it is kept, and back."""

import hashlib
from dataclasses import replace

from common.instants import from_ms, to_ms
from common.phones import line_of
from reconciliation.call_record import CallRecord
from reconciliation.matching import spans
from reconciliation.models import ProviderRecord, RecordImport


def without_skew(record: CallRecord, skew: int) -> CallRecord:
    """The same by our clock."""
    if not skew:
        return record
    return replace(
        record,
        start=record.start - skew,
        end=None if record.end is None else record.end - skew,
        answered=None if record.answered is None else record.answered - skew,
    )


def key_of(record: CallRecord) -> str:
    """What its row is found by: a digest, because some formats make their keys of numbers."""
    return hashlib.sha256(record.key.encode()).hexdigest()


def row_of(what: RecordImport, record: CallRecord) -> ProviderRecord:
    """The unsaved row of a record whose skew is taken off; what came of it is not said yet."""
    end, answered = spans.end_of(record), spans.answered_of(record)
    agent = next(iter(record.agents), "")
    return ProviderRecord(
        account=what.account,
        brought_by=what,
        key=key_of(record),
        line=min(record.lines, default=0),
        start_time=from_ms(record.start),
        answered_time=None if answered is None else from_ms(answered),
        end_time=None if end is None else from_ms(end),
        duration_ms=record.duration,
        talk_ms=record.talk,
        status=record.status,
        reason=record.reason[:40],
        direction=record.direction,
        knows_answer=record.knows_answer or answered is not None,
        precision_ms=record.precision,
        unit_ms=record.unit,
        rounding=record.rounding,
        agent_name=agent[:120],
        number=record.number[:64],
        number_line=line_of(record.number, what.account.region or None) if record.number else "",
        price=record.price,
        currency=record.currency,
    )


def record_of(row: ProviderRecord) -> CallRecord:
    """What matters of a kept record where it is compared again."""
    return CallRecord(
        key=row.key,
        start=to_ms(row.start_time),
        end=None if row.end_time is None else to_ms(row.end_time),
        answered=None if row.answered_time is None else to_ms(row.answered_time),
        knows_answer=row.knows_answer,
        duration=row.duration_ms,
        talk=row.talk_ms,
        status=row.status,
        reason=row.reason,
        number=row.number,
        agents=(row.agent_name,) if row.agent_name else (),
        direction=row.direction,
        precision=row.precision_ms,
        unit=row.unit_ms,
        rounding=row.rounding,
        lines=(row.line,) if row.line else (),
    )
