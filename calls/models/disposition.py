"""What came of a call: the organisation's own list of outcomes to choose from."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User


class DispositionQuerySet(models.QuerySet["Disposition"]):
    def known_to(self, user: User) -> "DispositionQuerySet":
        """The outcomes of everybody and those of the person's team, also the retired ones: what was
        chosen before a retirement may be reported after it."""
        return self.filter(Q(team__isnull=True) | Q(team=user.team_id))

    def offered_to(self, user: User) -> "DispositionQuerySet":
        """The outcomes that the person may choose from, in order."""
        return self.known_to(user).filter(active=True)


class Disposition(models.Model):
    """One outcome, such as a sale. Calls keep its code, which therefore never changes."""

    code = models.CharField(
        _("code"),
        max_length=60,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z0-9_-]+\Z", _("Use small letters without accents, digits, - and _ only.")
            )
        ],
        help_text=_("What programs and files say, such as sale. It stays as it is."),
    )
    label_es = models.CharField(_("label in Spanish"), max_length=60)
    label_en = models.CharField(_("label in English"), max_length=60)
    order = models.PositiveSmallIntegerField(
        _("order"), default=0, help_text=_("The first nine can be chosen with the keys 1 to 9.")
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Take an outcome out of use instead of deleting it.")
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        related_name="dispositions",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=_("Empty: everybody may choose it."),
    )

    objects = DispositionQuerySet.as_manager()

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ["order", "pk"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """In the reader's language."""
        return self.label_es if (get_language() or "").startswith("es") else self.label_en
