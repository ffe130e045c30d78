"""What a phone system's record said, and what came of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.models import CallLog, ProviderAccount
from common.databases.prepared_sql import PreparedWrites
from reconciliation.call_record import FLOOR
from reconciliation.models.imports import RecordImport


class ProviderRecord(PreparedWrites, models.Model):  # type: ignore[misc]  # stubs of a later Django
    """One record (reconciliation.call_record.CallRecord) as it was brought in, once for its account
    and key, and what came of it. Lengths in ms; of the instants the clock skew of its import is
    taken off. A record that was left out, or about which nobody has decided, may be brought in
    anew by a later import.

    `outcome`: the call's times were equal (CONFIRMED), lacked what the record told (COMPLETED),
    differ (DIFFERENT, until somebody decides: ACCEPTED or KEPT), or there was no call (CREATED).
    LEFT_OUT: it is of nobody's and nothing's interest; `note` says why. `reasons` are codes of why
    the two may differ (reconciliation.matching.reasons), the chief one first. `event_keys` are the
    lines that it added to the ledger of its call, so that they can be taken back; `is_withdrawn`
    once they were.
    `is_link`: the call was nobody's phone system's until this record came.
    """

    CONFIRMED, COMPLETED, DIFFERENT, ACCEPTED, KEPT, CREATED, LEFT_OUT = (
        *("confirmed", "completed", "different", "accepted"),
        *("kept", "created", "left_out"),
    )
    OUTCOMES = [
        (CONFIRMED, _("confirmed")),
        (COMPLETED, _("completed")),
        (DIFFERENT, _("different")),
        (ACCEPTED, _("accepted")),
        (KEPT, _("kept as recorded")),
        (CREATED, _("created")),
        (LEFT_OUT, _("left out")),
    ]

    account = models.ForeignKey(
        ProviderAccount,
        related_name="records",
        on_delete=models.CASCADE,
        db_index=False,  # provider_record_start serves it
    )
    brought_by = models.ForeignKey(RecordImport, related_name="held", on_delete=models.CASCADE)
    call = models.ForeignKey(
        CallLog, related_name="records", null=True, blank=True, on_delete=models.SET_NULL
    )
    key = models.CharField(max_length=64)  # a digest of the record's own
    outcome = models.CharField(_("outcome"), max_length=9, choices=OUTCOMES)
    note = models.CharField(_("note"), max_length=300, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    event_keys = models.JSONField(default=list, blank=True)
    is_withdrawn = models.BooleanField(default=False)
    is_link = models.BooleanField(default=False)
    line = models.PositiveIntegerField(default=0)  # its first place in the file

    start_time = models.DateTimeField(_("start"))
    answered_time = models.DateTimeField(_("answered"), null=True, blank=True)
    end_time = models.DateTimeField(_("end"), null=True, blank=True)
    duration_ms = models.PositiveBigIntegerField(_("duration (ms)"), null=True, blank=True)
    talk_ms = models.PositiveBigIntegerField(_("talk (ms)"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=11, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    direction = models.CharField(max_length=8, blank=True)
    knows_answer = models.BooleanField(default=True)  # else nobody said whether it was answered
    precision_ms = models.PositiveIntegerField(default=1000)
    unit_ms = models.PositiveIntegerField(default=1000)
    rounding = models.CharField(max_length=7, default=FLOOR)
    agent_name = models.CharField(_("agent there"), max_length=120, blank=True)
    number = models.CharField(_("number"), max_length=64, blank=True)
    number_line = models.CharField(max_length=20, blank=True)  # common.phones.line_of
    price = models.DecimalField(_("price"), max_digits=14, decimal_places=6, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        related_name="+",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("provider's record")
        verbose_name_plural = _("providers' records")
        ordering = ["-start_time", "-pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["account", "key"],
                condition=Q(is_withdrawn=False),
                name="provider_record_once",
            )
        ]
        indexes = [
            models.Index(fields=["account", "start_time"], name="provider_record_start"),
            models.Index(
                fields=["account", "start_time"],
                condition=Q(outcome="different"),
                name="provider_record_open",
            ),
        ]

    def __str__(self) -> str:
        return self.key
