"""The inbox: calls that the phone system's record tells differently, and what was decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calls.history.pagination import page_by_start
from common.periods import Period
from reconciliation.dashboard.visible import begun_within, records_visible_to
from reconciliation.matching import reasons
from reconciliation.models import ProviderRecord

ROWS_A_PAGE: Final = 25
OPEN, DECIDED = "open", "decided"
_OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    OPEN: (ProviderRecord.DIFFERENT,),
    DECIDED: (ProviderRecord.ACCEPTED, ProviderRecord.KEPT),
}
# The reasons of reconciliation.matching, as short as a list of kinds has them.
KINDS: Final[Mapping[str, Any]] = {
    reasons.ROUNDING: _("Rounded lengths"),
    reasons.RING_INCLUDED: _("Ring counted as talk"),
    reasons.CLOCK_SKEW: _("Clock skew"),
    reasons.ANSWER: _("Answer"),
    reasons.STATUS: _("Outcome of the call"),
    reasons.START: _("Start"),
    reasons.END: _("End"),
    reasons.OTHER: _("Length"),
}


@dataclass(frozen=True)
class DifferingCall:
    """A record and the fields in which it and our call do not agree."""

    record: ProviderRecord
    fields: list[reasons.Difference]

    @property
    def is_open(self) -> bool:
        return self.record.outcome == ProviderRecord.DIFFERENT


@dataclass(frozen=True)
class KindOfDifference:
    """A reason why calls and records differ, in words, and of how many it is the first."""

    code: str
    name: Any
    why: Any
    count: int


def found(
    viewer: User, asked: Mapping[str, Any], period: Period | None
) -> QuerySet[ProviderRecord]:
    """The differences `viewer` may see that pass: by state, account, team, agent and kind."""
    outcomes = _OUTCOMES[asked.get("state") or OPEN]
    records = records_visible_to(viewer).filter(outcome__in=outcomes, call__isnull=False)
    if asked.get("account"):
        records = records.filter(account=asked["account"])
    if asked.get("team"):
        records = records.filter(call__user__team=asked["team"])
    if asked.get("agent"):
        records = records.filter(call__user__username=asked["agent"])
    if asked.get("kind"):
        records = records.filter(reasons__0=asked["kind"])
    return records if period is None else begun_within(records, period.first, period.last)


def kinds_of(records: QuerySet[ProviderRecord]) -> list[KindOfDifference]:
    """The kinds among `records`, the most frequent first."""
    counted = records.order_by().values_list("reasons__0").annotate(count=Count("pk"))
    kinds = [_kind(code or reasons.OTHER, count) for code, count in counted]
    return sorted(kinds, key=lambda kind: (-kind.count, kind.code))


def _kind(code: str, count: int) -> KindOfDifference:
    return KindOfDifference(code, KINDS.get(code, code), reasons.SENTENCES.get(code, ""), count)


def page_of(records: QuerySet[ProviderRecord], cursor: str) -> tuple[list[DifferingCall], str]:
    """A page of `records`, newest first, and the cursor of the next. ValidationError for a cursor
    that is not one of ours."""
    rows, older = page_by_start(
        records.select_related(
            "account", "brought_by", "decided_by", "call__user__team", "call__contact"
        ),
        "differences",
        cursor,
        ROWS_A_PAGE,
    )
    return [shown(row) for row in rows], older


def shown(record: ProviderRecord) -> DifferingCall:
    return DifferingCall(record, reasons.differences_of(record))
