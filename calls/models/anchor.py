"""Anchors of the ledger: where every call's ledger stood at the end of a day.

Who can write into the database can also make a call's chain of hashes anew. What they cannot make
anew is an anchor that was noted elsewhere: the root of a day holds the head of every ledger that
grew, and the root of the day before.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.timeline import chain

_RECORD: Final = struct.Struct(">QI32s16s")


class AnchoredHead(NamedTuple):
    """How far a call's ledger had come: lines, the hash of the last, and a seal of what its row
    says beyond the fold. Without lines it is the hash of a tombstone of the call."""

    call: int
    lines: int
    hash: str
    seal: str = ""


class Anchor(models.Model):
    """The heads of all calls whose ledgers grew since the anchor before, and their root."""

    day = models.DateField(_("day"), unique=True)  # the last local day that was over
    made_at = models.DateTimeField(_("made"))
    calls = models.PositiveIntegerField(_("calls"))
    lines = models.PositiveBigIntegerField(_("lines"))  # of these calls
    # The largest keys there were, of lines and of tombstones: later ones are the next anchor's.
    last_line = models.BigIntegerField()
    last_tombstone = models.BigIntegerField()
    previous = models.CharField(max_length=64, blank=True)  # the root before
    root = models.CharField(_("root"), max_length=64)

    class Meta:
        verbose_name = _("anchor")
        verbose_name_plural = _("anchors")
        ordering = ["-day"]

    def __str__(self) -> str:
        return self.as_line()

    def as_line(self) -> str:
        """As the file of anchors has it: day, calls, lines, root."""
        return f"{self.day} {self.calls} {self.lines} {self.root}"

    def right_root(self, parts: Iterable[str]) -> str:
        """The root over what it says, and over `parts`, the digests of its heads."""
        said = [str(self.day), self.calls, self.last_line, self.last_tombstone]
        return chain.line_hash(self.previous, self.lines, said, list(parts), "")


class AnchorPart(models.Model):
    """Some heads of an anchor, in the order of their calls, so that no row is too large."""

    anchor = models.ForeignKey(Anchor, related_name="parts", on_delete=models.CASCADE)
    first_call = models.BigIntegerField(db_index=True)
    last_call = models.BigIntegerField()
    heads = models.BinaryField()

    class Meta:
        ordering = ["first_call", "pk"]

    def __str__(self) -> str:
        return f"{self.anchor_id}: {self.first_call}–{self.last_call}"

    @classmethod
    def of(cls, heads: list[AnchoredHead]) -> "AnchorPart":
        packed = b"".join(
            _RECORD.pack(h.call, h.lines, bytes.fromhex(h.hash), bytes.fromhex(h.seal))
            for h in heads
        )
        return cls(
            first_call=heads[0].call, last_call=heads[-1].call, heads=zlib.compress(packed, 1)
        )

    @property
    def calls(self) -> int:
        return sum(1 for head in self.unpacked() if head.lines)

    @property
    def lines(self) -> int:
        return sum(head.lines for head in self.unpacked())

    def digest(self) -> str:
        """Of its heads; ValueError where they are damaged."""
        return hashlib.sha256(self._packed()).hexdigest()

    def _packed(self) -> bytes:
        try:
            return zlib.decompress(bytes(self.heads))
        except zlib.error as error:
            raise ValueError from error

    def unpacked(self) -> Iterator[AnchoredHead]:
        """Its heads, in the order of their calls; ValueError where they are damaged."""
        try:
            for call, lines, line, seal in _RECORD.iter_unpack(self._packed()):
                yield AnchoredHead(call, lines, line.hex(), seal.hex())
        except struct.error as error:
            raise ValueError from error


def seal(values: Iterable[Any]) -> str:
    """What stands for the columns of a call's row that no fold tells: whose it is, and which."""
    return hashlib.sha256(chain.canonical([str(value) for value in values]).encode()).hexdigest()[
        :32
    ]
