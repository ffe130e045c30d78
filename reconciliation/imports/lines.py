"""The lines that records add to ledgers. Each has the number of its import in its key: what was
taken back may be brought in again, and a ledger has a key once."""

from typing import Any

from calls import timeline
from calls.models import CallEvent, CallLog, ProviderAccount
from common.instants import now
from reconciliation.call_record import CallRecord
from reconciliation.matching import spans
from reconciliation.models import RecordImport


def line_key(what: RecordImport, key: str, word: str = "record") -> str:
    """What the import calls the line about the record whose row has the `key`."""
    return f"{word}:{what.pk}:{key[:40]}"


def line_of_record(
    call: CallLog, record: CallRecord, claims: dict[str, Any], key: str
) -> CallEvent:
    """The unsaved line by which the record confirms the call; it says only `claims`."""
    account = call.account
    assert isinstance(account, ProviderAccount)
    end = spans.end_of(record)
    at = record.start if end is None else end
    said = timeline.Event(key, timeline.SUMMARY, at, account.source, claims)
    return CallEvent.of_fact(
        call, said, received_at=now(), precision_ms=min(record.precision, 2**31 - 1)
    )
