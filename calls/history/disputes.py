"""Disputes with the sentences of both sides, which are lines of their calls' ledgers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef

from accounts.models import User
from calls.models import CallDispute, CallEvent, CallLog, CallQuerySet, Reader
from calls.models.dispute import DisputeQuerySet


@dataclass(frozen=True)
class ToldDispute:
    """A dispute, what the agent said, and what was said of it; "" where that was removed."""

    dispute: CallDispute
    said: str
    answer: str


def disputes_of(call: CallLog, ledger: list[CallEvent]) -> list[ToldDispute]:
    """What was disputed of `call`, the newest first. Most ledgers say that it is nothing."""
    if not any("dispute" in line.data for line in ledger):
        return []
    return _told(call.disputes.with_people(), ledger)


def _told(disputes: Iterable[CallDispute], lines: Iterable[CallEvent]) -> list[ToldDispute]:
    """`disputes` with their sentences, of which `lines` are the ledger or a part of it."""
    words: dict[tuple[Any, Any], str] = {}
    for line in lines:
        about = line.data.get("dispute")
        if isinstance(about, Mapping):
            key = about.get("number"), about.get("state")
            words[key] = str(line.data.get("said", ""))
    return [
        ToldDispute(
            one,
            words.get((one.pk, CallDispute.OPEN), ""),
            "" if one.is_open else words.get((one.pk, one.state), ""),
        )
        for one in disputes
    ]


def told_to(viewer: User, disputes: DisputeQuerySet, most: int) -> list[ToldDispute]:
    """The first `most` of `disputes`, with all that a list of them shows."""
    found = list(disputes.select_related("call__user__team", "call__contact", "decided_by")[:most])
    keys = [f"dispute:{one.pk}:{state}" for one in found for state, _words in one.STATES]
    lines = CallEvent.objects.filter(call__in={one.call_id for one in found}, key__in=keys)
    return _told(found, lines.read_by(Reader(viewer)))


def marked(calls: CallQuerySet) -> CallQuerySet:
    """`calls`, each of which says whether it `is_disputed` now."""
    open_ones = CallDispute.objects.open().filter(call=OuterRef("pk")).order_by()
    found: CallQuerySet = calls.annotate(is_disputed=Exists(open_ones))
    return found
