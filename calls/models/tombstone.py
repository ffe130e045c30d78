"""What is left of a call that was deleted, or of texts that were blanked, on purpose."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.timeline import chain
from common.instants import isoformat, now

if TYPE_CHECKING:
    from accounts.models import User

_BATCH = 1000


class Tombstone(models.Model):
    """Who took a call away, or blanked texts in its ledger, when and why. Append-only, as the
    ledger is: so what goes on purpose is told apart from what vanishes."""

    DELETED, JOINED, UNDONE, TRIAL, BLANKED = "deleted", "joined", "undone", "trial", "blanked"
    REASONS = [
        (DELETED, _("deleted")),
        (JOINED, _("became one with another call")),
        (UNDONE, _("its import was taken back")),
        (TRIAL, _("was a trial of a phone system")),
        (BLANKED, _("personal data removed")),
    ]

    call = models.BigIntegerField(_("call"), db_index=True)  # its key
    call_id = models.UUIDField(_("call"))
    lines = models.PositiveIntegerField(_("lines"))
    head = models.CharField(max_length=64, blank=True)  # the hash of the last of them
    at = models.DateTimeField(_("when"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    why = models.CharField(_("reason"), max_length=10, choices=REASONS)
    into = models.BigIntegerField(null=True, blank=True)  # the call that has its lines now
    hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("deleted call")
        verbose_name_plural = _("deleted calls")

    def __str__(self) -> str:
        return f"{self.call_id} {self.why}"

    def right_hash(self) -> str:
        """The hash of what it says."""
        said = [str(self.call_id), self.head, isoformat(self.at), self.actor_id, self.why]
        return chain.line_hash(chain.first_link(self.call), self.lines, said, self.into, "")

    @classmethod
    def lay(
        cls, calls: Any, why: str, *, actor: "User | None" = None, into: int | None = None
    ) -> None:
        """One for each of the locked `calls`, a query set; within their transaction."""
        heads = _heads(calls)
        while part := list(islice(heads, _BATCH)):
            stones = [Tombstone(**head, at=now(), actor=actor, why=why, into=into) for head in part]
            for stone in stones:
                stone.hash = stone.right_hash()
            Tombstone.objects.bulk_create(stones)


def _heads(calls: Any) -> Iterator[dict[str, Any]]:
    """The last line of each."""
    rows = calls.order_by("pk", "events__place", "events__pk")
    last: dict[str, Any] = {}
    columns = ("pk", "call_id", "events__place", "events__hash")
    for pk, call_id, place, line in rows.values_list(*columns).iterator():
        if last and last["call"] != pk:
            yield last
        last = {"call": pk, "call_id": call_id, "lines": place or 0, "head": line or ""}
    if last:
        yield last
