"""Phone systems: their accounts, what they sent, and whom they mean."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.encryption import seal, unseal
from common.phones import to_e164

_ROTATION = 2  # values of a secret that are valid at once


class ProviderAccount(models.Model):
    """One account at one phone system: where its events come from, and how they are proved."""

    kind = models.CharField(_("phone system"), max_length=30)
    name = models.CharField(
        _("name"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9][a-z0-9_-]*\Z", _("Small letters, digits, - and _: it is in an address.")
            )
        ],
        help_text=_("Part of the hook's address; calls show it as their provider."),
    )
    region = models.CharField(
        _("region of its numbers"),
        max_length=2,
        blank=True,
        help_text=_("Two letters such as CR, for numbers without a country. Empty: the site's."),
    )
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    sealed = models.TextField(blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    silence_minutes = models.PositiveIntegerField(
        _("alarm after silence (minutes)"),
        null=True,
        blank=True,
        help_text=_("Says so when an account that used to speak says nothing. Empty: never."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_heard_at = models.DateTimeField(_("last heard"), null=True, editable=False)
    silent_since = models.DateTimeField(_("silent since"), null=True, editable=False)
    rejected = models.PositiveBigIntegerField(_("refused requests"), default=0, editable=False)
    state = models.CharField(_("state"), max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = _("phone system account")
        verbose_name_plural = _("phone system accounts")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind})"

    @property
    def source(self) -> str:
        """How the ledger names it."""
        return f"provider:{self.name}"

    @property
    def secrets(self) -> dict[str, list[str]]:
        """The valid values of each secret, the newest first."""
        return unseal(self.sealed) if self.sealed else {}

    def add_secret(self, name: str, value: str) -> None:
        """Makes `value` the secret `name`; the one before stays valid beside it until the next."""
        secrets = self.secrets
        earlier = [old for old in secrets.get(name, []) if old != value]
        secrets[name] = [value, *earlier][:_ROTATION]
        self.sealed = seal(secrets)

    def forget_old_secrets(self) -> None:
        """Ends a rotation: only the newest value of each secret stays valid."""
        self.sealed = seal({name: values[:1] for name, values in self.secrets.items()})


class ProviderIdentity(models.Model):
    """Whom a phone system means: an extension, its user id, an e-mail or a number -> agent."""

    account = models.ForeignKey(
        ProviderAccount,
        verbose_name=_("phone system account"),
        related_name="identities",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=_("Empty: in all accounts."),
    )
    identity = models.CharField(
        _("known there as"),
        max_length=120,
        help_text=_("Extension, user id, e-mail address or phone number."),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="identities",
        on_delete=models.CASCADE,
    )

    class Meta:
        verbose_name = _("identity of an agent")
        verbose_name_plural = _("identities of agents")
        ordering = ["identity"]
        constraints = [
            models.UniqueConstraint(fields=["account", "identity"], name="identity_once"),
            models.UniqueConstraint(
                fields=["identity"],
                condition=Q(account__isnull=True),
                name="identity_once_everywhere",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.identity} → {self.user}"

    @property
    def compared(self) -> str:
        return comparable(self.identity, self.account.region if self.account else "")

    def clean(self) -> None:
        self.identity = self.compared

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.identity = self.compared
        super().save(*args, **kwargs)

    @classmethod
    def agent_of(cls, account: ProviderAccount, names: Sequence[str]) -> User | None:
        """The agent whom `account` calls by one of `names`, the first that is known.

        Asked of this account's identities, then of those for all accounts, then of the people's own
        extensions and e-mail addresses.
        """
        wanted = list(dict.fromkeys(comparable(name, account.region) for name in names if name))
        if not wanted:
            return None
        rows = cls.objects.filter(identity__in=wanted).filter(
            Q(account=account) | Q(account__isnull=True)
        )
        found = {
            (row.identity, row.account_id is None): row.user
            for row in rows.select_related("user__team")
        }
        for general in (False, True):
            for name in wanted:
                if (name, general) in found:
                    return found[name, general]
        return _by_own_data(wanted)


def _by_own_data(wanted: list[str]) -> User | None:
    """The active person with this extension, or the only one with this e-mail address."""
    people = User.objects.filter(is_active=True).select_related("team")
    for name in wanted:
        rule = Q(email__iexact=name) if "@" in name else Q(extension__iexact=name)
        found = list(people.filter(rule)[:2])
        if len(found) == 1:
            return found[0]
    return None


def comparable(identity: str, region: str = "") -> str:
    """An identity as it is compared: without capitals, a phone number in E.164."""
    text = identity.strip().casefold()
    digits = sum(map(str.isdigit, text))
    if digits >= 7 and not any(map(str.isalpha, text)):
        return to_e164(text, region or None) or text
    return text


class RawEvent(models.Model):
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
        return f"{self.account.name} {self.received_at:%Y-%m-%d %H:%M:%S}"

    @staticmethod
    def digest_of(query: str, body: bytes) -> str:
        return hashlib.sha256(query.encode() + b"\0" + body).hexdigest()


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
