"""Calls that were tracked here and that the phone system's records do not know."""

from dataclasses import dataclass
from typing import Any, Final

from accounts.models import User
from calls.history.pagination import page_of_calls
from calls.models import CallLog, ProviderAccount
from common.databases.query_timeout import TookTooLong, patience
from common.instants import day_range
from common.periods import Period
from reconciliation.matching.unrecorded import calls_without_record, likely_reason

ROWS_A_PAGE: Final = 50
MOST_COUNTED: Final = 1000
PATIENCE_SECONDS: Final = 3  # few such calls among millions may mean looking at all of them


@dataclass(frozen=True)
class MissingRecord:
    """A call and why the phone system may not know it."""

    call: CallLog
    reason: Any


def count_of(viewer: User, period: Period) -> int | None:
    """How many there are, MOST_COUNTED + 1 at most; None where finding them takes too long."""
    calls = calls_without_record(None, *day_range(period.first, period.last), viewer)
    try:
        with patience(PATIENCE_SECONDS):
            return calls.order_by()[: MOST_COUNTED + 1].count()
    except TookTooLong:
        return None


def page_of(
    viewer: User, account: ProviderAccount | None, period: Period, cursor: str
) -> tuple[list[MissingRecord], str]:
    """A page of such calls, newest first, and the cursor of the next. ValidationError for a cursor
    that is not one of ours; TookTooLong."""
    calls = calls_without_record(account, *day_range(period.first, period.last), viewer)
    with patience(PATIENCE_SECONDS):
        rows, older = page_of_calls(calls.with_people(), cursor, ROWS_A_PAGE)
    return [MissingRecord(call, likely_reason(call)) for call in rows], older
