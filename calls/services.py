"""The only writers of a call: page, API, admin, provider, watchdog and client come through here.

Each function locks the call, adds events to its ledger, folds them and saves what the fold says;
doing anything twice is nothing. Instants are aware datetimes; a missing one means now.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from calls import signals, timeline
from calls.errors import BadCallData, CallConflict, CallNotFound
from calls.instants import cut, now, to_ms
from calls.models import CallEvent, CallLog, Contact
from calls.phones import to_e164

# A fact that reaches us later than this was recorded offline (evidence D).
OFFLINE_AFTER = dt.timedelta(seconds=10)
# A clock may be this far ahead of ours before we call its instant one in the future.
CLOCK_TOLERANCE = dt.timedelta(seconds=2)

AGENT, CLIENT, ADMIN = "agent", "client", "admin"

# What an agent may say during a call: action -> kind of event.
STEPS: Mapping[str, str] = {
    "answer": timeline.ANSWERED,
    "hold": timeline.HELD,
    "resume": timeline.RESUMED,
    "pause": timeline.PAUSED,
    "unpause": timeline.UNPAUSED,
}


@dataclass(frozen=True)
class Told:
    """When something happened, as settled between the teller's clock and ours."""

    at: dt.datetime
    offline: bool = False
    explicit: bool = False


def settle_instant(
    told: dt.datetime | None, sent_at: dt.datetime | None, field: str, arrived: dt.datetime
) -> Told:
    """The instant a program means by `told`, corrected for its clock by `sent_at`.

    With `sent_at` (its clock when it sent the request) the offset `arrived - sent_at` is added.
    Raises BadCallData for an instant in the future or more than MAX_BACKDATE_SECONDS ago.
    """
    if told is None:
        return Told(arrived)
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
    return Told(min(at, arrived), offline=arrived - at > OFFLINE_AFTER, explicit=True)


def start_call(
    user: User,
    *,
    contact: Contact | None = None,
    contact_ref: str = "",
    contact_phone: str = "",
    call_id: uuid.UUID | None = None,
    told: Told | None = None,
    direction: str = "outbound",
    provider: str = "",
    source: str = AGENT,
) -> tuple[CallLog, bool]:
    """Starts a call of `user`: the call, and whether this made it (False: it was there already).

    A call to nobody known is still a call, and a call never waits for another to end. CallNotFound
    if `call_id` is another person's call.
    """
    told = told or Told(now())
    phone_e164 = to_e164(contact_phone) if contact_phone else ""
    if contact is None:
        contact = Contact.objects.meant_by(user, contact_ref, phone_e164)
    if contact is not None and not contact_phone:
        contact_phone = contact.phone
        phone_e164 = to_e164(contact_phone)

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
    fact = _fact(timeline.STARTED, told, source, key=timeline.STARTED)
    call.apply(timeline.fold([fact]))
    if call_id is not None:
        call.call_id = call_id
        earlier = _find_own(call_id, user)
        if earlier is not None:
            return earlier, False
    try:
        with transaction.atomic():
            call.save(force_insert=True)
            CallEvent.of_fact(call, fact, received_at=now(), actor=user).save(force_insert=True)
            signals.call_started.send(CallLog, call=call)
    except IntegrityError:
        earlier = _find_own(call_id, user) if call_id is not None else None
        if earlier is None:
            raise
        return earlier, False
    return call, True


def _find_own(call_id: uuid.UUID, user: User) -> CallLog | None:
    earlier = CallLog.objects.filter(call_id=call_id).first()
    if earlier is not None and earlier.user_id != user.pk:
        raise CallNotFound(_("This call_id belongs to another call. Make a new one."), "call_id")
    return earlier


