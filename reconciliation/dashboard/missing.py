"""Calls that were tracked here and that the phone system's records do not know."""

from dataclasses import dataclass
from typing import Any, Final

from accounts.models import User
from calls.history.pagination import page_of_calls
from calls.models import CallLog, ProviderAccount
from common.instants import day_range
from common.periods import Period
from reconciliation.matching.unrecorded import calls_without_record, likely_reason

ROWS_A_PAGE: Final = 50


@dataclass(frozen=True)
class MissingRecord:
    """A call and why the phone system may not know it."""

    call: CallLog
    reason: Any


def page_of(
    viewer: User, account: ProviderAccount | None, period: Period, cursor: str
) -> tuple[list[MissingRecord], str]:
    """A page of such calls, newest first, and the cursor of the next. ValidationError for a cursor
    that is not one of ours."""
    calls = calls_without_record(account, *day_range(period.first, period.last), viewer)
    rows, older = page_of_calls(calls.with_people(), cursor, ROWS_A_PAGE)
    return [MissingRecord(call, likely_reason(call)) for call in rows], older
