"""How people call: the links that the administrator offers, and who uses which."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Case, Exists, Max, OuterRef, Q, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team, User
from calls.models import dial_links
from calls.models.provider import ProviderAccount, ProviderIdentity


class DialLinkQuerySet(models.QuerySet["DialLink"]):
    def usable(self, user: User) -> "DialLinkQuerySet":
        """All but those of a phone system that was switched off, and of phones in the page at which
        `user` has no line."""
        known_there = ProviderIdentity.objects.filter(account=OuterRef("account"), user=user)
        at_hand = ~Q(account__kind=dial_links.IN_PAGE) | Exists(known_there)
        return self.filter(Q(account__isnull=True) | Q(account__is_active=True) & at_hand)

    def offered(self, user: User) -> "DialLinkQuerySet":
        """What `user` may choose from."""
        return self.usable(user).filter(is_offered=True).select_related("account")

    def of(self, user: User, own: bool = True) -> "DialLink":
        """The link `user` calls with: their own (unless not asked for, or no longer offered),
        else the team's, else the site's, else the phone program's. One query."""
        rank = Case(
            *([When(choices__user=user, is_offered=True, then=Value(3))] if own else []),
            When(choices__team=user.team_id, choices__team__isnull=False, then=Value(2)),
            When(is_default=True, then=Value(1)),
        )
        ranked = self.usable(user).annotate(rank=Max(rank)).filter(rank__isnull=False)
        found = ranked.select_related("account").order_by("-rank", "position", "pk").first()
        return found or DialLink(kind=dial_links.TEL)


