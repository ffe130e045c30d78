"""The only writers of a call: page, API, admin, provider, watchdog and client come through here.

Each function locks the call, adds events to its ledger, folds them and saves what the fold says;
doing anything twice is idempotent. Instants are aware datetimes; a missing one means now.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from calls import signals, timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.models import CallAlias, CallEvent, CallLog, Contact
from calls.services import wrap_up as afterwards
from calls.services.matching import heard_call, wait_for_turn
from calls.services.recording import ReportedTime, fact, lock, record
from common.instants import cut, now
from common.phones import to_e164

# A fact that reaches us later than this was recorded offline (evidence D).
OFFLINE_AFTER = dt.timedelta(seconds=10)
# A clock may be this far ahead of ours before we call its instant one in the future.
CLOCK_TOLERANCE = dt.timedelta(seconds=2)

AGENT, CLIENT, ADMIN = "agent", "client", "admin"
# Our server, which asks a phone system to dial for a person.
DIALLER, NOT_DIALLED = "dialler", "not_dialled"

# What an agent may say during a call: action -> kind of event.
STEPS: Mapping[str, str] = {
    "answer": timeline.ANSWERED,
    "hold": timeline.HELD,
    "resume": timeline.RESUMED,
    "pause": timeline.PAUSED,
    "unpause": timeline.UNPAUSED,
}


def settle_instant(
    told: dt.datetime | None, sent_at: dt.datetime | None, field: str, arrived: dt.datetime
) -> ReportedTime:
    """The instant a program means by `told`, corrected for its clock by `sent_at`.

    With `sent_at` (its clock when it sent the request) the offset `arrived - sent_at` is added.
    Raises BadCallData for an instant in the future or more than MAX_BACKDATE_SECONDS ago.
    """
    if told is None:
        return ReportedTime(arrived)
    try:
        at = cut(told if sent_at is None else told + (arrived - sent_at))
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
    return ReportedTime(min(at, arrived), offline=arrived - at > OFFLINE_AFTER, explicit=True)


def start_call(
    user: User,
    *,
    contact: Contact | None = None,
    contact_ref: str = "",
    contact_phone: str = "",
    call_id: uuid.UUID | None = None,
    told: ReportedTime | None = None,
    direction: str = "outbound",
    provider: str = "",
    source: str = AGENT,
) -> tuple[CallLog, bool]:
    """Starts a call of `user`: the call, and whether this made it (False: it was there already).

    A call to nobody known is still a call, and a call never waits for another to end. CallNotFound
    if `call_id` is another person's call.
    """
    told = told or ReportedTime(now())
    phone_e164 = to_e164(contact_phone)
    if contact is None:
        contact = Contact.objects.meant_by(user, contact_ref, phone_e164)
    if contact is not None and not contact_phone:
        contact_phone = contact.phone
        phone_e164 = to_e164(contact_phone)

    said = fact(timeline.STARTED, told, source, key=timeline.STARTED)
    if call_id is not None and (earlier := _find_own(call_id, user)) is not None:
        return earlier, False
    call = CallLog(
        user=user,
        contact=contact,
        contact_ref=contact_ref,
        contact_phone=contact_phone,
        phone_e164=phone_e164,
        direction=direction,
        provider=provider,
        last_seen_at=told.at,
    )
    call.apply(timeline.fold([said]))
    if call_id is not None:
        call.call_id = call_id
    try:
        with transaction.atomic():
            if phone_e164:
                wait_for_turn(user)
                heard = heard_call(user, phone_e164, told.at)
                if heard is not None:
                    return _join_heard(heard, said, user, contact, contact_ref, call_id), True
            call.save(force_insert=True)
            CallEvent.of_fact(call, said, received_at=now(), actor=user).save(force_insert=True)
            afterwards.leave_wrap_ups(user, told)
            signals.call_started.send(CallLog, call=call)
    except IntegrityError:
        earlier = _find_own(call_id, user) if call_id is not None else None
        if earlier is None:
            raise
        return earlier, False
    return call, True


def _join_heard(
    heard: CallLog,
    click: timeline.Event,
    user: User,
    contact: Contact | None,
    contact_ref: str,
    call_id: uuid.UUID | None,
) -> CallLog:
    """The click belongs to a call that its phone system told us of before: one call, not two."""
    call = lock(pk=heard.pk)
    call.user = user
    if contact is not None or contact_ref:
        call.contact, call.contact_ref = contact, contact_ref
        call.save(update_fields=["contact", "contact_ref"])
    record(call, [click], actor=user)
    if call_id is not None:
        CallAlias.objects.create(alias=call.call_id, call=call)
        call.call_id = call_id
        call.save(update_fields=["call_id"])
    signals.call_changed.send(CallLog, call=call)
    return call


def _find_own(call_id: uuid.UUID, user: User) -> CallLog | None:
    earlier = CallLog.objects.known_as(call_id)
    if earlier is not None and earlier.user_id != user.pk:
        raise CallNotFound(_("This call_id belongs to another call. Make a new one."), "call_id")
    return earlier


def step(
    call_id: uuid.UUID,
    user: User,
    action: str,
    *,
    told: ReportedTime | None = None,
    source: str = AGENT,
) -> CallLog:
    """Records that `user` did `action` (a key of STEPS) in their own call.

    Saying what is already so adds nothing. CallConflict once the call has ended; but what is told
    late of a call that only the watchdog has ended counts, for the person's end is still to come.
    """
    told = told or ReportedTime(now())
    kind = STEPS[action]
    with transaction.atomic():
        call = _lock_own(call_id, user)
        said = fact(kind, told, source)
        if call.end_time is not None:
            if call.events.filter(key=said.key).exists():
                return call
            if not (told.explicit and call.ended_by == timeline.WATCHDOG):
                raise CallConflict(_("This call has ended."))
        elif not told.explicit and _says_nothing(call, kind):
            return call
        if told.at < call.start_time:
            raise BadCallData(_("This is before the start of the call."), "occurred_at")
        record(call, [said], actor=user)
        signals.call_changed.send(CallLog, call=call)
    return call


def _says_nothing(call: CallLog, kind: str) -> bool:
    return {
        timeline.ANSWERED: call.answered_time is not None,
        timeline.HELD: call.held_since is not None,
        timeline.RESUMED: call.held_since is None,
        timeline.PAUSED: call.paused_since is not None,
        timeline.UNPAUSED: call.paused_since is None,
    }[kind]


def end_call(
    call_id: uuid.UUID,
    user: User,
    *,
    status: str = timeline.COMPLETED,
    notes: str = "",
    disposition: str = "",
    wrap_up: bool = False,
    told: ReportedTime | None = None,
    source: str = AGENT,
) -> CallLog:
    """Ends `user`'s own call. Again with the same status changes nothing.

    An end that a person tells replaces the watchdog's estimate. `wrap_up`: what follows is work
    after the call, until ready. Raises CallNotFound, BadCallData (unknown status or outcome, an
    end before the start), or CallConflict (ended before with another status).
    """
    told = told or ReportedTime(now())
    if status not in timeline.TERMINAL:
        raise BadCallData(
            _("Unknown status. Use one of: %(known)s.") % {"known": ", ".join(timeline.TERMINAL)},
            "status",
        )
    if disposition:
        afterwards.check_disposition(disposition, user)
    with transaction.atomic():
        call = _lock_own(call_id, user)
        if told.at < call.start_time:
            if told.explicit:
                raise BadCallData(_("The call cannot end before it started."), "ended_at")
            told = ReportedTime(call.start_time)
        if _is_told(call):
            _check_same_end(call, status)
            if disposition and not call.disposition:
                record(call, [afterwards.outcome(disposition, told, source)], actor=user)
                signals.call_changed.send(CallLog, call=call)
            return call
        data: dict[str, Any] = {"status": status}
        if notes:
            data["notes"] = notes
        said = [fact(timeline.ENDED, told, source, key=timeline.ENDED, data=data)]
        if disposition:
            said.append(afterwards.outcome(disposition, told, source))
        if wrap_up:
            said += afterwards.wrap_up_begun(call, told, source)
        ended_before = call.ended_by.startswith(timeline.PROVIDER_PREFIX)
        record(call, said, actor=user)
        signal = signals.call_changed if ended_before else signals.call_ended
        signal.send(CallLog, call=call)
    return call


def not_dialled(call_id: uuid.UUID, user: User, why: str) -> CallLog:
    """The phone system would not dial for `user`: the call ends as FAILED, and `why` is kept.

    Not if the phone system has told of the call all the same: then it knows better.
    """
    with transaction.atomic():
        call = _lock_own(call_id, user)
        if call.end_time is not None or call.account_id is not None:
            return call
        data = {"status": timeline.FAILED, "reason": NOT_DIALLED, "said": why[:300]}
        told = ReportedTime(max(now(), call.start_time))
        key = f"{timeline.ENDED}:{DIALLER}"
        record(call, [fact(timeline.ENDED, told, DIALLER, key=key, data=data)], actor=None)
        signals.call_ended.send(CallLog, call=call)
    return call


def _is_told(call: CallLog) -> bool:
    """Whether a person told the end. What a phone system told is believed more, but the person's
    word, and above all the notes that come with it, are kept beside it."""
    if call.end_time is None or call.ended_by == timeline.WATCHDOG:
        return False
    if not call.ended_by.startswith(timeline.PROVIDER_PREFIX):
        return True
    return call.events.filter(key=timeline.ENDED).exists()


def _check_same_end(call: CallLog, status: str) -> None:
    """A repeated end must say what the first one said, whatever was corrected since."""
    if call.status == status:
        return
    said = call.events.filter(key=timeline.ENDED).values_list("data", flat=True).first()
    if said is None or said.get("status") != status:
        raise CallConflict(
            _("This call has already ended as %(status)s.") % {"status": call.status}
        )


def heartbeat(call_id: uuid.UUID, user: User) -> CallLog:
    """Notes that the call is known to be alive now. CallConflict once it has ended."""
    with transaction.atomic():
        call = _lock_own(call_id, user)
        if call.end_time is not None:
            raise CallConflict(_("This call has ended."))
        call.last_seen_at = now()
        call.save(update_fields=["last_seen_at"])
    return call


def heartbeat_all(user: User) -> None:
    """The person's page is open: all own running calls are alive."""
    CallLog.objects.filter(user=user).active().update(last_seen_at=now())


def _lock_own(call_id: uuid.UUID, user: User) -> CallLog:
    own = CallLog.objects.select_for_update().filter(user=user)
    call = own.known_as(call_id)
    if call is None:
        raise CallNotFound(_("There is no such call among yours."))
    call.user = user  # spares whoever listens a query
    return call
