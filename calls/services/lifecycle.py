"""The only writers of a call: page, API, admin, provider, watchdog and client come through here.

Each function locks the call, adds events to its ledger, folds them and saves what the fold says;
every one of them is idempotent. Instants are aware datetimes; a missing one means now.
"""

import datetime as dt
import uuid
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.models import CallAlias, CallLog, Contact
from calls.services import wrap_up as wrap_ups
from calls.services.matching import heard_call, wait_for_turn
from calls.services.recording import AGENT, Change, ReportedTime, add_facts, fact, lock, lock_own
from common.instants import cut, now
from common.phones import line_of

# A fact that reaches us later than this was recorded offline (evidence D).
OFFLINE_AFTER = dt.timedelta(seconds=10)
# A clock may be this far ahead of ours before we call its instant one in the future.
CLOCK_TOLERANCE = dt.timedelta(seconds=2)

# Our server, which asks a phone system to dial for a person.
DIALLER, NOT_DIALLED = "dialler", "not_dialled"


def settle_instant(
    reported: dt.datetime | None,
    sent_at: dt.datetime | None,
    field: str,
    arrived: dt.datetime,
    source: str = AGENT,
) -> ReportedTime:
    """The instant a program means by `reported`, corrected for its clock by `sent_at`.

    With `sent_at` (its clock when it sent the request) the offset `arrived - sent_at` is added.
    Raises BadCallData for an instant in the future or more than MAX_BACKDATE_SECONDS ago.
    """
    if reported is None:
        return ReportedTime(arrived, source=source)
    try:
        at = cut(reported if sent_at is None else reported + (arrived - sent_at))
    except OverflowError as error:
        raise BadCallData(_("This instant is out of range."), field) from error
    if at > arrived + CLOCK_TOLERANCE:
        raise BadCallData(
            _("This instant is in the future. Send sent_at too if your clock may be wrong."), field
        )
    if arrived - at > dt.timedelta(seconds=settings.MAX_BACKDATE_SECONDS):
        raise BadCallData(
            _("This instant is too long ago: at most %(hours)d hours.")
            % {"hours": settings.MAX_BACKDATE_SECONDS // 3600},
            field,
        )
    late = arrived - at > OFFLINE_AFTER
    return ReportedTime(min(at, arrived), offline=late, explicit=True, source=source)


def start_call(
    user: User,
    *,
    contact: Contact | None = None,
    contact_ref: str = "",
    contact_phone: str = "",
    call_id: uuid.UUID | None = None,
    reported: ReportedTime | None = None,
    direction: str = "outbound",
    provider: str = "",
) -> tuple[CallLog, bool]:
    """Starts a call of `user`: the call, and whether this made it (False: it was there already).

    A call to nobody known is still a call, and a call never waits for another to end. CallNotFound
    if `call_id` is another person's call.
    """
    reported = reported or ReportedTime(now())
    if call_id is not None and (earlier := _find_own(call_id, user)) is not None:
        return earlier, False
    call = CallLog(user=user, direction=direction, provider=provider, last_seen_at=reported.at)
    if call_id is not None:
        call.call_id = call_id
    _name_other_side(call, user, contact, contact_ref, contact_phone)
    try:
        with transaction.atomic():
            if (heard := _heard(user, call.phone_line, reported.at)) is not None:
                return _join_heard(heard, call, reported, is_named=call_id is not None), True
            wrap_ups.leave_wrap_ups(user, reported)
            add_facts(call, [_click(reported)], actor=user, alive=False)
    except IntegrityError:
        earlier = _find_own(call_id, user) if call_id is not None else None
        if earlier is None:
            raise
        return earlier, False
    return call, True


def _click(reported: ReportedTime) -> timeline.Event:
    return fact(timeline.STARTED, reported, key=timeline.STARTED)


def _name_other_side(
    call: CallLog, user: User, contact: Contact | None, reference: str, phone: str
) -> None:
    """Whom the new `call` is with: the contact that is given or meant, and the number dialled."""
    if contact is None:
        contact = Contact.objects.meant_by(user, reference, line_of(phone))
    if contact is not None and not phone:
        phone = contact.phone
    call.contact, call.contact_ref = contact, reference
    call.set_phone(phone)


def _heard(user: User, line: str, at: dt.datetime) -> CallLog | None:
    """The call that a phone system reported before the click for it came."""
    if not line:
        return None
    wait_for_turn(user)
    return heard_call(user, line, at)


def _join_heard(
    heard: CallLog, clicked: CallLog, reported: ReportedTime, *, is_named: bool
) -> CallLog:
    """One call of two: the phone system's, with the click, its contact and, where the click has
    one of its own (`is_named`), its id."""
    call = lock(pk=heard.pk)
    call.user = clicked.user
    fields = []
    if clicked.contact is not None or clicked.contact_ref:
        call.contact, call.contact_ref = clicked.contact, clicked.contact_ref
        fields += ["contact", "contact_ref"]
    if is_named:
        CallAlias.objects.create(alias=call.call_id, call=call)
        call.call_id = clicked.call_id
        fields.append("call_id")
    change = Change(call)
    change.add([_click(reported)], actor=call.user)
    change.save(*fields)
    return call


def _find_own(call_id: uuid.UUID, user: User) -> CallLog | None:
    earlier = CallLog.objects.known_as(call_id)
    if earlier is not None and earlier.user_id != user.pk:
        raise CallNotFound(_("This call_id belongs to another call. Make a new one."), "call_id")
    return earlier


def end_call(
    call_id: uuid.UUID,
    user: User,
    *,
    status: str = timeline.COMPLETED,
    reason: str = "",
    notes: str = "",
    disposition: str = "",
    wrap_up: bool = False,
    reported: ReportedTime | None = None,
) -> CallLog:
    """Ends `user`'s own call. Again with the same status, and no other `reason`, changes nothing.

    An end that a person tells replaces the watchdog's estimate. `wrap_up`: what follows is work
    after the call, until ready. Raises CallNotFound, BadCallData (unknown status or outcome, an
    end before the start), or CallConflict (ended before with another status or reason).
    """
    reported = reported or ReportedTime(now())
    if status not in timeline.TERMINAL:
        raise BadCallData(
            _("Unknown status. Use one of: %(known)s.") % {"known": ", ".join(timeline.TERMINAL)},
            "status",
        )
    if disposition:
        wrap_ups.check_disposition(disposition, user)
    with transaction.atomic():
        call = lock_own(call_id, user)
        if reported.at < call.start_time:
            if reported.explicit:
                raise BadCallData(_("The call cannot end before it started."), "ended_at")
            reported = replace(reported, at=call.start_time)
        if _is_reported(call):
            _check_same_end(call, status, reason)
            if disposition and not call.disposition:
                add_facts(call, [wrap_ups.outcome(disposition, reported)], actor=user)
            return call
        data: dict[str, Any] = {"status": status}
        data |= {name: text for name, text in (("reason", reason), ("notes", notes)) if text}
        change = Change(call)
        change.add([fact(timeline.ENDED, reported, key=timeline.ENDED, data=data)], actor=user)
        if disposition:
            change.say(wrap_ups.outcome(disposition, reported), actor=user)
        if wrap_up:
            change.add(wrap_ups.wrap_up_begun(call, reported), actor=user)
        change.save()
    return call


def not_dialled(call_id: uuid.UUID, user: User, why: str) -> CallLog:
    """The phone system would not dial for `user`: the call ends as FAILED, and `why` is kept.

    Not if the phone system has reported the call all the same: then it knows better.
    """
    with transaction.atomic():
        call = lock_own(call_id, user)
        if call.end_time is not None or call.account_id is not None:
            return call
        data = {"status": timeline.FAILED, "reason": NOT_DIALLED, "said": why[:300]}
        reported = ReportedTime(max(now(), call.start_time), source=DIALLER)
        key = f"{timeline.ENDED}:{DIALLER}"
        add_facts(call, [fact(timeline.ENDED, reported, key=key, data=data)], actor=None)
    return call


def _is_reported(call: CallLog) -> bool:
    """Whether a person reported the end. What a phone system says is believed more, but the
    person's word, and above all the notes that come with it, are kept beside it."""
    if call.end_time is None or call.ended_by == timeline.WATCHDOG:
        return False
    if not call.ended_by.startswith(timeline.PROVIDER_PREFIX):
        return True
    return call.events.filter(key=timeline.ENDED).exists()


def _check_same_end(call: CallLog, status: str, reason: str) -> None:
    """A repeated end must say what the first one said, whatever was corrected since; that it says
    less is no contradiction."""
    if call.status == status and reason in ("", call.end_reason):
        return
    said = call.events.filter(key=timeline.ENDED).values_list("data", flat=True).first() or {}
    if said.get("status") != status or reason not in ("", said.get("reason")):
        ended = f"{call.status} ({call.end_reason})" if call.end_reason else call.status
        raise CallConflict(_("This call has already ended as %(status)s.") % {"status": ended})
