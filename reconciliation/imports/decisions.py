"""What somebody decides where a record and a call differ."""

from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import BadCallData, CallConflict, CallError
from calls.models import CallLog
from calls.services import correct_call
from calls.services.recording import Change, lock_again
from common.instants import now
from reconciliation.imports.lines import line_key, line_of_record
from reconciliation.matching.rows import record_of
from reconciliation.models import ProviderRecord

_AT_ONCE: Final = 50
_OPEN: Final = (ProviderRecord.DIFFERENT, ProviderRecord.KEPT)


def accept(record: ProviderRecord, person: User) -> ProviderRecord:
    """The record is right: a correction in the call's ledger, and a line that confirms it. Again
    changes nothing. CallError with a sentence where it cannot be."""
    with transaction.atomic():
        call, record = _locked(record)
        if record.outcome == ProviderRecord.ACCEPTED and not record.is_withdrawn:
            return record
        _check_open(record)
        if call is None:
            raise CallConflict(_("The call of this record is no longer there."))
        record.event_keys = [
            *record.event_keys,
            _correct(call, record, person),
            _confirm(call, record, person),
        ]
        _decided(record, person, ProviderRecord.ACCEPTED, record.note)
    return record


def keep(record: ProviderRecord, person: User, reason: str) -> ProviderRecord:
    """What we recorded is right, for this `reason`. CallError without one."""
    if not reason.strip():
        raise BadCallData(_("Say why: keeping what was recorded needs a reason."), "reason")
    with transaction.atomic():
        _call, record = _locked(record)
        _check_open(record)
        _decided(record, person, ProviderRecord.KEPT, reason.strip()[:300])
    return record


def accept_all(records: "QuerySet[ProviderRecord]", person: User) -> int:
    """Accepts all of `records` that are open; how many. Again goes on with what is left: those that
    cannot be accepted stay open."""
    open_ones = records.filter(outcome=ProviderRecord.DIFFERENT, is_withdrawn=False)
    keys = list(open_ones.order_by("pk").values_list("pk", flat=True))
    return sum(
        _accept_some(keys[begin : begin + _AT_ONCE], person)
        for begin in range(0, len(keys), _AT_ONCE)
    )


def _accept_some(keys: list[int], person: User) -> int:
    accepted = 0
    with transaction.atomic():
        for record in ProviderRecord.objects.filter(pk__in=keys).order_by("call", "pk"):
            try:
                with transaction.atomic():
                    is_open = record.outcome == ProviderRecord.DIFFERENT
                    accepted += is_open and accept(record, person).decided_by_id == person.pk
            except CallError:
                continue
    return accepted


def _locked(record: ProviderRecord) -> tuple[CallLog | None, ProviderRecord]:
    """The call and the record, locked in the order in which an import takes them back."""
    call = record.call and lock_again(record.call)
    row = ProviderRecord.objects.select_for_update().filter(pk=record.pk).first()
    if row is None:  # a later import brought it in anew
        raise CallConflict(_("This record was brought in anew since. Look again."))
    return call, row


def _check_open(record: ProviderRecord) -> None:
    if record.is_withdrawn:
        raise CallConflict(_("The import of this record was taken back."))
    if record.outcome not in _OPEN:
        raise CallConflict(_("There is nothing to decide about this record."))


def _correct(call: CallLog, record: ProviderRecord, person: User) -> str:
    """The key of the line that corrects the call to what the record says."""
    correct_call(call, person, reason=_why(record), **_values(call, record))
    corrections = call.events.filter(kind=timeline.CORRECTED).order_by("-pk")
    return str(corrections.values_list("key", flat=True)[0])


def _why(record: ProviderRecord) -> str:
    return _("The phone system’s record is right (%(account)s, %(file)s, line %(line)d).") % {
        "account": record.account.name,
        "file": record.brought_by.file_name,
        "line": record.line,
    }


def _values(call: CallLog, record: ProviderRecord) -> dict[str, Any]:
    values: dict[str, Any] = {"start": record.start_time, "end": record.end_time}
    if record.end_time is not None and record.status:
        values["status"] = record.status
    if record.knows_answer:
        values["answered"] = record.answered_time
        values["unanswered"] = record.answered_time is None
    elif call.answered_time is not None and record.end_time is not None:
        # The record does not tell the answer; ours stays, within the call.
        values["answered"] = min(max(call.answered_time, record.start_time), record.end_time)
    return values


def _confirm(call: CallLog, record: ProviderRecord, person: User) -> str:
    """The key of the line by which the record confirms the corrected call."""
    change = Change(lock_again(call))
    call = change.call
    call.account = call.account or record.account
    key = line_key(record.brought_by, record.key, "accepted")
    line = line_of_record(call, record_of(record), {}, key)
    line.actor = person
    change.add_lines([line])
    change.save(alive=False)
    return key


def _decided(record: ProviderRecord, person: User, outcome: str, note: str) -> None:
    record.outcome, record.note = outcome, note
    record.decided_by, record.decided_at = person, now()
    record.save(update_fields=["outcome", "note", "decided_by", "decided_at", "event_keys"])
