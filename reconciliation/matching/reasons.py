"""How a record and its call differ, and why, in words."""

from typing import Any, NamedTuple

from calls.services import bulk
from common.instants import from_ms
from reconciliation.matching.judging import Verdict, judge
from reconciliation.matching.reason_codes import (
    ANSWER,
    CLOCK_SKEW,
    END,
    OTHER,
    RING_INCLUDED,
    ROUNDING,
    SENTENCES,
    START,
    STATUS,
)
from reconciliation.matching.rows import record_of
from reconciliation.matching.told import ours_of
from reconciliation.models import ProviderRecord

__all__ = [
    "ANSWER",
    "CLOCK_SKEW",
    "END",
    "OTHER",
    "RING_INCLUDED",
    "ROUNDING",
    "SENTENCES",
    "START",
    "STATUS",
    "Difference",
    "differences_of",
]
_INSTANTS = ("start", "answered", "end")


class Difference(NamedTuple):
    """One thing that a call and a record say differently. `field` is start, answered, end, status
    or talk; `ours` and `theirs` are instants (datetime), a length (ms), or a status. `reasons` are
    codes of SENTENCES."""

    field: str
    ours: Any
    theirs: Any
    reasons: tuple[str, ...]


def verdict_of(record: ProviderRecord) -> Verdict:
    """The record compared with its call as that now stands."""
    call = record.call
    assert call is not None
    lines = bulk.ledgers([call.pk])[call.pk]
    ledger = [line.as_fact() for line in lines]
    ours = ours_of(call, ledger, {line.key: line.precision_ms for line in lines})
    spread = record.brought_by.skew_spread_ms or 0
    return judge(record_of(record), ours, min(spread, 2_000) if record.brought_by.skew_ms else 0)


def differences_of(record: ProviderRecord) -> list[Difference]:
    """How the record and its call, as it now stands, differ; nothing where it has none."""
    if record.call is None:
        return []
    return [
        Difference(
            one.field, _shown(one.field, one.ours), _shown(one.field, one.theirs), one.reasons
        )
        for one in verdict_of(record).differences
    ]


def _shown(field: str, value: Any) -> Any:
    return from_ms(value) if field in _INSTANTS and value is not None else value
