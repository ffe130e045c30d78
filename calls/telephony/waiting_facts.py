"""Facts of phones that ring among several, kept until it is known which of them has the call.

A fact and a call are each committed before the one who did so looks for the other, so of two
processes at once at least the later one sees both.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Final

from django.conf import settings

from calls import timeline
from calls.models import ProviderAccount, WaitingFact
from calls.providers.base import ProviderEvent
from calls.telephony.lines import Lines
from common.instants import now

_KEPT_FOR: Final = dt.timedelta(days=7)


def keep(account: ProviderAccount, call_id: str, lines: Lines) -> None:
    """Keeps what `lines` say of a call that is nobody's yet."""
    WaitingFact.objects.bulk_create(
        [
            WaitingFact(
                account=account,
                call=call_id,
                key=event.key,
                fact=asdict(event),
                received_at=lines.received,
                payload_hash=lines.payload_hash,
            )
            for event in lines.events
        ],
        ignore_conflicts=True,
    )


def of_call(account: ProviderAccount, call_id: str) -> list[WaitingFact]:
    """What is kept of a call."""
    rows = WaitingFact.objects.filter(account=account, call=call_id)
    return list(rows.order_by("pk"))


def by_message(account: ProviderAccount, kept: Sequence[WaitingFact]) -> Iterator[Lines]:
    """What is kept, as the messages said it that brought it."""
    found: dict[tuple[dt.datetime, str], list[ProviderEvent]] = {}
    for row in kept:
        found.setdefault((row.received_at, row.payload_hash), []).append(_event(row))
    for (received, payload_hash), events in found.items():
        yield Lines(account, events, received, payload_hash)


def forget(kept: Sequence[WaitingFact]) -> None:
    """To be called once the ledger has them."""
    WaitingFact.objects.filter(pk__in=[row.pk for row in kept]).delete()


def overdue() -> list[tuple[list[WaitingFact], list[ProviderEvent]]]:
    """What is kept of the calls that somebody answered and whose end nobody told for longer than a
    call may last, and what it says: it waits no longer. What has waited for a week is deleted."""
    present = now()
    WaitingFact.objects.filter(received_at__lt=present - _KEPT_FOR).delete()
    late = present - dt.timedelta(seconds=settings.MAX_CALL_SECONDS)
    found: dict[tuple[int, str], list[WaitingFact]] = {}
    rows = WaitingFact.objects.filter(received_at__lt=late).select_related("account")
    for row in rows.order_by("pk"):
        found.setdefault((row.account_id, row.call), []).append(row)
    return [
        (rows, [replace(_event(row), tentative=False) for row in rows])
        for rows in found.values()
        if _was_answered({row.fact["kind"] for row in rows})
    ]


def _was_answered(kinds: set[str]) -> bool:
    return timeline.ANSWERED in kinds and timeline.ENDED not in kinds


def _event(row: WaitingFact) -> ProviderEvent:
    return ProviderEvent(**{**row.fact, "agents": tuple(row.fact["agents"])})
