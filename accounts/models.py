"""People, teams and the keys of their programs."""

import datetime as dt
import hashlib
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.fields import NameKeyField
from common.generics import CharField


class Team(models.Model):
    """Agents who work together, and who watches over them."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    supervisors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("supervisors"),
        related_name="supervised_teams",
        blank=True,
    )
    amber_seconds = models.PositiveIntegerField(
        _("amber after (seconds)"), null=True, blank=True, help_text=_("Empty: the site's setting.")
    )
    red_seconds = models.PositiveIntegerField(
        _("red after (seconds)"), null=True, blank=True, help_text=_("Empty: the site's setting.")
    )
    name_key = NameKeyField("name")

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name_key", "pk"]

    def __str__(self) -> str:
        return self.name


def name_of(first_name: str, last_name: str, username: str) -> str:
    """What people are called."""
    return f"{first_name} {last_name}".strip() or username


def sign_in_key(username: str) -> str:
    """What user names are compared by: capitals, and how Unicode writes a letter, do not matter."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


class SignInKeyField(CharField[str, str]):
    """The key of the user name, which nobody else has. It is written with its row.

    Of names that differed in capitals only before that was forbidden, all but one kept their
    own spelling as their key; they stay with it until they are renamed.
    """

    def deconstruct(self) -> Any:
        """A plain column for migrations, which must not change with this class."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        assert isinstance(model_instance, User)
        key = sign_in_key(model_instance.username)
        if sign_in_key(model_instance.username_key) != key:
            model_instance.username_key = key
        return model_instance.username_key


class UserQuerySet(models.QuerySet["User"]):
    def named(self, username: str) -> "User | None":
        """Whom `username` names, capitals aside."""
        same = Q(username=username) | Q(username_key=sign_in_key(username))
        return min(self.filter(same)[:2], key=lambda user: user.username != username, default=None)

    def visible_to(self, viewer: "User") -> "UserQuerySet":
        """The people whose calls and figures `viewer` may see. The one rule for every door."""
        scope = viewer.scope
        if scope.everyone:
            return self.all()
        rule = Q(pk=viewer.pk)
        if scope.team_ids:
            rule |= Q(team_id__in=scope.team_ids)
        return self.filter(rule)


_UserManager = UserManager.from_queryset(UserQuerySet)


class CallManagerUserManager(_UserManager["User"]):  # type: ignore[valid-type, unused-ignore]  # made by a call
    use_in_migrations = False  # or they would name this class, which may change and move

    def get_by_natural_key(self, username: str | None) -> "User":
        found = self.select_related("team").named(username or "")
        if found is None:
            raise self.model.DoesNotExist
        return found


class User(AbstractUser):
    """A person: agent, supervisor or administrator by group."""

    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        related_name="members",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    extension = models.CharField(_("phone extension"), max_length=40, blank=True)
    language = models.CharField(
        _("language"),
        max_length=5,
        blank=True,
        choices=settings.LANGUAGES,
        help_text=_("Empty: the browser decides."),
    )

    keyboard_shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    notifications = models.BooleanField(_("notifications"), default=False)
    name_key = NameKeyField("display_name")
    username_key = SignInKeyField(max_length=600, unique=True, editable=False)

    objects: ClassVar[CallManagerUserManager] = CallManagerUserManager()

    class Meta(AbstractUser.Meta):
        permissions = [("use_admin", "Can open the administration")]
        constraints = [
            models.UniqueConstraint(
                fields=["extension"], condition=~Q(extension=""), name="user_extension_once"
            )
        ]

    def __str__(self) -> str:
        return self.display_name

    def clean(self) -> None:
        super().clean()
        key = sign_in_key(self.username)
        if sign_in_key(self.username_key) == key:
            return  # who has the name already
        if type(self)._default_manager.filter(username_key=key).exclude(pk=self.pk).exists():
            raise ValidationError(
                {"username": self.unique_error_message(type(self), ("username",))}
            )

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keys are written whenever the names are that they follow from."""
        names = kwargs.get("update_fields")
        if names is not None and _NAMES & set(names):
            kwargs["update_fields"] = {*names, "name_key", "username_key"}
        super().save(*args, **kwargs)

    @property
    def display_name(self) -> str:
        return name_of(self.first_name, self.last_name, self.username)

    @property
    def scope(self) -> "Scope":
        """Whom this person may see; asked once per loaded user."""
        if "_scope" not in self.__dict__:
            self.__dict__["_scope"] = Scope.of(self)
        scope: Scope = self.__dict__["_scope"]
        return scope

    @property
    def amber_seconds(self) -> int:
        """Seconds after which this person's timer turns amber."""
        return (self.team and self.team.amber_seconds) or settings.TIMER_AMBER_SECONDS

    @property
    def red_seconds(self) -> int:
        """Seconds after which this person's timer turns red."""
        return (self.team and self.team.red_seconds) or settings.TIMER_RED_SECONDS


_NAMES: Final = frozenset({"username", "first_name", "last_name"})


class Scope:
    """The audience a person belongs to: everyone, some teams, or only oneself."""

    def __init__(self, everyone: bool, teams: Iterable[Team] = ()):
        self.everyone = everyone
        self.teams = tuple(teams)  # the supervised ones, by name; none for who sees everyone
        self.team_ids = frozenset(team.pk for team in self.teams)

    @classmethod
    def of(cls, user: User) -> "Scope":
        if user.has_perm("calls.view_all_calls"):
            return cls(True)
        if user.has_perm("calls.view_team_calls"):
            return cls(False, user.supervised_teams.all())
        return cls(False)

    def sees_user(self, viewer: User, user_id: int, team_id: int | None) -> bool:
        return self.everyone or user_id == viewer.pk or team_id in self.team_ids


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> "ApiKeyQuerySet":
        return self.filter(revoked_at__isnull=True, owner__is_active=True)

    def note_use(self, instants: Mapping[int, dt.datetime]) -> None:
        """Writes when keys, by their ids, were last used: thousands at once on a busy site, for
        which Django has no statement that stays short."""
        written = connection.ops.adapt_datetimefield_value
        rows = [(written(instants[key_id]), key_id) for key_id in sorted(instants)]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE accounts_apikey SET last_used_at = %s WHERE id = %s", rows)


class ApiKey(models.Model):
    """A program's key. Only the SHA-256 of it is kept; the key itself is shown once."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        related_name="api_keys",
        on_delete=models.CASCADE,
    )
    name = models.CharField(_("name"), max_length=80, blank=True)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}".strip()

    @staticmethod
    def digest_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def issue(cls, owner: User, name: str = "", **fields: Any) -> tuple["ApiKey", str]:
        """A new key for `owner`: the row, and the secret to show this one time."""
        key = "cm_" + secrets.token_urlsafe(32)
        row = cls.objects.create(
            owner=owner, name=name, prefix=key[:9], digest=cls.digest_of(key), **fields
        )
        return row, key

    def revoke(self) -> None:
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])