class DialLink(models.Model):
    """A way to call. Empty name, address and effect are those of its kind."""

    kind = models.CharField(
        gettext_lazy("kind"),
        max_length=20,
        choices=[(name, kind.title) for name, kind in dial_links.KINDS.items()],
    )
    name = models.CharField(
        gettext_lazy("name"),
        max_length=60,
        blank=True,
        help_text=gettext_lazy("Empty: the name of its kind."),
    )
    template = models.CharField(
        gettext_lazy("address"),
        max_length=300,
        blank=True,
        help_text=gettext_lazy(
            "With {number} (+50651234567), {digits} (50651234567), {national} (51234567) and "
            "{extension} (the agent’s). Empty: that of its kind."
        ),
    )
    effect = models.CharField(
        gettext_lazy("what it does"),
        max_length=10,
        blank=True,
        choices=dial_links.EFFECTS,
        help_text=gettext_lazy("The page tells people so. Empty: what its kind does."),
    )
    account = models.ForeignKey(
        ProviderAccount,
        verbose_name=gettext_lazy("phone system account"),
        related_name="dial_links",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=gettext_lazy("Of a phone system that dials by itself."),
    )
    is_offered = models.BooleanField(gettext_lazy("people may choose it"), default=True)
    is_default = models.BooleanField(
        gettext_lazy("the site’s own"),
        default=False,
        help_text=gettext_lazy("Used by everybody for whom nothing else was chosen."),
    )
    position = models.PositiveSmallIntegerField(gettext_lazy("position in the list"), default=0)

    objects = DialLinkQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("way to call")
        verbose_name_plural = gettext_lazy("ways to call")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="dial_one_default"
            ),
            models.CheckConstraint(
                condition=Q(kind=dial_links.SERVER, account__isnull=False)
                | (~Q(kind=dial_links.SERVER) & Q(account__isnull=True)),
                name="dial_server_has_account",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def _kind(self) -> dial_links.Kind:
        return dial_links.KINDS.get(self.kind, dial_links.KINDS[dial_links.TEMPLATE])

    @property
    def title(self) -> str:
        if self.is_in_page and not self.name:
            return _("Phone in the page")
        if self.account is not None and not self.name:
            return self.account.name
        return self.name or str(self._kind.title)

    @property
    def does(self) -> str:
        """One of dialing.EFFECTS."""
        return self.effect or (dial_links.CALLS if self.is_in_page else self._kind.effect)

    @property
    def is_in_page(self) -> bool:
        """Whether it calls with the phone in the page."""
        return self.account is not None and self.account.kind == dial_links.IN_PAGE

    @property
    def calls_by_itself(self) -> bool:
        return self.does != dial_links.OPENS

    @property
    def dials(self) -> bool:
        """Whether our server has the phone system call; no address is opened then."""
        return self.account_id is not None and not self.is_in_page

    @property
    def says(self) -> str:
        """What happens on a click, honestly, in one sentence."""
        if self.is_in_page and not self.effect:
            return _("Calls in this site’s own phone window.")
        if self._kind.says and not self.effect and not self.template:
            return str(self._kind.says)
        sentence = {
            dial_links.CALLS: _("Opens %(name)s, which calls the number."),
            dial_links.OPENS: _("Only opens %(name)s: you call there."),
            dial_links.CALLS_BACK: _("%(name)s rings you first, then the number."),
        }[self.does]
        return sentence % {"name": self.title}

    def url_to(self, number: str, user: User) -> str:
        """The address that calls `number` (E.164); "" where our server has it called."""
        if self.dials:
            return ""
        if self.is_in_page:
            return dial_links.link(f"{dial_links.IN_PAGE}:{{number}}", number)
        return dial_links.link(self.template or self._kind.template, number, user.extension)

    def clean(self) -> None:
        if self.kind == dial_links.SERVER and self.account is None:
            raise ValidationError({"account": _("Choose the phone system that dials.")})
        if self.kind != dial_links.SERVER:
            self.account = None
        if self.kind == dial_links.TEMPLATE and not self.template:
            raise ValidationError({"template": _("Write the address.")})
        fault = dial_links.fault(self.template) if self.template else ""
        if fault:
            raise ValidationError({"template": fault})

    def validate_constraints(self, exclude: Any = None) -> None:
        super().validate_constraints({*(exclude or ()), "is_default"})  # save() sees to it

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Of several defaults the last that was saved is the one."""
        with transaction.atomic():
            if self.is_default:
                others = DialLink.objects.filter(is_default=True).exclude(pk=self.pk)
                others.update(is_default=False)
            super().save(*args, **kwargs)


class DialChoice(models.Model):
    """Who uses which way to call: a person's own choice, or what a team was given."""

    link = models.ForeignKey(DialLink, related_name="choices", on_delete=models.CASCADE)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        related_name="dial_choice",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
    )
    team = models.OneToOneField(
        Team, related_name="dial_choice", null=True, blank=True, on_delete=models.CASCADE
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, team__isnull=True)
                | Q(user__isnull=True, team__isnull=False),
                name="dial_choice_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team}: {self.link}"

    @classmethod
    def of_user(cls, user: User, link: DialLink | None) -> None:
        """`user` calls with `link` from now on; None: with the team's or the site's."""
        if link is None:
            cls.objects.filter(user=user).delete()
        else:
            cls.objects.update_or_create(user=user, defaults={"link": link})

    @classmethod
    def of_teams(cls, link: DialLink, teams: Any) -> None:
        """Exactly these teams call with `link`."""
        with transaction.atomic():
            cls.objects.filter(link=link, team__isnull=False).exclude(team__in=teams).delete()
            for team in teams:
                cls.objects.update_or_create(team=team, defaults={"link": link})


def name_at(account: ProviderAccount, user: User) -> str:
    """How `account` knows `user`, for it to ring their phone; "" where nobody has said so.

    Of several names this account's go before those for all accounts, and an extension or number
    before an e-mail address, which no phone rings by.
    """
    rows = ProviderIdentity.objects.filter(user=user)
    rows = rows.filter(Q(account=account) | Q(account__isnull=True))
    names = sorted(
        (row.account_id is None, "@" in row.identity, row.pk, row.identity) for row in rows
    )
    return names[0][3] if names else user.extension
