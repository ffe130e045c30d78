"""Many calls, locked and read at once, to be changed in one transaction by recording.save_all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from calls.models import CallEvent, CallLog


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
