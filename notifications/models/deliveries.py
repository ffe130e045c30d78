"""Messages on their way to a channel."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from common.outgoing_http import Fault
from notifications.models.alerts import Alert
from notifications.models.channels import Channel


class DeliveryState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("delivery", "waiting")
    SENT = "sent", pgettext_lazy("delivery", "sent")
    DEAD = "dead", pgettext_lazy("delivery", "given up")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, person: User) -> "DeliveryQuerySet":
        """Of the channels that the person may see."""
        return self.filter(channel__in=Channel.objects.visible_to(person))


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
    state = models.CharField(
        _("state"), max_length=8, choices=DeliveryState, default=DeliveryState.WAITING
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    # The next attempt; while one is under way, when it counts as lost.
    due_at = models.DateTimeField(_("next attempt"), db_index=True)
    give_up_at = models.DateTimeField(_("given up at"))
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    # `message` and `values` of a common.outgoing_http.Fault: told in the reader's language.
    fault = models.JSONField(_("last error"), default=dict, blank=True)

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

    objects = DeliveryQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.channel}"

    @property
    def error(self) -> str:
        """Why the last attempt failed, in the language that is active; empty if it did not."""
        return str(Fault(self.fault["message"], **self.fault["values"])) if self.fault else ""
