"""Makes the anchors: each night, of the heads of all ledgers that grew.

A transaction that lasts long commits lines whose keys are smaller than those of others that an
anchor has seen. So each anchor looks again at all lines since the one before the last, and leaves
out the calls whose head the last one has already.
"""

import datetime as dt
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max

from calls.models import Anchor, AnchorPart, CallEvent, CallLog, Tombstone
from calls.models.anchor import AnchoredHead, seal
from calls.proof import anchor_file
from common.instants import now, today

_HEAD: Final = ("call_id", "place", "hash")
PART: Final = 1000  # heads
# What no fold tells of a call: whose it is, and by which names it is known.
SEALED: Final = ("user_id", "call_id", "direction", "provider", "provider_call_id")


def make_anchor(day: dt.date | None = None) -> Anchor | None:
    """The anchor up to the end of `day`, yesterday; None where it is there already."""
    day = day or today() - dt.timedelta(days=1)
    anchor_file.catch_up()
    last, before = [*Anchor.objects.order_by("-day")[:2], None, None][:2]
    if last is not None and last.day >= day:
        return None
    ends = _last_keys()
    parts = list(_parts(last, before))
    anchor = Anchor(
        day=day,
        made_at=now(),
        calls=sum(part.calls for part in parts),
        lines=sum(part.lines for part in parts),
        previous="" if last is None else last.root,
        **ends,
    )
    anchor.root = anchor.right_root(part.digest() for part in parts)
    try:
        with transaction.atomic():
            anchor.save(force_insert=True)
            for part in parts:
                part.anchor = anchor
            AnchorPart.objects.bulk_create(parts, batch_size=20)
    except IntegrityError:  # another worker has made it
        return None
    anchor_file.catch_up()
    return anchor


def _last_keys() -> dict[str, int]:
    """The largest keys there are. Asked before the heads: what comes meanwhile is seen again."""
    return {
        name: model.objects.aggregate(last=Max("pk"))["last"] or 0
        for name, model in (("last_line", CallEvent), ("last_tombstone", Tombstone))
    }


def _parts(last: Anchor | None, before: Anchor | None) -> Iterator[AnchorPart]:
    """The heads of all that grew since `before`, but for those that `last` has."""
    heads: list[AnchoredHead] = []
    for block in in_blocks(_grown(before)):
        known = set(heads_of(block, last)) if last else set()
        heads += [head for head in _heads(block, before) if head not in known]
        while len(heads) >= PART:
            yield AnchorPart.of(heads[:PART])
            del heads[:PART]
    if heads:
        yield AnchorPart.of(heads)


def _grown(before: Anchor | None) -> "array[int]":
    """The keys of the calls with new lines or tombstones since that anchor, in order."""
    lines = CallEvent.objects.filter(pk__gt=before.last_line if before else 0)
    stones = Tombstone.objects.filter(pk__gt=before.last_tombstone if before else 0)
    keys = array("q", lines.order_by().values_list("call_id", flat=True).distinct().iterator())
    keys.extend(stones.order_by().values_list("call", flat=True).distinct().iterator())
    return array("q", sorted(set(keys)))


def in_blocks(keys: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), PART):
        yield list(keys[start : start + PART])


def _heads(calls: list[int], before: Anchor | None) -> list[AnchoredHead]:
    """The present heads of those calls, and the tombstones since `before`; in order."""
    lines = CallEvent.objects.filter(call__in=calls).order_by("call_id", "place", "pk")
    last = {call: (place, line) for call, place, line in lines.values_list(*_HEAD)}
    seals = seals_of(calls)
    heads = [
        AnchoredHead(call, place, line, seals[call])
        for call, (place, line) in last.items()
        if call in seals and line
    ]
    stones = Tombstone.objects.filter(call__in=calls)
    stones = stones.filter(pk__gt=before.last_tombstone if before else 0)
    heads += [AnchoredHead(s.call, 0, s.hash, "0" * 32) for s in stones.order_by("pk")]
    return sorted(heads)


def seals_of(calls: list[int]) -> dict[int, str]:
    """Of those calls that are there, by their keys."""
    rows: Any = CallLog.objects.filter(pk__in=calls).order_by().values_list("pk", *SEALED)
    return {pk: seal(values) for pk, *values in rows}


def heads_of(calls: list[int], *anchors: Anchor) -> Iterator[AnchoredHead]:
    """What these anchors hold of those calls, which are in order."""
    wanted = set(calls)
    parts = AnchorPart.objects.filter(anchor__in=anchors, first_call__lte=calls[-1])
    for part in parts.filter(last_call__gte=calls[0]).order_by("first_call", "pk"):
        yield from (head for head in part.unpacked() if head.call in wanted)


def anchored_heads(call: int) -> list[tuple[Anchor, AnchoredHead]]:
    """Where the anchors saw the ledger of that call, in the order of their days."""
    parts = AnchorPart.objects.filter(first_call__lte=call, last_call__gte=call)
    return [
        (part.anchor, head)
        for part in parts.select_related("anchor").order_by("anchor__day")
        for head in part.unpacked()
        if head.call == call and head.lines
    ]
