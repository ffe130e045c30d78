"""Changes of many calls in one transaction, such as a phone system's records bring.

What single changes do one by one (services.recording) is done in few statements, and the sums
follow once for all of them. People are not told call by call: who brings so many tells once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from calls import signals
from calls.models import CallEvent, CallLog
from calls.services.recording import Change


def locked(keys: Iterable[int]) -> dict[int, CallLog]:
    """The calls of these keys that are still there, locked in the order of their keys."""
    calls = CallLog.objects.select_for_update().filter(pk__in=set(keys)).order_by("pk")
    return {call.pk: call for call in calls}


def ledgers(keys: Iterable[int]) -> Mapping[int, list[CallEvent]]:
    """The lines of these calls, each call's as the fold may read them."""
    found: dict[int, list[CallEvent]] = defaultdict(list)
    lines: QuerySet[CallEvent] = CallEvent.objects.filter(call__in=set(keys)).order_by()
    for line in lines:
        found[line.call_id].append(line)
    return found


def save_all(changes: Sequence[Change], *, fields: Mapping[int, set[str]]) -> None:
    """Writes the changes of locked calls, within a transaction. `fields`: those that the caller
    has set, by the key of the call. An end that nobody had told is told as ever."""
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
