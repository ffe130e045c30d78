"""People to call."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from common.fields import NameKeyField
from common.phones import pretty, to_e164
from common.prepared_sql import A_TEXT, Prepared
from common.text import folded, name_key


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, viewer: User) -> "ContactQuerySet":
        """Own contacts, those of own and supervised teams, and those that belong to nobody."""
        scope = viewer.scope
        if scope.everyone:
            return self.all()
        teams = set(scope.team_ids)
        if viewer.team_id:
            teams.add(viewer.team_id)
        return self.filter(
            Q(owner=viewer) | Q(team__in=teams) | Q(owner__isnull=True, team__isnull=True)
        )

    def editable_by(self, viewer: User) -> "ContactQuerySet":
        """Own contacts and those of supervised teams: shared ones are not for all to change."""
        scope = viewer.scope
        if scope.everyone:
            return self.all()
        return self.filter(Q(owner=viewer) | Q(team__in=scope.team_ids))

    def search(self, text: str) -> "ContactQuerySet":
        """Contacts whose name or company has `text`, capitals and accents aside, whose reference it
        is, or whose number has its digits."""
        text = text.strip()
        if not text:
            return self
        rule = Q(folded__contains=folded(text)) | Q(external_id__iexact=text)
        digits = "".join(filter(str.isdigit, text))
        if len(digits) >= 3:
            rule |= Q(phone__contains=digits)
        return self.filter(rule)

    def meant_by(self, viewer: User, reference: str, phone: str) -> "Contact | None":
        """The contact `viewer` may see that a program means: by external id, else our id, else by
        the number in E.164.

        Most calls of programs are to nobody we know, so who may see whom is asked last.
        """
        found = [pk for (pk,) in _BY_PHONE.rows(phone)] if phone else []
        if reference:
            rule = Q(external_id=reference)
            if reference.isascii() and reference.isdigit() and len(reference) < 19:
                rule |= Q(pk=int(reference))
            found += self.filter(rule).order_by().values_list("pk", flat=True)
        if not found:
            return None
        return min(
            self.filter(pk__in=found).visible_to(viewer),
            key=lambda c: (c.external_id != reference, str(c.pk) != reference, c.pk),
            default=None,
        )


class Contact(models.Model):
    """Somebody who can be called."""

    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(_("phone"), max_length=40, help_text=_("Stored as +50651234567."))
    company = models.CharField(_("company"), max_length=120, blank=True)
    external_id = models.CharField(
        _("reference in another system"), max_length=100, blank=True, db_index=True
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        related_name="contacts",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        related_name="contacts",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    name_key = NameKeyField("name")
    folded = models.CharField(max_length=500, blank=True, editable=False)  # what search reads
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["name_key", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"],
                condition=~Q(external_id=""),
                name="contact_external_id_once",
            )
        ]
        indexes = [
            models.Index(fields=["name_key", "id"], name="contact_by_name"),
            models.Index(fields=["phone"]),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def pretty_phone(self) -> str:
        return pretty(self.phone)

    def clean(self) -> None:
        number = to_e164(self.phone)
        if self.phone and not number:  # whether there is one is asked of the field itself
            raise ValidationError({"phone": _("This is not a phone number.")})
        self.phone = number

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.phone = to_e164(self.phone) or self.phone
        self.fold()
        super().save(*args, **kwargs)

    def fold(self) -> None:
        """Writes down what search reads and lists are sorted by; `save` does it, and whoever
        writes rows in bulk must."""
        self.folded = folded(f"{self.name} {self.company}")
        self.name_key = name_key(self.name)


_BY_PHONE = Prepared(
    lambda: Contact.objects.filter(phone=A_TEXT).order_by().values_list("pk"), A_TEXT
)
