"""Closes the calls that show no sign of life."""

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.db import transaction

from calls import timeline
from calls.models import CallLog, CallQuerySet
from calls.services.recording import ReportedTime, add_facts, fact
from common.instants import now

# What a phone system says of a call that it was asked about.
GOES_ON, GONE = "goes on", "gone"


def close_stale_calls(
    calls: CallQuerySet | None = None, answers: Mapping[int, str] | None = None
) -> int:
    """Closes those of `calls` (all) that show no sign of life, at the last there was; how many.

    Stale is: no heartbeat for STALE_CALL_SECONDS, or running for more than MAX_CALL_SECONDS. They
    end as DROPPED with evidence E and count in no figure until somebody confirms them. `answers`
    is what a call's phone system said when it was asked (see calls.telephony.stale_calls), by the
    call's key.
    """
    running = (CallLog.objects.all() if calls is None else calls).active()
    keys = list(running.values_list("pk", flat=True))
    return sum(_close_if_stale(pk, (answers or {}).get(pk, "")) for pk in keys)


def _close_if_stale(pk: int, answer: str) -> bool:
    with transaction.atomic():
        call = CallLog.objects.select_for_update().active().filter(pk=pk).first()
        if call is None or not _is_stale(call, now(), answer):
            return False
        alive = max(call.last_seen_at or call.start_time, call.start_time)
        data = {"status": timeline.DROPPED, "reason": "watchdog"}
        said = fact(
            timeline.ENDED,
            ReportedTime(alive, source=timeline.WATCHDOG),
            key=f"{timeline.ENDED}:{timeline.WATCHDOG}",
            data=data,
        )
        add_facts(call, [said], actor=None)
    return True


def _is_stale(call: CallLog, present: dt.datetime, answer: str) -> bool:
    """No sign of life for too long. A phone system speaks of a call's changes only, so that its
    silence means nothing before the hard limit, unless it knows of no such call."""
    if call.account_id is not None and answer:
        return answer == GONE
    if present - call.start_time > dt.timedelta(seconds=settings.MAX_CALL_SECONDS):
        return True
    silent = present - (call.last_seen_at or call.start_time)
    return call.account_id is None and silent > dt.timedelta(seconds=settings.STALE_CALL_SECONDS)
