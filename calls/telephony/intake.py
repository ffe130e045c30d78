"""From what a phone system tells to calls: whose call it is, which call it is, and its ledger.

Any order and any repetition of the same events leaves the same calls. An event is never lost: one
that names nobody we know makes a call without an agent, which is kept and offered for assignment.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from calls import timeline
from calls.models import CallLog, Contact, ProviderAccount
from calls.providers import adapters
from calls.providers.base import ProviderEvent
from calls.services import wrap_up
from calls.services.conversations import mark_shared
from calls.services.matching import wait_for_turn
from calls.services.recording import Change, ReportedTime, lock_again
from calls.telephony import sequence_numbers, waiting_facts
from calls.telephony.clicks import LINK, adopted, given_to
from calls.telephony.lines import Lines
from calls.telephony.turns import follow
from common.databases.prepared_sql import A_NUMBER, A_TEXT, Prepared
from common.instants import now, to_ms

# What links a call to its phone system, and all that the phone system may say of it by itself.
_NUMBER: Final = ("contact_phone", "phone_e164", "phone_line")
REPORTED_FIELDS: Final = (*LINK, *_NUMBER, "user", "direction", "contact")


def record(
    account: ProviderAccount,
    events: Iterable[ProviderEvent],
    *,
    received: dt.datetime,
    payload_hash: str = "",
    with_last: Callable[[], None] | None = None,
) -> list[CallLog]:
    """Records what `account` reported: one transaction a call. The calls as they now stand.

    A remark (`noted`) about a call that we do not know is dropped: it says nothing by itself. Those
    about whole conversations come last, when the parts that the same message makes are there.
    `with_last` is done with the last of it: in one transaction, so that both are so or neither.
    """
    by_call: dict[str, list[ProviderEvent]] = {}
    for event in events:
        by_call.setdefault(event.call, []).append(event)
    remarks = by_call.pop("", [])
    last = "" if remarks else next(reversed(by_call), "")
    calls = []
    for call_id, its_events in by_call.items():
        lines = Lines(account, its_events, received, payload_hash)
        call = _record_one(account, call_id, lines, with_last if call_id == last else None)
        if call is not None:
            calls.append(call)
    if remarks:
        sequence_numbers.count(account, remarks, received)
    if with_last is not None and not last:
        with transaction.atomic():  # SQLite's writers stand in line where a transaction begins
            with_last()
    return calls


def record_overdue() -> int:
    """Records the calls whose facts have waited for too long to be settled; how many."""
    overdue = waiting_facts.overdue()
    for kept, events in overdue:
        record(kept[0].account, events, received=now())
        waiting_facts.forget(kept)
    return len(overdue)


class Written(NamedTuple):
    """A call as it was written: whether that made it, how often its person had it, and whether it
    is now a part of a conversation that it, or this row of it, was none of before."""

    call: CallLog
    is_new: bool
    turns: int
    is_part: bool = False


def _record_one(
    account: ProviderAccount, call_id: str, lines: Lines, also: Callable[[], None] | None
) -> CallLog | None:
    written = _tried(account, call_id, lines, also)
    if written is None:
        # Another process may have made the call at this very moment, or one of it and its click.
        if CallLog.objects.filter(_named(account, call_id)).exists():
            written = _tried(account, call_id, lines, None)
    elif _rings_several(account) and (written.is_new or lines.end):
        kept = waiting_facts.of_call(account, call_id)
        for earlier in waiting_facts.by_message(account, kept):
            written = _tried(account, call_id, earlier, None) or written
        if kept:
            waiting_facts.forget(kept)
    return written and written.call


def _rings_several(account: ProviderAccount) -> bool:
    adapter = adapters().get(account.kind)
    return adapter is not None and adapter.rings_several


def _named(account: ProviderAccount, call_id: str) -> Q:
    return Q(account=account, provider_call_id=call_id)


def _tried(
    account: ProviderAccount, call_id: str, lines: Lines, also: Callable[[], None] | None
) -> Written | None:
    def write() -> Written | None:
        with transaction.atomic():
            written = _write(account, call_id, lines)
            if also is not None:
                also()
            return written

    try:
        written = write()
    except IntegrityError:  # another process made the call at this very moment: now it is there
        written = write()
    if written is not None and written.is_part:
        mark_shared(written.call)
    return written


def _write(account: ProviderAccount, call_id: str, lines: Lines) -> Written | None:
    call = _known(account, call_id)
    is_new = call is None
    if call is not None:
        written = _continue(call, lines)
    elif all(event.kind == timeline.NOTED for event in lines.events):
        return None
    elif lines.waits:
        waiting_facts.keep(account, call_id, lines)
        return None
    else:
        clicked = adopted(account, call_id, lines)
        if clicked is None:
            written = _make(account, call_id, lines)
        else:
            written = _continue(clicked, lines, REPORTED_FIELDS)
    if written.turns > 1:
        follow(written.call, written.turns, partial(_known, account), _take_over)
    is_part = is_new or bool(lines.joined) or written.turns > 1 or written.is_part
    return written._replace(is_new=is_new, is_part=is_part)


def _make(account: ProviderAccount, call_id: str, lines: Lines) -> Written:
    call = CallLog(
        user=lines.agent,
        account=account,
        provider=account.name,
        provider_call_id=call_id,
        conversation=lines.conversation or call_id,
    )
    change = Change(call)
    change.add_lines(lines.rows(call))
    state = _take_over(change)
    if call.user is not None and call.end_time is None:
        wrap_up.leave_wrap_ups(call.user, ReportedTime(call.start_time, explicit=True))
    change.save()
    return Written(call, True, state.turns)


def _continue(call: CallLog, lines: Lines, touched: Sequence[str] = ()) -> Written:
    """Adds what is new to the locked call's ledger; `touched`: what is set already, not saved."""
    found = lines.agent if call.user_id is None else None
    if found is None:
        change = Change(call)
    else:
        change, touched = given_to(call, found), REPORTED_FIELDS
    call = change.call
    was = _reported(call)
    if call.user_id is not None:
        lines.contradict(call, change.ledger)
    change.add_lines(lines.rows(call))
    if change.is_empty and found is None:
        return Written(call, False, 1)
    state = _take_over(change)
    call.conversation = lines.joined or call.conversation
    wrap_up.begin_after_click(change)
    changed = {name for name, value in _reported(call).items() if value != was[name]}
    change.save(*changed.union(touched))
    return Written(call, False, state.turns, is_part=found is not None)


