"""From what a phone system tells to calls: whose call it is, which call it is, and its ledger.

Any order and any repetition of the same events leaves the same calls. An event is never lost: one
that names nobody we know makes a call without an agent, which is kept and offered for assignment.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import CallConflict
from calls.models import (
    CallAlias,
    CallEvent,
    CallLog,
    CallQuerySet,
    Contact,
    ProviderAccount,
    ProviderIdentity,
)
from calls.providers.base import ProviderEvent
from calls.services import wrap_up
from calls.services.matching import clicked_call, wait_for_turn
from calls.services.recording import ADMIN, Change, ReportedTime, fact, lock
from calls.telephony import sequence_numbers
from common.instants import from_ms, now, to_ms
from common.phones import to_e164

# What links a call to its phone system, and all that the phone system may say of it by itself.
_LINK: Final = ("account_id", "provider", "provider_call_id", "conversation", "is_shared")
_REPORTED_FIELDS: Final = (*_LINK, "user", "direction", "contact_phone", "phone_e164", "contact")


def record(
    account: ProviderAccount,
    events: Iterable[ProviderEvent],
    *,
    received: dt.datetime,
    payload_hash: str = "",
) -> list[CallLog]:
    """Records what `account` reported: one transaction a call. The calls as they now stand.

    A remark (`noted`) about a call that we do not know is dropped: it says nothing by itself. Those
    about whole conversations come last, when the parts that the same message makes are there.
    """
    by_call: dict[str, list[ProviderEvent]] = {}
    for event in events:
        by_call.setdefault(event.call, []).append(event)
    remarks = by_call.pop("", [])
    calls = []
    for call_id, its_events in by_call.items():
        lines = Lines(account, its_events, received, payload_hash)
        call = _record_one(account, call_id, lines)
        if call is not None:
            calls.append(call)
    sequence_numbers.count(account, remarks, received)
    return calls


class Lines:
    """A payload's events about one call, as lines of its ledger."""

    def __init__(
        self,
        account: ProviderAccount,
        events: Sequence[ProviderEvent],
        received: dt.datetime,
        payload_hash: str,
    ):
        self._received, self._hash = received, payload_hash
        self.events = events
        self.by_key = {f"{account.pk}:{event.key}": event for event in events}
        self.facts = [
            timeline.Event(key, event.kind, event.at, account.source, event.facts())
            for key, event in self.by_key.items()
        ]
        self.agent = ProviderIdentity.agent_of(
            account, [name for event in events for name in event.agents]
        )
        # Two conversations that turn out to be one (an attended transfer) are reported as `joined`.
        self.joined = next((str(e.data["joined"]) for e in events if e.data.get("joined")), "")
        reported = next((e.conversation for e in events if e.conversation), "")
        self.conversation = self.joined or reported

    def rows(self, call: CallLog) -> list[CallEvent]:
        """The same, unsaved, for the ledger of `call`."""
        return [
            CallEvent.of_fact(
                call,
                said,
                received_at=self._received,
                precision_ms=self.by_key[said.key].precision_ms,
                provider_event_id=self.by_key[said.key].event_id[:120],
                sequence=self.by_key[said.key].sequence,
                payload_hash=self._hash,
            )
            for said in self.facts
        ]


def _record_one(account: ProviderAccount, call_id: str, lines: Lines) -> CallLog | None:
    try:
        with transaction.atomic():
            return _write(account, call_id, lines)
    except IntegrityError:  # another process made the call at this very moment: now it is there
        with transaction.atomic():
            return _write(account, call_id, lines)


def _write(account: ProviderAccount, call_id: str, lines: Lines) -> CallLog | None:
    call = _known(account, call_id)
    if call is not None:
        call = _continue(call, lines)
        if lines.joined:
            _share(call)
        return call
    if all(event.kind == timeline.NOTED for event in lines.events):
        return None
    clicked = _adopted(account, call_id, lines)
    call = _make(account, call_id, lines) if clicked is None else _continue(clicked, lines)
    _share(call)
    return call


def _make(account: ProviderAccount, call_id: str, lines: Lines) -> CallLog:
    call = CallLog(
        user=lines.agent,
        account=account,
        provider=account.name,
        provider_call_id=call_id,
        conversation=lines.conversation or call_id,
    )
    change = Change(call)
    change.add_lines(lines.rows(call))
    _take_over(change)
    if call.user is not None and call.end_time is None:
        wrap_up.leave_wrap_ups(call.user, call.start_time)
    change.save()
    return call


def _continue(call: CallLog, lines: Lines) -> CallLog:
    """Adds what is new to the locked call's ledger."""
    found = lines.agent if call.user is None else None
    change = Change(call) if found is None else _given_to(call, found)
    call = change.call
    change.add_lines(lines.rows(call))
    if change.is_empty and found is None:
        return call
    _take_over(change)
    call.conversation = lines.joined or call.conversation
    wrap_up.begin_after_click(change)
    change.save(*_REPORTED_FIELDS)
    return call


def _known(account: ProviderAccount, call_id: str) -> CallLog | None:
    calls = CallLog.objects.select_for_update(of=("self",)).select_related("user__team", "contact")
    return calls.filter(account=account, provider_call_id=call_id).first()


