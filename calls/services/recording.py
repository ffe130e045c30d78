"""How a change of a call is written, by everybody: add to the ledger, fold, save, announce.

Used by calls.services and calls.telephony, the only writers of a call.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any, Final

from django.dispatch import Signal
from django.utils.translation import gettext as _

from accounts.models import User
from calls import signals, timeline
from calls.errors import CallNotFound
from calls.models import CallEvent, CallLog
from common.databases.prepared_sql import A_NUMBER, A_UUID, Prepared
from common.instants import now, to_ms

# By whose door something is reported: a page, a program with a key, somebody on another's behalf.
AGENT: Final = "agent"
CLIENT: Final = "client"
ADMIN: Final = "admin"


@dataclass(frozen=True)
class ReportedTime:
    """When something happened, as settled between the reporter's clock and ours; who says so.

    Under its `name`, if it has one, a fact is known when it is reported again, whatever instant is
    settled then.
    """

    at: dt.datetime
    offline: bool = False
    explicit: bool = False
    source: str = AGENT
    name: str = ""


def lock(**which: Any) -> CallLog:
    """The locked call. CallNotFound if there is none.

    Who locks several does so in this order, or two could wait for each other: a call that has no
    agent, its agent's turn (services.matching), calls that have one, the sums of their people.
    """
    try:
        return CallLog.objects.select_for_update().get(**which)
    except CallLog.DoesNotExist as error:
        raise CallNotFound(_("There is no such call among yours.")) from error


def lock_again(call: CallLog) -> CallLog:
    """Locks a call that was read before. If it became one with its click meanwhile, that one."""
    known = CallLog.objects.select_for_update().filter(pk=call.pk).first()
    return known or lock(aliases__alias=call.call_id)


def lock_own(call_id: uuid.UUID, user: User) -> CallLog:
    """Locks `user`'s own call of this id. CallNotFound if there is none."""
    call = next(iter(_OWN_LOCKED.found(user.pk, call_id)), None)
    if call is None:
        own = CallLog.objects.select_for_update().filter(user=user)
        call = own.filter(aliases__alias=call_id).first()
    if call is None:
        raise CallNotFound(_("There is no such call among yours."))
    call.user = user  # spares whoever listens a query
    return call


_OWN_LOCKED = Prepared(
    lambda: CallLog.objects.select_for_update().filter(user=A_NUMBER, call_id=A_UUID).order_by(),
    A_NUMBER,
    A_UUID,
)


def voice_of(actor: User, call: CallLog) -> str:
    return AGENT if actor.pk == call.user_id else ADMIN


def fact(
    kind: str, reported: ReportedTime, *, key: str = "", data: Mapping[str, Any] | None = None
) -> timeline.Event:
    at = to_ms(reported.at)
    said = dict(data or {})
    if reported.offline:
        said["offline"] = True
    return timeline.Event(
        key=key or f"{kind}:{reported.name or at}",
        kind=kind,
        at=at,
        source=reported.source,
        data=said,
    )


