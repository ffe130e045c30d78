"""What is said of a call after it has ended: corrections, notes, and the fold once more."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import BadCallData, CallConflict
from calls.models import CallLog
from calls.services.recording import Change, ReportedTime, add_word, fact, lock_again, voice_of
from common.instants import cut, now, to_ms


def correct_call(
    call: CallLog,
    actor: User,
    *,
    reason: str,
    start: dt.datetime | None = None,
    answered: dt.datetime | None = None,
    end: dt.datetime | None = None,
    status: str | None = None,
    unanswered: bool = False,
) -> CallLog:
    """Corrects an ended call, with a reason, by a further line in its ledger.

    Only what is given changes; the lengths follow. With nothing given it confirms an estimated
    call as it stands. `unanswered`: nobody answered it at all. Raises BadCallData, or CallConflict
    while the call runs.
    """
    if not reason.strip():
        raise BadCallData(_("Say why: a correction needs a reason."), "reason")
    if status is not None and status not in timeline.TERMINAL:
        raise BadCallData(_("Choose how the call ended."), "status")
    with transaction.atomic():
        call = lock_again(call)
        if call.end_time is None:
            raise CallConflict(_("This call is still running; end it first."))
        instants = {"start": start, "answered": answered, "end": end}
        data: dict[str, Any] = {
            name: to_ms(cut(value)) for name, value in instants.items() if value is not None
        }
        if unanswered:
            data["answered"] = None
        if status is not None:
            data["status"] = status
        data["reason"] = reason.strip()
        _check_order(call, data)
        reported = ReportedTime(now(), source=voice_of(actor, call))
        add_word(call, fact(timeline.CORRECTED, reported, data=data), actor=actor)
    return call


def _check_order(call: CallLog, data: Mapping[str, Any]) -> None:
    assert call.end_time is not None
    start = data.get("start", to_ms(call.start_time))
    end = data.get("end", to_ms(call.end_time))
    answered = data.get("answered", call.answered_time and to_ms(call.answered_time))
    if start < 0:  # 1970; far before it, an instant has no place in the index of words
        raise BadCallData(_("This date is out of range."), "start")
    if "end" in data and end > to_ms(now()):
        raise BadCallData(_("The end is in the future."), "end")
    if end < start:
        raise BadCallData(_("The call cannot end before it started."), "end")
    if answered is not None and not start <= answered <= end:
        raise BadCallData(_("The answer must lie between start and end."), "answered")


def add_note(call: CallLog, actor: User, notes: str) -> CallLog:
    """Replaces the call's notes; what stood there before stays in the ledger."""
    with transaction.atomic():
        call = lock_again(call)
        if _as_shown(call.notes) == _as_shown(notes):
            return call
        reported = ReportedTime(now(), source=voice_of(actor, call))
        add_word(call, fact(timeline.NOTED, reported, data={"notes": notes}), actor=actor)
    return call


def _as_shown(notes: str) -> str:
    """`notes` as a page gives them back: browsers write ends of lines in their own way."""
    return "\n".join(notes.splitlines()).strip()


def refold(call: CallLog) -> list[str]:
    """Folds the ledger of `call` again; the names of the fields that differed (none, normally)."""
    with transaction.atomic():
        return sorted(Change(lock_again(call)).save())