def step(
    call_id: uuid.UUID, user: User, action: str, *, told: Told | None = None, source: str = AGENT
) -> CallLog:
    """Records that `user` did `action` (a key of STEPS) in the own call.

    Saying what is already so adds nothing. CallConflict once the call has ended.
    """
    told = told or Told(now())
    kind = STEPS[action]
    with transaction.atomic():
        call = _lock_own(call_id, user)
        fact = _fact(kind, told, source)
        if call.end_time is not None:
            if call.events.filter(key=fact.key).exists():
                return call
            raise CallConflict(_("This call has ended."))
        if not told.explicit and _says_nothing(call, kind):
            return call
        if told.at < call.start_time:
            raise BadCallData(_("This is before the start of the call."), "occurred_at")
        _record(call, [fact], actor=user)
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
    told: Told | None = None,
    source: str = AGENT,
) -> CallLog:
    """Ends `user`'s own call. Again with the same status changes nothing.

    An end that a person tells replaces the watchdog's estimate. Raises CallNotFound, BadCallData
    (unknown status, an end before the start), or CallConflict (ended before with another status).
    """
    told = told or Told(now())
    if status not in timeline.TERMINAL:
        raise BadCallData(
            _("Unknown status. Use one of: %(known)s.") % {"known": ", ".join(timeline.TERMINAL)},
            "status",
        )
    with transaction.atomic():
        call = _lock_own(call_id, user)
        if call.end_time is not None and call.ended_by != timeline.WATCHDOG:
            _check_same_end(call, status)
            return call
        if told.at < call.start_time:
            if told.explicit:
                raise BadCallData(_("The call cannot end before it started."), "ended_at")
            told = Told(call.start_time)
        data: dict[str, Any] = {"status": status}
        if notes:
            data["notes"] = notes
        fact = _fact(timeline.ENDED, told, source, key=timeline.ENDED, data=data)
        _record(call, [fact], actor=user)
        signals.call_ended.send(CallLog, call=call)
    return call


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


def correct_call(
    call: CallLog,
    actor: User,
    *,
    reason: str,
    start: dt.datetime | None = None,
    answered: dt.datetime | None = None,
    end: dt.datetime | None = None,
    status: str | None = None,
) -> CallLog:
    """Corrects an ended call, with a reason, by a further line in its ledger.

    Only what is given changes; the lengths follow. With nothing given it confirms an estimated
    call as it stands. Raises BadCallData, or CallConflict while the call runs.
    """
    if not reason.strip():
        raise BadCallData(_("Say why: a correction needs a reason."), "reason")
    if status is not None and status not in timeline.TERMINAL:
        raise BadCallData(_("Choose how the call ended."), "status")
    with transaction.atomic():
        call = _lock(pk=call.pk)
        if call.end_time is None:
            raise CallConflict(_("This call is still running; end it first."))
        instants = {"start": start, "answered": answered, "end": end}
        data: dict[str, Any] = {
            name: to_ms(cut(value)) for name, value in instants.items() if value is not None
        }
        if status is not None:
            data["status"] = status
        data["reason"] = reason.strip()
        _check_order(call, data)
        told = Told(_after_last_correction(call))
        fact = _fact(timeline.CORRECTED, told, _voice(call, actor), data=data)
        _record(call, [fact], actor=actor)
        signals.call_changed.send(CallLog, call=call)
    return call


def _check_order(call: CallLog, data: Mapping[str, Any]) -> None:
    assert call.end_time is not None
    start = data.get("start", to_ms(call.start_time))
    end = data.get("end", to_ms(call.end_time))
    answered = data.get("answered", call.answered_time and to_ms(call.answered_time))
    if end > to_ms(now()):
        raise BadCallData(_("The end is in the future."), "end")
    if end < start:
        raise BadCallData(_("The call cannot end before it started."), "end")
    if answered is not None and not start <= answered <= end:
        raise BadCallData(_("The answer must lie between start and end."), "answered")


def _after_last_correction(call: CallLog) -> dt.datetime:
    """Now, or a millisecond after the last correction if that is later: the last word wins."""
    last = call.events.filter(kind=timeline.CORRECTED).order_by("-occurred_at").first()
    present = now()
    if last is None:
        return present
    return max(present, last.occurred_at + dt.timedelta(milliseconds=1))


