"""What phone systems sent: messages as they came, and the numbers they bear."""

import hashlib

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from calls.models.provider import ProviderAccount
from common.databases.prepared_sql import PreparedWrites
from common.formats.dates import exact_moment


class RawEvent(PreparedWrites, models.Model):  # type: ignore[misc]  # stubs of a later Django
    """A genuine request as it came, kept so that it can be read again."""

    PENDING, TAKEN, IGNORED, UNKNOWN, UNREADABLE, FAILED = (
        *("pending", "taken", "ignored", "unknown"),
        *("unreadable", "failed"),
    )
    OUTCOMES = [
        (PENDING, _("waiting")),
        (TAKEN, _("recorded")),
        (IGNORED, _("of no interest")),
        (UNKNOWN, _("not known")),
        (UNREADABLE, _("not readable")),
        (FAILED, _("failed")),
    ]

    account = models.ForeignKey(
        ProviderAccount,
        verbose_name=_("phone system account"),
        related_name="raw_events",
        on_delete=models.CASCADE,
        db_index=False,  # raw_once serves it
    )
    digest = models.CharField(max_length=64, editable=False)
    received_at = models.DateTimeField(_("received"))
    times = models.PositiveIntegerField(_("times received"), default=1)
    content_type = models.CharField(_("format"), max_length=100, blank=True)
    query = models.TextField(_("query"), blank=True)
    body = models.BinaryField(_("body"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=OUTCOMES, default=PENDING)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("provider's message")
        verbose_name_plural = _("providers' messages")
        ordering = ["-received_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="raw_once")]
        indexes = [
            models.Index(fields=["received_at", "id"], name="raw_received"),
            models.Index(
                fields=["received_at"],
                condition=Q(outcome__in=("pending", "failed", "unknown", "unreadable")),
                name="raw_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account.name} {exact_moment(self.received_at)}"

    @staticmethod
    def digest_of(query: str, body: bytes) -> str:
        return hashlib.sha256(query.encode() + b"\0" + body).hexdigest()

    def keep_outcome(self) -> None:
        """Writes what came of it, if the message is still kept: its call is so in any case."""
        written = [self._meta.get_field(name) for name in ("outcome", "note")]
        values = [(field, None, getattr(self, field.attname)) for field in written]
        self._do_update(None, None, self.pk, values)


class ConversationNumber(models.Model):
    """The number of a message within its conversation, which counts for every part of it.

    Kept as long as the messages are, because a part may be made after it: see
    calls.telephony.sequence_numbers.
    """

    account = models.ForeignKey(
        ProviderAccount,
        related_name="conversation_numbers",
        on_delete=models.CASCADE,
        db_index=False,  # conversation_number_once serves it
    )
    conversation = models.CharField(max_length=120)
    sequence = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "conversation", "sequence"], name="conversation_number_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation} #{self.sequence}"


class WaitingFact(models.Model):
    """What a phone system said of a phone that rings among several, until it is known whether that
    phone has the call: see calls.telephony.waiting_facts."""

    account = models.ForeignKey(
        ProviderAccount,
        related_name="waiting_facts",
        on_delete=models.CASCADE,
        db_index=False,  # waiting_fact_once serves it
    )
    call = models.CharField(max_length=120)
    key = models.CharField(max_length=100)
    fact = models.JSONField()
    received_at = models.DateTimeField(db_index=True)
    payload_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "call", "key"], name="waiting_fact_once")
        ]

    def __str__(self) -> str:
        return f"{self.call} {self.key}"
