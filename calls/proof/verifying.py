"""Verifies the ledger: every chain, every anchor, every tombstone, and what is folded of it.

It reads some calls at a time and holds no lock meanwhile, so somebody may write between two reads.
What looks wrong is therefore looked at again with the call locked; only what is wrong then counts.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from calls import timeline
from calls.models import Anchor, AnchorPart, CallEvent, CallLog, CallQuerySet, Tombstone
from calls.models.anchor import AnchoredHead
from calls.models.event import HASHED
from calls.models.rows import AsStored
from calls.proof import anchor_file, chains, disputed
from calls.proof.anchoring import in_blocks, seals_of
from calls.proof.chains import Line, instant_ms

_INSTANTS: Final = ("occurred_at", "received_at")
_COLUMNS: Final = (
    "pk",
    *(AsStored(name) if name in _INSTANTS else name for name in HASHED),
    *("data", "place", "hash", "salt", "commitment"),
)
Say = Callable[[int, int], None]


@dataclass(frozen=True)
class Fault:
    """What was done behind the program's back; `call` is its id, "" where it is about none.

    `values` are what stands there and what should: not for everybody who may see the call.
    """

    what: str
    call: str = ""
    values: str = ""

    def __str__(self) -> str:
        said = f"{self.what} {self.values}".strip()
        return f"call {self.call}: {said}" if self.call else said


@dataclass
class Verification:
    """A run: which `calls` (None: all) and `anchors`, and how many it has seen. `folds`: whether
    the calls are folded anew, too."""

    calls: CallQuerySet | None = None
    anchors: list[Anchor] = field(default_factory=list)
    folds: bool = True
    say: Say = lambda done, total: None
    seen: int = 0
    lines: int = 0

    def faults(self) -> Iterator[Fault]:
        """All that is wrong, one by one."""
        yield from map(Fault, wrong_anchors(self.anchors))
        yield from self._gone()
        if self.calls is None:
            yield from _orphans()
        calls = CallLog.objects.all() if self.calls is None else self.calls
        keys = array("q", calls.order_by("pk").values_list("pk", flat=True).iterator())
        for block in in_blocks(keys):
            yield from self._of_calls(block)
            self.seen += len(block)
            self.say(self.seen, len(keys))

    def _gone(self) -> Iterator[Fault]:
        """Anchored calls that are not there and have no tombstone; tombstones that are not."""
        if self.calls is not None and not self.anchors:
            return
        said: set[int] = set()
        parts = AnchorPart.objects.filter(anchor__in=self.anchors).order_by("first_call", "pk")
        for part in parts.iterator(chunk_size=10):
            heads = _heads_in(part)
            there = _there([head.call for head in heads])
            stones = _tombstones([head.call for head in heads])
            for head in heads:
                fault = _missing(head, head.call in there, stones[head.call])
                if fault and head.call not in said:
                    said.add(head.call)
                    yield Fault(f"{fault} (its key: {head.call})")

    def _of_calls(self, block: list[int]) -> Iterator[Fault]:
        read = _Read.of(block, self.folds)
        self.lines += sum(map(len, read.lines.values()))
        for key in block:
            if read.is_suspect(key):
                yield from _look_again(key, self.folds)


def wrong_anchors(anchors: list[Anchor]) -> Iterator[str]:
    """What is wrong with the anchors, in the order of their days, and their roots."""
    all_anchors = list(Anchor.objects.order_by("day"))
    before = {b.pk: a.root for a, b in pairwise(all_anchors)}
    for anchor in anchors:
        if anchor.previous != before.get(anchor.pk, ""):
            yield f"the anchor of {anchor.day} does not follow the one before it"
        try:
            parts = anchor.parts.order_by("first_call", "pk").iterator(chunk_size=10)
            root = anchor.right_root(part.digest() for part in parts)
        except ValueError:
            root = ""
        if root != anchor.root:
            yield f"the anchor of {anchor.day} was changed: its root is not that of its heads"


def wrong_file(file: Path | None = None) -> Iterator[str]:
    """What the file of anchors, or a copy of it, says otherwise than the database."""
    yield from anchor_file.differing(Anchor.objects.order_by("day"), file)


def _heads_in(part: AnchorPart) -> list[AnchoredHead]:
    try:
        return list(part.unpacked())
    except ValueError:  # the root says so
        return []


def _there(calls: list[int]) -> set[int]:
    return set(CallLog.objects.filter(pk__in=calls).order_by().values_list("pk", flat=True))


def _tombstones(calls: list[int]) -> defaultdict[int, list[Tombstone]]:
    found: defaultdict[int, list[Tombstone]] = defaultdict(list)
    for stone in Tombstone.objects.filter(call__in=calls):
        found[stone.call].append(stone)
    return found


def _missing(head: AnchoredHead, is_there: bool, stones: list[Tombstone]) -> str:
    """What is wrong where an anchor has `head`; "" if nothing is, or its call tells."""
    if any(stone.right_hash() != stone.hash for stone in stones):
        return "the tombstone of a call was changed"
    if not head.lines and all(stone.hash != head.hash for stone in stones):
        return "the tombstone of a call is gone"
    if not is_there and all(stone.why == Tombstone.BLANKED for stone in stones):
        return f"a call with {head.lines} lines was deleted, and nobody deleted it here"
    return ""


def _orphans() -> Iterator[Fault]:
    """Ledgers whose call is gone."""
    lines = CallEvent.objects.exclude(Exists(CallLog.objects.filter(pk=OuterRef("call"))))
    for key in lines.order_by("call_id").values_list("call_id", flat=True).distinct():
        yield Fault(f"a call was deleted without its ledger, and nobody deleted it (key: {key})")


@dataclass(frozen=True)
class _Read:
    """What was read of some calls; `rows` only where they are to be folded."""

    lines: dict[int, list[Line]]
    heads: dict[int, list[AnchoredHead]]
    seals: dict[int, str]
    blanked: set[int]
    disputes: dict[int, list[disputed.Dispute]]
    rows: dict[int, CallLog] | None

    @classmethod
    def of(cls, calls: list[int], folds: bool) -> "_Read":
        lines: defaultdict[int, list[Line]] = defaultdict(list)
        for row in CallEvent.objects.filter(call__in=calls).order_by("pk").values_list(*_COLUMNS):
            lines[row[1]].append(Line(*row))
        heads: defaultdict[int, list[AnchoredHead]] = defaultdict(list)
        for head in _anchored(calls):
            heads[head.call].append(head)
        blanked = Tombstone.objects.filter(call__in=calls, why=Tombstone.BLANKED)
        rows = {row.pk: row for row in CallLog.objects.filter(pk__in=calls)} if folds else None
        said = set(blanked.values_list("call", flat=True))
        return cls(lines, heads, seals_of(calls), said, disputed.of_calls(calls), rows)

    def is_suspect(self, call: int) -> bool:
        lines = self.lines.get(call, [])
        if not lines or not chains.is_whole(lines):
            return True
        if any(True for _fault in self.anchor_faults(call)) or self.is_stripped(call):
            return True
        if any(True for _fault in disputed.faults(self.disputes.get(call, []), lines)):
            return True
        return self.rows is not None and bool(self.fold_faults(call))

    def faults(self, call: int) -> Iterator[Fault]:
        """What is wrong with a call that is there."""
        yield from map(Fault, chains.faults(self.lines.get(call, [])))
        yield from map(Fault, self.anchor_faults(call))
        if self.is_stripped(call):
            yield Fault("its texts were blanked, and nobody removed them here")
        disputes, lines = self.disputes.get(call, []), self.lines.get(call, [])
        yield from map(Fault, disputed.faults(disputes, lines))
        if self.rows is not None:
            yield from self.fold_faults(call)

    def is_stripped(self, call: int) -> bool:
        """Whether texts are blank that nobody has blanked."""
        is_blank = any(line.commitment and not line.salt for line in self.lines.get(call, []))
        return is_blank and call not in self.blanked

    def anchor_faults(self, call: int) -> Iterator[str]:
        lines = self.lines.get(call, [])
        hashes = {line.place: line.hash for line in lines}
        for head in self.heads.get(call, []):
            if head.lines > len(lines):
                gone = f"an anchor has {head.lines} lines of it, and there are {len(lines)}"
                yield f"lines were removed: {gone}"
            elif hashes.get(head.lines) != head.hash:
                yield f"its ledger was written anew: line {head.lines} is not the anchored one"
        newest = max(self.heads.get(call, []), default=None)
        if newest and newest.lines == len(lines) and newest.seal != self.seals.get(call):
            yield "its row was changed: whose call it is, its id, direction or provider"

    def fold_faults(self, call: int) -> list[Fault]:
        """What the row says otherwise than its ledger."""
        assert self.rows is not None
        row, lines = self.rows.get(call), self.lines.get(call, [])
        if row is None:
            return []
        if not lines:
            return [Fault("it has no ledger")]
        stored = {name: getattr(row, name) for name in _FOLDED}
        try:
            changed = row.apply(
                timeline.fold(line.as_fact(instant_ms(line.occurred)) for line in lines)
            )
        except Exception as error:  # whatever was written there
            return [Fault("its ledger cannot be folded:", values=str(error))]
        found = [_differs(name, stored[name], getattr(row, name)) for name in changed]
        return found + list(_wrong_agent(row, lines))


_FOLDED: Final = [f.attname for f in CallLog._meta.concrete_fields]


def _differs(name: str, stored: Any, right: Any) -> Fault:
    """In words, without what may be about people: faults are kept and shown."""
    if name == "notes":
        return Fault("its row was changed: its notes are not those of its ledger")
    values = f"is {stored}, its ledger says {right}"
    return Fault(f"its row was changed: {name}", values=values)


def _wrong_agent(row: CallLog, lines: list[Line]) -> Iterator[Fault]:
    """Who clicked is whose call it is."""
    for line in lines:
        if line.key == timeline.STARTED and line.actor not in (None, row.user_id):
            whose = f"the agent is {row.user_id}, and {line.actor} began the call"
            yield Fault(f"its row was changed: {whose}")


def _anchored(calls: list[int]) -> Iterator[AnchoredHead]:
    """The heads of those calls, which are in order, in all anchors; tombstones left out."""
    wanted = set(calls)
    parts = AnchorPart.objects.filter(first_call__lte=calls[-1], last_call__gte=calls[0])
    for part in parts.order_by("first_call", "pk"):
        yield from (h for h in _heads_in(part) if h.lines and h.call in wanted)


def _look_again(call: int, folds: bool) -> Iterator[Fault]:
    """What is wrong with the call while nobody can write it."""
    with transaction.atomic():
        row: Any = CallLog.objects.select_for_update(of=("self",)).filter(pk=call).first()
        found = [] if row is None else list(_Read.of([call], folds).faults(call))
    yield from (replace(fault, call=str(row.call_id)) for fault in found)
