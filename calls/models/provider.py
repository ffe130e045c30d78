"""Phone systems: their accounts, and whom they mean."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from common.databases.prepared_sql import A_NUMBER, A_TEXT, Prepared
from common.encryption import seal, unseal
from common.phones import spellings_of, to_e164
from common.text import without_invisible

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

    @classmethod
    def active(cls, kind: str, name: str) -> "ProviderAccount | None":
        """The account of this address, unless it was switched off."""
        return next((found for found in _ACTIVE.found(name) if found.kind == kind), None)

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


_ACTIVE = Prepared(
    lambda: ProviderAccount.objects.filter(name=A_TEXT, is_active=True).order_by(), A_TEXT
)


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
        wanted = compared_names(account, names)
        if not wanted:
            return None
        found: dict[tuple[str, bool], User] = {
            (row.identity, row.account_id is None): row.user
            for start in range(0, len(wanted), len(_NAMES))
            for row in _KNOWN_AS.found(account.pk, *_filled(wanted[start : start + len(_NAMES)]))
        }
        for general in (False, True):
            for name in wanted:
                if (name, general) in found:
                    return found[name, general]
        return _by_own_data(wanted) or _by_own_number(account, wanted)


# So many names are asked for at once; a phone system has seldom more for one person.
_NAMES = tuple(f"{A_TEXT} {place}" for place in range(3))
_KNOWN_AS = Prepared(
    lambda: (
        ProviderIdentity.objects.filter(identity__in=_NAMES)
        .filter(Q(account=A_NUMBER) | Q(account__isnull=True))
        .select_related("user")
        .order_by()
    ),
    A_NUMBER,
    *_NAMES,
)


def _filled(names: Sequence[str]) -> list[str]:
    """`names` and, in the place of those that are lacking, the first again."""
    return [*names, *[names[0]] * (len(_NAMES) - len(names))]


def _by_own_data(wanted: list[str]) -> User | None:
    """The active person with this extension, or the only one with this e-mail address."""
    for name in wanted:
        # As a text to compare with: SQLite takes it for a pattern.
        text = connection.ops.prep_for_iexact_query(name)
        found = (_BY_EMAIL if "@" in name else _BY_EXTENSION).found(text)
        if len(found) == 1:
            person: User = found[0]
            return person
    return None


def _active_with(field: str) -> Prepared:
    rule = {"is_active": True, f"{field}__iexact": A_TEXT}
    return Prepared(lambda: User.objects.filter(**rule).order_by()[:2], A_TEXT)


_BY_EMAIL, _BY_EXTENSION = _active_with("email"), _active_with("extension")


def _by_own_number(account: ProviderAccount, wanted: Sequence[str]) -> User | None:
    """The only active person whose extension is a number, however it is written there, and is one
    of `wanted`; few have such a one."""
    numbers = {name for name in wanted if name.startswith("+")}
    if not numbers:
        return None
    found: list[User] = [
        person
        for person in _WITH_NUMBER.found()
        if not numbers.isdisjoint(compared_names(account, [person.extension]))
    ]
    return found[0] if len(found) == 1 else None


_LEAST_DIGITS = 7  # of a number; shorter names are extensions
_WITH_NUMBER = Prepared(
    lambda: (
        User.objects.filter(is_active=True)
        .alias(length=Length("extension"))
        .filter(length__gte=_LEAST_DIGITS)
        .order_by()
    )
)


def compared_names(account: ProviderAccount, names: Iterable[str]) -> list[str]:
    """What an identity may be stored as that `account` calls by one of `names`."""
    compared = (comparable(name, account.region) for name in names if name)
    return list(dict.fromkeys(other for name in compared for other in spellings_of(name)))


def comparable(identity: str, region: str = "") -> str:
    """An identity as it is compared: without capitals, a phone number in E.164."""
    text = without_invisible(identity).strip().casefold()
    digits = sum(map(str.isdigit, text))
    if digits >= _LEAST_DIGITS and not any(map(str.isalpha, text)):
        return to_e164(text, region or None) or text
    return text
