"""The lines of agents at the organisation's SIP server."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.models import ProviderAccount
from common.encryption import seal, unseal


class PhoneLine(models.Model):
    """One agent's line for the phone in the page: an account of the kind webphone says where the
    server is, this whom the agent is there. The password is kept encrypted."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="phone_line",
        on_delete=models.CASCADE,
    )
    account = models.ForeignKey(
        ProviderAccount,
        verbose_name=_("phone system account"),
        related_name="phone_lines",
        on_delete=models.CASCADE,
    )
    sip_user = models.CharField(_("SIP user"), max_length=80)
    sealed_password = models.TextField(editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("line of the phone in the page")
        verbose_name_plural = _("lines of the phone in the page")
        ordering = ["sip_user"]
        constraints = [
            models.UniqueConstraint(fields=["account", "sip_user"], name="phone_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.sip_user} ({self.account.name})"

    @property
    def password(self) -> str:
        return str(unseal(self.sealed_password)["password"])

    @password.setter
    def password(self, value: str) -> None:
        self.sealed_password = seal({"password": value})
