"""The feed of events in the order of their commits, and who is sent it."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class FeedEntry(models.Model):
    """An event's place in the feed: numbered without gaps, once it is committed."""

    number = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(
        "calls.CallEvent", related_name="+", null=True, on_delete=models.CASCADE
    )
    alert = models.OneToOneField(
        "notifications.Alert", related_name="+", null=True, on_delete=models.CASCADE
    )

    class Meta:
        verbose_name = _("entry of the feed")
        verbose_name_plural = _("entries of the feed")
        ordering = ["number"]

    def __str__(self) -> str:
        return str(self.number)


class WebhookEndpoint(models.Model):
    """An address of another system, which is sent events as they come."""

    name = models.CharField(_("name"), max_length=80)
    url = models.URLField(_("address"), max_length=500)
    sealed = models.TextField(editable=False, blank=True)  # its secrets, the newest first
    kinds = models.JSONField(_("events"), default=list)  # empty: all
    enabled = models.BooleanField(pgettext_lazy("webhook", "on"), default=True)
    switched_off_at = models.DateTimeField(_("switched off"), null=True, blank=True)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    cursor = models.BigIntegerField(_("sent up to"), default=0)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """An entry of the feed for an endpoint, and how sending it went."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, related_name="deliveries", on_delete=models.CASCADE
    )
    entry = models.ForeignKey(FeedEntry, related_name="+", on_delete=models.CASCADE)
    state = models.CharField(max_length=8, default="waiting")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "entry"], name="notifications_entry_once_an_endpoint"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} {self.entry_id}"
