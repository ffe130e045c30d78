"""Messages on their way to a channel."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.models.alerts import Alert
from notifications.models.channels import Channel


class DeliveryState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("delivery", "waiting")
    SENT = "sent", pgettext_lazy("delivery", "sent")
    DEAD = "dead", pgettext_lazy("delivery", "given up")


class Delivery(models.Model):
    """An alert, or a test, for a channel. Its words are made when it is sent."""

    channel = models.ForeignKey(
        Channel, verbose_name=_("channel"), related_name="deliveries", on_delete=models.CASCADE
    )
    alert = models.ForeignKey(
        Alert,
        verbose_name=_("alert"),
        related_name="deliveries",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
    )
    # Empty: a message for the channel's readers; else the person whose own words and rights count.
    language = models.CharField(_("language"), max_length=5, blank=True)
    state = models.CharField(
        _("state"), max_length=8, choices=DeliveryState, default=DeliveryState.WAITING
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"))
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    error = models.CharField(_("last error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "alert"],
                condition=models.Q(alert__isnull=False),
                name="notifications_alert_once_a_channel",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}"
