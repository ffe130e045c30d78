"""How a change of a call is written down: lock, add events to the ledger, fold, save.

Used by calls.services and calls.telephony.intake, the only writers of a call.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from calls import timeline
from calls.errors import CallNotFound
from calls.models import CallEvent, CallLog
from common.instants import now, to_ms


@dataclass(frozen=True)
class ReportedTime:
    """When something happened, as settled between the teller's clock and ours."""

    at: dt.datetime
    offline: bool = False
    explicit: bool = False


def lock(**which: Any) -> CallLog:
    try:
        return CallLog.objects.select_for_update().get(**which)
    except CallLog.DoesNotExist as error:
        raise CallNotFound(_("There is no such call among yours.")) from error


def fact(
    kind: str,
    told: ReportedTime,
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


def record(
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