class Change:
    """What is about to be written of one call, which is locked, or new and not saved yet."""

    def __init__(self, call: CallLog, ledger: list[timeline.Event] | None = None):
        """`ledger`: that of a stored call, where it has been read."""
        self.call = call
        self.lay = (call.user_id, call.start_time)  # with whom, and when, before
        if ledger is None:
            ledger = [] if call.pk is None else CallEvent.facts_of(call)
        self.ledger = ledger
        self._known = {event.key for event in self.ledger}
        self._last = max((event.number for event in self.ledger), default=0)
        self._lines: list[CallEvent] = []
        self._changed: set[str] = set()
        self._was_certain = _certainty_of_end(call)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was added that the ledger does not have."""
        return not self._lines

    @property
    def ends(self) -> bool:
        """Whether this ends the call, or tells the end of one whose end was only estimated."""
        return _certainty_of_end(self.call) > self._was_certain

    @property
    def written(self) -> tuple[list[CallEvent], set[str]]:
        """The new lines, unsaved, and the names of the call's fields that the fold has changed."""
        return self._lines, self._changed

    def knows(self, key: str) -> bool:
        """Whether the ledger has a line of this key."""
        return key in self._known

    def unused(self, key: str) -> str:
        """`key`, or one like it if the ledger has that."""
        keys = chain([key], (f"{key}:{place}" for place in count(2)))
        return next(one for one in keys if one not in self._known)

    def add(
        self,
        facts: Iterable[timeline.Event],
        *,
        actor: User | None = None,
        received: dt.datetime | None = None,
    ) -> None:
        """Facts whose key the ledger has are there already: repeating them changes nothing."""
        received = received or now()
        self.add_lines(
            CallEvent.of_fact(self.call, fact, received_at=received, actor=actor) for fact in facts
        )

    def say(self, said: timeline.Event, *, actor: User | None) -> None:
        """Adds what `actor` says just now: no repetition of what was said in the same millisecond,
        of which its key is made."""
        self.add([replace(said, key=self.unused(said.key))], actor=actor)

    def add_lines(self, lines: Iterable[CallEvent]) -> None:
        """The same for unsaved lines, which say more than a fact: how it was heard of."""
        for line in lines:
            if line.key not in self._known:
                self._known.add(line.key)
                self._lines.append(line)
                self.ledger.append(self._numbered(line.as_fact()))

    def _numbered(self, said: timeline.Event) -> timeline.Event:
        """`said` with its place behind those before it, as its line will have it."""
        self._last = max(self._last + 1, said.number)
        return said if said.number else replace(said, number=self._last)

    def fold(self) -> timeline.CallState:
        """What the ledger now proves; `call` takes it over."""
        state = timeline.fold(self.ledger)
        self._changed.update(self.call.apply(state))
        return state

    def save(self, *fields: str, alive: bool = True) -> set[str]:
        """Writes it all down and announces it; the names of the call's fields that changed.

        `fields`: those that the caller has set. `alive`: new lines show that the call goes on.
        """
        self.fold()
        call, is_new = self.call, self.call.pk is None
        changed = self._changed.union(fields)
        if alive and self._lines and call.end_time is None:
            call.last_seen_at = now()
            changed.add("last_seen_at")
        if is_new:
            call.save(force_insert=True)
        CallEvent.insert(self._lines)
        if changed and not is_new:
            call.save(update_fields=changed)
        if is_new or changed or self._lines:  # who looks at a call sees its ledger, too
            self._signal(is_new).send(CallLog, call=call)
        return changed

    def _signal(self, is_new: bool) -> Signal:
        if self.ends:
            return signals.call_ended
        return signals.call_started if is_new else signals.call_changed


def _certainty_of_end(call: CallLog) -> int:
    """0 while the call runs, 1 for an estimated end, 2 where somebody reported it."""
    if call.end_time is None:
        return 0
    return 1 if call.ended_by == timeline.WATCHDOG else 2


def add_facts(
    call: CallLog, facts: Iterable[timeline.Event], *, actor: User | None, alive: bool = True
) -> None:
    """Adds `facts` to the locked call's ledger and saves what all its events fold to."""
    change = Change(call)
    change.add(facts, actor=actor)
    change.save(alive=alive)


def add_word(call: CallLog, said: timeline.Event, *, actor: User) -> None:
    """The same for what `actor` says just now: see Change.say."""
    change = Change(call)
    change.say(said, actor=actor)
    change.save()


def save_all(changes: Sequence[Change], *, fields: Mapping[int, set[str]]) -> None:
    """Writes the changes of many locked calls, within a transaction: what Change.save does one by
    one, in few statements. The sums follow once for all of them, and people are not told call by
    call: who brings so many tells once. An end that nobody had told is told as ever.

    `fields`: those that the caller has set, by the key of the call.
    """
    many = []
    for change in changes:
        change.fold()
        if change.ends:
            change.save(*fields.get(change.call.pk, ()), alive=False)
        else:
            many.append(change)
    CallEvent.insert(line for change in many for line in change.written[0])
    changed: dict[frozenset[str], list[CallLog]] = defaultdict(list)
    for change in many:
        changed[frozenset(change.written[1] | fields.get(change.call.pk, set()))].append(
            change.call
        )
    for names, calls in changed.items():
        _update(calls, sorted(names))
    lain = {lay for one in many for lay in (one.lay, (one.call.user_id, one.call.start_time))}
    signals.calls_rewritten.send(CallLog, lain={lay for lay in lain if lay[0] is not None})


def _update(calls: Sequence[CallLog], names: Sequence[str]) -> None:
    """One statement for the calls that get the same values, as most that are confirmed do."""
    if not names:
        return
    same: dict[tuple[Any, ...], list[CallLog]] = defaultdict(list)
    for call in calls:
        same[tuple(getattr(call, name) for name in names)].append(call)
    if len(same) > len(calls) // 4:
        CallLog.rewrite(calls, names)
        return
    for values, alike in same.items():
        keys = [call.pk for call in alike]
        CallLog.objects.filter(pk__in=keys).update(**dict(zip(names, values, strict=True)))