def _reported(call: CallLog) -> dict[str, Any]:
    return {
        field.name: getattr(call, field.attname)
        for field in map(CallLog._meta.get_field, REPORTED_FIELDS)
    }


def _known(account: ProviderAccount, call_id: str) -> CallLog | None:
    """The locked call that `account` names so."""
    call: CallLog | None = next(iter(_KNOWN.found(account.pk, call_id)), None)
    if call is not None:
        call.account = account
    return call


# Of the agent few things are asked while a message is recorded; the rest is fetched if need be.
_ASKED = {"id", "username", "team", "is_active", "is_superuser"}
_NOT_ASKED = [f"user__{f.name}" for f in User._meta.concrete_fields if f.name not in _ASKED]
_KNOWN = Prepared(
    lambda: (
        CallLog.objects.select_for_update(of=("self",))
        .select_related("user")
        .defer(*_NOT_ASKED)
        .filter(account=A_NUMBER, provider_call_id=A_TEXT)
        .exclude(provider_call_id="")  # or SQLite would not use its index and read all calls
        .order_by()
    ),
    A_NUMBER,
    A_TEXT,
)


def _take_over(change: Change) -> timeline.CallState:
    """What the ledger says beyond instants: the direction, the number and so the contact."""
    call, state = change.call, change.fold()
    if state.direction:
        call.direction = state.direction
    clicked = any(event.key == timeline.STARTED for event in change.ledger)
    if state.number and not (clicked and call.contact_phone):
        call.set_phone(state.number[:64], (call.account and call.account.region) or None)
    if call.contact_id is None and call.user is not None and call.phone_line:
        call.contact = Contact.objects.meant_by(call.user, "", call.phone_line)
    return state


def expect(call: CallLog, account: ProviderAccount, call_id: str, conversation: str = "") -> None:
    """`account` has begun to dial for `call` and will call it `call_id`, and the whole of which it
    may be a part `conversation`.

    Nothing is left to do where its first event was quicker than its answer.
    """
    assert call.user is not None
    try:
        with transaction.atomic():
            wait_for_turn(call.user)  # an event that looks for its click finds it linked, or free
            call = lock_again(call)
            if call.account_id is not None:
                return
            if CallLog.objects.filter(_named(account, call_id)).exists():
                return
            call.account, call.provider, call.provider_call_id = account, account.name, call_id
            call.conversation = conversation or call_id
            call.save(update_fields=["account", "provider", "provider_call_id", "conversation"])
    except IntegrityError:  # its first event, which names nobody, came at this very moment
        return
    mark_shared(call)


def alive(calls: Iterable[CallLog]) -> None:
    """The phone system says that these calls go on."""
    keys = [call.pk for call in calls]
    CallLog.objects.filter(pk__in=keys).active().update(last_seen_at=now())


def silence(call: CallLog) -> int:
    """How long nobody has said anything of the running `call`, in ms."""
    return to_ms(now()) - to_ms(call.last_seen_at or call.start_time)
