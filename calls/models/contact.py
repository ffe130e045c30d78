"""People to call."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from calls.models.contact_number import (
    ContactNumber,
    Numbered,
    distinct,
    with_preferred,
)
from common.databases.prepared_sql import A_TEXT, Prepared
from common.fields import NameKeyField
from common.phones import pretty, to_e164, typed_digits
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

    def delete(self) -> tuple[int, dict[str, int]]:
        """Their calls stay, with their numbers and the reference that programs know them by."""
        calls: Any = self.model._meta.get_field("calls").related_model
        reference = Contact.objects.filter(pk=models.OuterRef("contact")).values("external_id")
        with transaction.atomic():
            named = calls.objects.filter(contact__in=self.exclude(external_id=""), contact_ref="")
            named.update(contact_ref=models.Subquery(reference[:1]))
            return super().delete()

    def editable_by(self, viewer: User) -> "ContactQuerySet":
        """Own contacts and those of supervised teams: shared ones are not for all to change."""
        scope = viewer.scope
        if scope.everyone:
            return self.all()
        return self.filter(Q(owner=viewer) | Q(team__in=scope.team_ids))

    def search(self, text: str) -> "ContactQuerySet":
        """Contacts whose name or company has `text`, capitals and accents aside, whose reference it
        is, or one of whose numbers has its digits, in whichever way that number is written."""
        text = text.strip()
        if not text:
            return self
        rule = Q(folded__contains=folded(text)) | Q(external_id__iexact=text)
        if typed := typed_digits(text):
            rule |= Q(pk__in=ContactNumber.objects.having(typed).values("contact"))
        return self.filter(rule)

    def meant_by(self, viewer: User, reference: str, line: str) -> "Contact | None":
        """The contact `viewer` may see that a program means: by external id, else our id, else by
        any of its numbers, by the line (common.phones.line_of).

        Most calls of programs are to nobody we know, so who may see whom is asked last.
        """
        found = [pk for (pk,) in _BY_LINE.rows(line)] if line else []
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

    def on_line(self, line: str) -> "ContactQuerySet":
        """Contacts that have a number with this line; none for ""."""
        return self.filter(pk__in=ContactNumber.objects.filter(line=line).values("contact"))

    @transaction.atomic
    def bulk_create(self, objs: Iterable["Contact"], *args: Any, **options: Any) -> list["Contact"]:
        """As Django's; each contact gets its one number. Not where conflicts are ignored: then it
        is not known which of them were made."""
        made: list[Contact] = super().bulk_create(objs, *args, **options)
        if not options.get("ignore_conflicts"):
            ContactNumber.objects.add({c.pk: with_preferred([], c.phone) for c in made})
        return made

    @transaction.atomic
    def bulk_update(
        self,
        objs: Iterable["Contact"],
        fields: Iterable[str],
        batch_size: int | None = None,
    ) -> int:
        """As Django's; a changed `phone` becomes the preferred number, and what follows from a
        changed name is written with it."""
        contacts, names = list(objs), list(fields)
        if "name" in names:
            for contact in contacts:
                contact.fold()
            names = list({*names, "folded", "name_key"})
        changed = super().bulk_update(contacts, names, batch_size)
        if "phone" in names:
            models.prefetch_related_objects(contacts, "numbers")
            ContactNumber.objects.replace(
                {c.pk: with_preferred(c.numbered, c.phone) for c in contacts if not c.is_in_step}
            )
            for contact in contacts:
                contact.forget_numbers()
        return changed

    @transaction.atomic
    def create_with_numbers(
        self, pairs: Iterable[tuple["Contact", Sequence[Numbered]]], batch_size: int
    ) -> list["Contact"]:
        """Creates many new contacts with their numbers, the first of which is preferred."""
        kept = [(contact, distinct(numbers)) for contact, numbers in pairs]
        for contact, numbers in kept:
            contact.phone = numbers[0][0] if numbers else ""
            contact.fold()
        made = super().bulk_create([contact for contact, _ in kept], batch_size=batch_size)
        ContactNumber.objects.add({contact.pk: numbers for contact, numbers in kept})
        return made

    @transaction.atomic
    def replace_numbers(
        self, pairs: Iterable[tuple["Contact", Sequence[Numbered]]], batch_size: int
    ) -> None:
        """`Contact.set_numbers` for many; of the contacts themselves it saves `phone` alone."""
        kept = [(contact, distinct(numbers)) for contact, numbers in pairs]
        for contact, numbers in kept:
            contact.phone = numbers[0][0] if numbers else ""
            contact.forget_numbers()
        super().bulk_update([contact for contact, _ in kept], ["phone"], batch_size=batch_size)
        ContactNumber.objects.replace({contact.pk: numbers for contact, numbers in kept})


class Contact(models.Model):
    """Somebody who can be called."""

    name = models.CharField(_("name"), max_length=120)
    phone = models.CharField(
        _("phone"),
        max_length=40,
        help_text=_("The preferred one of the numbers. Stored as +50651234567."),
    )
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
    notes = models.TextField(_("notes"), max_length=10_000, blank=True)
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
        """Saves; a `phone` that was changed becomes the preferred number."""
        self.phone = to_e164(self.phone) or self.phone
        self.fold()
        fields = kwargs.get("update_fields")
        with transaction.atomic():
            is_new = self._state.adding
            super().save(*args, **kwargs)
            if is_new or fields is None or "phone" in fields:
                self._keep_in_step(is_new)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Its calls stay, with their numbers and the reference that programs know them by."""
        with transaction.atomic():
            self.leave_reference()
            return super().delete(*args, **kwargs)

    def leave_reference(self) -> None:
        """Its calls will not be its own any more: what programs call it stays with them."""
        if self.external_id:
            self.calls.filter(contact_ref="").update(contact_ref=self.external_id)

    def is_visible_to(self, viewer: User) -> bool:
        """What `visible_to` says of this contact, without asking the database of it."""
        scope = viewer.scope
        if scope.everyone or self.owner_id == viewer.pk:
            return True
        if self.team_id is None:
            return self.owner_id is None
        return self.team_id == viewer.team_id or self.team_id in scope.team_ids

    def is_editable_by(self, viewer: User) -> bool:
        """The same of `editable_by`."""
        scope = viewer.scope
        return scope.everyone or self.owner_id == viewer.pk or self.team_id in scope.team_ids

    def _keep_in_step(self, is_new: bool) -> None:
        if is_new:
            ContactNumber.objects.add({self.pk: with_preferred([], self.phone)})
            return
        self.forget_numbers()
        if not self.is_in_step:
            self._write_numbers(with_preferred(self.numbered, self.phone))

    def set_numbers(self, numbers: Iterable[Numbered]) -> None:
        """Saves the contact with these numbers instead of those that it had; the first is the
        preferred one, and of two that are one line the first stays."""
        kept = distinct(numbers)
        self.phone = kept[0][0] if kept else ""
        self.fold()
        with transaction.atomic():
            super().save()
            self._write_numbers(kept)

    def _write_numbers(self, numbers: Sequence[Numbered]) -> None:
        ContactNumber.objects.replace({self.pk: numbers})
        self.forget_numbers()

    def forget_numbers(self) -> None:
        """Its numbers have changed: whoever asks next asks the database."""
        self.__dict__.get("_prefetched_objects_cache", {}).pop("numbers", None)

    @property
    def numbered(self) -> list[Numbered]:
        """Its numbers with their kinds, the preferred one first."""
        return [(number.number, number.kind) for number in self.numbers.all()]

    @property
    def is_in_step(self) -> bool:
        """Whether `phone` is the preferred one of its numbers."""
        return [number for number, _ in self.numbered[:1]] == list(filter(None, [self.phone]))

    @property
    def other_numbers(self) -> list[ContactNumber]:
        """All but the preferred one."""
        return list(self.numbers.all())[1:]

    def fold(self) -> None:
        """Writes down what search reads and lists are sorted by; all that writes rows does it."""
        self.folded = folded(f"{self.name} {self.company}")
        self.name_key = name_key(self.name)


_BY_LINE = Prepared(
    lambda: ContactNumber.objects.filter(line=A_TEXT).order_by().values_list("contact"), A_TEXT
)
