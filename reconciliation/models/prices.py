"""What calls cost."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from calls.models import ProviderAccount


class PriceList(models.Model):
    """The prices of one account's calls from a day on.

    `rates` is a list of objects: `prefix` (digits of an E.164 number after the +, "" for all
    others), `direction` ("", outbound or inbound), `per_minute` and `connection` (decimal texts),
    and `step` (seconds that are billed as a whole: 60 is a started minute, 1 a second).
    """

    account = models.ForeignKey(
        ProviderAccount,
        verbose_name=_("phone system account"),
        related_name="price_lists",
        on_delete=models.CASCADE,
        db_index=False,  # price_list_once serves it
    )
    valid_from = models.DateField(_("valid from"))
    currency = models.CharField(_("currency"), max_length=3)
    rates = models.JSONField(_("rates"), default=list)

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")
        ordering = ["account", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["account", "valid_from"], name="price_list_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account.name} {self.valid_from}"