def add_note(call: CallLog, actor: User, notes: str) -> CallLog:
    """Replaces the call's notes; what stood there before stays in the ledger."""
    with transaction.atomic():
        call = _lock(pk=call.pk)
        if call.notes == notes:
            return call
        fact = _fact(timeline.NOTED, Told(now()), _voice(call, actor), data={"notes": notes})
        _record(call, [fact], actor=actor)
        signals.call_changed.send(CallLog, call=call)
    return call


def close_stale_calls() -> int:
    """Closes the calls that show no sign of life, at the last sign there was; how many.

    Stale is: no heartbeat for STALE_CALL_SECONDS, or running for more than MAX_CALL_SECONDS. They
    end as DROPPED with evidence E and count in no figure until somebody confirms them.
    """
    closed = 0
    for pk in list(CallLog.objects.active().values_list("pk", flat=True)):
        with transaction.atomic():
            call = _lock(pk=pk)
            present = now()
            if call.end_time is not None or not _is_stale(call, present):
                continue
            alive = max(call.last_seen_at or call.start_time, call.start_time)
            data = {"status": timeline.DROPPED, "reason": "watchdog"}
            fact = _fact(
                timeline.ENDED,
                Told(alive),
                timeline.WATCHDOG,
                key=f"{timeline.ENDED}:{timeline.WATCHDOG}",
                data=data,
            )
            _record(call, [fact], actor=None, alive=False)
            signals.call_ended.send(CallLog, call=call)
            closed += 1
    return closed


def _is_stale(call: CallLog, present: dt.datetime) -> bool:
    silent = present - (call.last_seen_at or call.start_time)
    return silent > dt.timedelta(seconds=settings.STALE_CALL_SECONDS) or (
        present - call.start_time > dt.timedelta(seconds=settings.MAX_CALL_SECONDS)
    )


def refold(call: CallLog) -> list[str]:
    """Folds the ledger of `call` again; the names of the fields that differed (none, normally)."""
    with transaction.atomic():
        locked = _lock(pk=call.pk)
        changed = locked.apply(timeline.fold(CallEvent.facts_of(locked)))
        if changed:
            locked.save(update_fields=changed)
    return changed


def _lock(**which: Any) -> CallLog:
    try:
        return CallLog.objects.select_for_update().get(**which)
    except CallLog.DoesNotExist as error:
        raise CallNotFound(_("There is no such call among yours.")) from error


def _lock_own(call_id: uuid.UUID, user: User) -> CallLog:
    call = _lock(call_id=call_id, user_id=user.pk)
    call.user = user  # spares whoever listens a query
    return call


def _voice(call: CallLog, actor: User) -> str:
    return AGENT if actor.pk == call.user_id else ADMIN


def _fact(
    kind: str,
    told: Told,
    source: str,
    *,
    key: str = "",
    data: Mapping[str, Any] | None = None,
) -> timeline.Event:
    at = to_ms(told.at)
    said = dict(data or {})
    if told.offline:
        said["offline"] = True
    return timeline.Event(key=key or f"{kind}:{at}", kind=kind, at=at, source=source, data=said)


def _record(
    call: CallLog, facts: Iterable[timeline.Event], *, actor: User | None, alive: bool = True
) -> None:
    """Adds `facts` to the locked call's ledger and saves what all its events fold to."""
    ledger = CallEvent.facts_of(call)
    known = {event.key for event in ledger}
    fresh = [fact for fact in facts if fact.key not in known]
    arrived = now()
    for fact in fresh:
        CallEvent.of_fact(call, fact, received_at=arrived, actor=actor).save(force_insert=True)
    changed = call.apply(timeline.fold(ledger + fresh))
    if alive and call.end_time is None:
        call.last_seen_at = arrived
        changed.append("last_seen_at")
    if changed:
        call.save(update_fields=changed)
