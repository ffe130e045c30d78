"""Calls of windows that died, whose other side is ours, too, and has told its end."""

import datetime as dt
from typing import Final

from calls import timeline
from calls.models import CallLog
from calls.models.dial_links import IN_PAGE
from calls.providers.base import ProviderEvent
from calls.telephony import intake
from common.instants import now, to_ms

# A window that lives says so several times a minute; what it kept without a network comes first.
_SILENT: Final = dt.timedelta(seconds=60)


def end_silent_parts() -> int:
    """A dialogue that is over for one side is over for the other; how many ended so.

    It is an end that the window's own word, if that still comes, replaces.
    """
    silent = CallLog.objects.active().filter(account__kind=IN_PAGE, account__is_active=True)
    silent = silent.filter(last_seen_at__lt=now() - _SILENT).select_related("account")
    return sum(map(_end_as_the_other, silent))


def _end_as_the_other(call: CallLog) -> bool:
    assert call.account is not None
    others = CallLog.objects.parts_of(call.account, call.conversation).exclude(pk=call.pk)
    other = others.filter(end_time__isnull=False).order_by("end_time").last()
    if other is None or other.end_time is None:
        return False
    end = ProviderEvent(
        timeline.ENDED,
        call.provider_call_id,
        to_ms(max(other.end_time, call.start_time)),
        conversation=call.conversation,
        leg="other side",
        data={"status": other.status, "provisional": True},
    )
    intake.record(call.account, [end], received=now())
    return True
