"""An agent's word against what is recorded of a call of theirs, until a supervisor has decided.

The sentences of both are lines of the call's ledger, where they can be blanked; here is who, when
and what came of it.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calls.models.call import CallLog


class DisputeQuerySet(models.QuerySet["CallDispute"]):
    def visible_to(self, viewer: User) -> "DisputeQuerySet":
        """The disputes of the calls that `viewer` may see."""
        calls = CallLog.objects.visible_to(viewer).filter(disputes__isnull=False)
        return self.filter(call__in=calls.order_by().values("pk"))

    def open(self) -> "DisputeQuerySet":
        return self.filter(state=CallDispute.OPEN)

    def with_people(self) -> "DisputeQuerySet":
        """All that a list of disputes shows, in one query."""
        return self.select_related("opened_by", "decided_by")


class CallDispute(models.Model):
    """A call has one open dispute at most; of those that are decided any number."""

    OPEN, UPHELD, REJECTED = "open", "upheld", "rejected"
    STATES = [
        (OPEN, _("disputed")),
        (UPHELD, _("dispute upheld")),
        (REJECTED, _("dispute rejected")),
    ]

    call = models.ForeignKey(
        CallLog, verbose_name=_("call"), related_name="disputes", on_delete=models.CASCADE
    )
    state = models.CharField(_("state"), max_length=8, choices=STATES, default=OPEN)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("disputed by"),
        related_name="+",
        on_delete=models.PROTECT,
        db_index=False,
    )
    opened_at = models.DateTimeField(_("disputed"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("decided by"),
        related_name="+",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-opened_at", "-pk"]
        indexes = [models.Index(fields=["state", "-opened_at"], name="dispute_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["call"], condition=Q(state="open"), name="dispute_open_once_a_call"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True, decided_by__isnull=True)
                | Q(
                    state__in=("upheld", "rejected"),
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="dispute_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.get_state_display()

    @property
    def is_open(self) -> bool:
        return self.state == self.OPEN
