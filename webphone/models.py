"""The lines of agents at the organisation's SIP server."""

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calls.models import ProviderAccount, ProviderIdentity
from calls.models.provider import comparable
from common.encryption import seal, unseal

_NO_SIP_USER = _("Letters, digits and . _ + - only: what stands before the @.")


class PhoneLineQuerySet(models.QuerySet["PhoneLine"]):
    def working(self) -> "PhoneLineQuerySet":
        """Those that are switched on, of accounts that are."""
        return self.filter(is_active=True, account__is_active=True)

    def of(self, user: User) -> "PhoneLine | None":
        """The working line of `user`."""
        return self.working().filter(user=user).select_related("account", "user").first()


class PhoneLine(models.Model):
    """One agent's line for the phone in the page: an account of the kind webphone says where the
    server is, this whom the agent is there. The password is kept encrypted.

    While it is active its SIP user is an identity of the agent in that account, so that what the
    phone reports is theirs.
    """

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
    sip_user = models.CharField(
        _("SIP user"),
        max_length=80,
        validators=[RegexValidator(r"^[A-Za-z0-9._+-]+\Z", _NO_SIP_USER)],
        help_text=_("As the SIP server knows the agent."),
    )
    sealed_password = models.TextField(editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    objects = PhoneLineQuerySet.as_manager()

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

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            self._forget_identity()
            super().save(*args, **kwargs)
            if self.is_active:
                ProviderIdentity.objects.update_or_create(
                    account=self.account,
                    identity=comparable(self.sip_user, self.account.region),
                    defaults={"user": self.user},
                )

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            self._forget_identity()
            return super().delete(*args, **kwargs)

    def _forget_identity(self) -> None:
        """What the line was called till now means nobody: it may change its name or its agent."""
        was = PhoneLine.objects.filter(pk=self.pk).select_related("account").first()
        if was is not None:
            known_as = comparable(was.sip_user, was.account.region)
            ProviderIdentity.objects.filter(
                account=was.account, identity=known_as, user_id=was.user_id
            ).delete()
