"""Where alerts are told beside the page."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from accounts.roles import MANAGE_CHANNELS
from common.encryption import seal, unseal


class ChannelKind(models.TextChoices):
    EMAIL = "email", _("e-mail")
    SLACK = "slack", "Slack"
    TEAMS = "teams", "Microsoft Teams"
    TELEGRAM = "telegram", "Telegram"
    DISCORD = "discord", "Discord"
    WEBHOOK = "webhook", "Webhook"
    APPRISE = "apprise", _("another service")


class ChannelQuerySet(models.QuerySet["Channel"]):
    def visible_to(self, person: User) -> "ChannelQuerySet":
        """The person's own, and the organisation's for who sets those up."""
        if person.has_perm(MANAGE_CHANNELS):
            return self.filter(Q(owner=person) | Q(owner=None))
        return self.filter(owner=person)


class Channel(models.Model):
    """An address of the organisation's, or of one person's. What opens it is encrypted."""

    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=12, choices=ChannelKind)
    sealed = models.TextField(editable=False, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        related_name="channels",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
    )
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, blank=True)
    enabled = models.BooleanField(pgettext_lazy("channel", "on"), default=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["name", "pk"]
        permissions = [("manage_channels", "Set up the organisation's channels and webhooks")]

    def __str__(self) -> str:
        return self.name

    @property
    def secrets(self) -> dict[str, Any]:
        """Address, token, chat: by kind. Raises Sealed where the key is another one."""
        return unseal(self.sealed) if self.sealed else {}

    @secrets.setter
    def secrets(self, value: dict[str, Any]) -> None:
        self.sealed = seal(value)
