"""The feed of events in the order of their commits, and who is sent it."""

from typing import Any

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.encryption import seal, unseal


class EventKind(models.TextChoices):
    """What programs are told of, by the name that they know it by."""

    STARTED = "call.started", _("a call started")
    ANSWERED = "call.answered", _("a call was answered")
    HELD = "call.held", _("a call was put on hold")
    RESUMED = "call.resumed", _("a call was taken off hold")
    ENDED = "call.ended", _("a call ended")
    CORRECTED = "call.corrected", _("an ended call was corrected")
    NOTED = "call.noted", _("a note or an outcome was added to a call")
    ALERT = "alert.fired", _("a rule fired")


class FeedEntry(models.Model):
    """An event's place in the feed: numbered without gaps, once it is committed.

    The number stays when what it stands for is deleted: the database knows of no link, so that a
    deletion costs no look at the feed, and whoever reads passes over an entry of nothing.
    """

    number = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=16, choices=EventKind)
    event = models.OneToOneField(
        "calls.CallEvent",
        related_name="+",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
    )
    alert = models.OneToOneField(
        "notifications.Alert",
        related_name="+",
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
    )

    class Meta:
        verbose_name = _("entry of the feed")
        verbose_name_plural = _("entries of the feed")
        ordering = ["number"]

    def __str__(self) -> str:
        return str(self.number)


class FeedSource(models.Model):
    """How far the rows of a table have their place in the feed: see webhooks/sequencer.py."""

    name = models.CharField(primary_key=True, max_length=8)
    # No row up to this key is still to come, and all of them are numbered.
    watermark = models.BigIntegerField(default=0)
    # The largest key that was seen when `writers` were at work, who may yet commit smaller ones.
    horizon = models.BigIntegerField(default=0)
    writers = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name


class WebhookEndpoint(models.Model):
    """An address of another system, which is sent events as they come."""

    name = models.CharField(_("name"), max_length=80)
    url = models.URLField(
        _("address"), max_length=500, validators=[URLValidator(schemes=["https", "http"])]
    )
    sealed = models.TextField(editable=False)
    kinds = models.JSONField(_("events"), default=list, blank=True)  # of EventKind; empty: all
    enabled = models.BooleanField(pgettext_lazy("webhook", "on"), default=True)
    # Up to which entry of the feed there are deliveries.
    cursor = models.BigIntegerField(_("sent up to"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    resting_until = models.DateTimeField(_("left alone until"), null=True, blank=True)
    # By itself, after days of failures; `off_reason` says why, for people.
    switched_off_at = models.DateTimeField(_("switched off"), null=True, blank=True)
    off_reason = models.CharField(_("why"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def secrets(self) -> list[dict[str, Any]]:
        """`{"secret": "whsec_…", "until": None or epoch ms}`, the newest first. Raises Sealed where
        the key is another one."""
        found: list[dict[str, Any]] = unseal(self.sealed)
        return found

    @secrets.setter
    def secrets(self, value: list[dict[str, Any]]) -> None:
        self.sealed = seal(value)


class SendState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("delivery", "waiting")
    SENT = "sent", pgettext_lazy("delivery", "delivered")
    FAILED = "failed", pgettext_lazy("delivery", "given up")
    GONE = "gone", pgettext_lazy("delivery", "nothing to send any more")


class WebhookDelivery(models.Model):
    """An entry of the feed for an endpoint, and how sending it went. Without an entry: a test.

    What is sent is made of the ledger at that time and kept nowhere.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint, related_name="deliveries", on_delete=models.CASCADE
    )
    entry = models.ForeignKey(FeedEntry, related_name="+", null=True, on_delete=models.CASCADE)
    kind = models.CharField(_("event"), max_length=16, choices=EventKind, blank=True)
    # Whose events are sent in their order: the key of the call; null of what has no order.
    call_key = models.BigIntegerField(null=True)
    state = models.CharField(_("state"), max_length=8, choices=SendState, default=SendState.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    queued_at = models.DateTimeField(_("since"))
    due_at = models.DateTimeField(_("next attempt"))
    claimed_until = models.DateTimeField(null=True)  # a worker is sending it
    tried_at = models.DateTimeField(_("last attempt"), null=True)
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True)
    error = models.CharField(_("error"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "entry"], name="notifications_entry_once_an_endpoint"
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "due_at"],
                condition=models.Q(state="waiting"),
                name="notifications_webhook_due",
            ),
            models.Index(
                fields=["endpoint", "call_key", "entry"],
                condition=models.Q(state="waiting"),
                name="notifications_webhook_in_order",
            ),
            models.Index(fields=["queued_at"], name="notifications_webhook_log"),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.entry_id}"