def _adopted(account: ProviderAccount, call_id: str, lines: Lines) -> CallLog | None:
    """The click that asked for this call, now linked to it; None if nobody clicked."""
    number = _number(account, lines.facts)
    if lines.agent is None or not number:
        return None
    wait_for_turn(lines.agent)
    clicked = clicked_call(lines.agent, number, from_ms(min(e.at for e in lines.events)))
    if clicked is None:
        return None
    call = lock(pk=clicked.pk)
    call.user = lines.agent
    call.account, call.provider_call_id = account, call_id
    call.provider, call.conversation = account.name, lines.conversation or call_id
    return call


def _take_over(change: Change) -> None:
    """What the ledger says beyond instants: the direction, the number and so the contact."""
    call, state = change.call, change.fold()
    if state.direction:
        call.direction = state.direction
    clicked = any(event.key == timeline.STARTED for event in change.ledger)
    if state.number and not (clicked and call.contact_phone):
        call.contact_phone = state.number[:64]
        region = (call.account and call.account.region) or None
        call.phone_e164 = to_e164(state.number, region)
    if call.contact is None and call.user is not None and call.phone_e164:
        call.contact = Contact.objects.meant_by(call.user, "", call.phone_e164)


def _number(account: ProviderAccount, facts: Sequence[timeline.Event]) -> str:
    number = next((str(e.data["number"]) for e in facts if e.data.get("number")), "")
    return to_e164(number, account.region or None) or number


def _share(call: CallLog) -> None:
    """Marks the parts of a call that several agents had: teams count them once."""
    if not call.conversation:
        return
    parts = CallLog.objects.parts_of(call.account, call.conversation)
    unmarked = parts.filter(is_shared=False)
    if parts.exclude(pk=call.pk).exists() and unmarked.update(is_shared=True):
        call.is_shared = True


def assign(call: CallLog, agent: User, actor: User) -> CallLog:
    """Gives a call whose agent nobody knew to `agent`; the ledger says who did so.

    The click that asked for it, if there was one, becomes one call with it. CallConflict if the
    call has an agent.
    """
    with transaction.atomic():
        call = lock(pk=call.pk)
        if call.user_id is not None:
            raise CallConflict(_("This call has an agent already."))
        change = _given_to(call, agent)
        reported = ReportedTime(now(), source=ADMIN)
        change.add([fact(timeline.NOTED, reported, data={"assigned": agent.username})], actor=actor)
        change.save(*_REPORTED_FIELDS, alive=False)
    return change.call


def identity_of(call: CallLog) -> str:
    """How the phone system names the agent of `call`; "" where it does not."""
    events = call.events.filter(data__has_key="agent").order_by("occurred_at", "pk")
    return str((events.values_list("data", flat=True).first() or {}).get("agent", ""))


def waiting(account: ProviderAccount, identity: str) -> CallQuerySet:
    """The calls without an agent that `account` says are those of `identity`."""
    reported = CallEvent.objects.filter(call=OuterRef("pk"), data__agent=identity)
    return CallLog.objects.unassigned().filter(account=account).filter(Exists(reported))


def assign_waiting(account: ProviderAccount, identity: str, agent: User, actor: User) -> int:
    """Gives the calls that wait for `identity` to be known to `agent`; how many."""
    calls = list(waiting(account, identity))
    for call in calls:
        assign(call, agent, actor)
    return len(calls)


def _given_to(call: CallLog, agent: User) -> Change:
    """Makes the locked `call` `agent`'s, joined with the click that asked for it."""
    wait_for_turn(agent)
    call.user = agent
    clicked = clicked_call(agent, call.phone_e164 or call.contact_phone, call.start_time)
    return Change(call) if clicked is None else _joined(lock(pk=clicked.pk), call)


def _joined(clicked: CallLog, heard: CallLog) -> Change:
    """One call of two: the click's, with the provider's ledger and the provider's link."""
    rows = [
        CallEvent(
            call=clicked,
            **{
                field.attname: getattr(event, field.attname)
                for field in CallEvent._meta.concrete_fields
                if field.name not in ("id", "call")
            },
        )
        for event in heard.events.all()
    ]
    alias = heard.call_id  # its only name: a call takes another when its agent clicked for it
    values = {name: getattr(heard, name) for name in _LINK}
    heard.user = None
    heard.delete()
    for name, value in values.items():
        setattr(clicked, name, value)
    CallAlias.objects.create(alias=alias, call=clicked)
    change = Change(clicked)
    change.add_lines(rows)
    return change


def expect(call: CallLog, account: ProviderAccount, call_id: str) -> None:
    """`account` has begun to dial for `call` and will call it `call_id`.

    Nothing is left to do where its first event was quicker than its answer.
    """
    with transaction.atomic():
        call = lock(pk=call.pk)
        if call.account_id is not None or _known(account, call_id) is not None:
            return
        call.account, call.provider, call.provider_call_id = account, account.name, call_id
        call.conversation = call_id
        call.save(update_fields=["account", "provider", "provider_call_id", "conversation"])


def alive(calls: Iterable[CallLog]) -> None:
    """The phone system says that these calls go on."""
    keys = [call.pk for call in calls]
    CallLog.objects.filter(pk__in=keys).active().update(last_seen_at=now())


def silence(call: CallLog) -> int:
    """How long nobody has said anything of the running `call`, in ms."""
    return to_ms(now()) - to_ms(call.last_seen_at or call.start_time)
