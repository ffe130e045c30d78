"""The numbers of a contact, each with the line that it is compared by."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.phones import line_of, pretty, to_e164

Numbered = tuple[str, str]  # a number as told, and its kind (NumberKind)
_BATCH: Final = 500


class NumberKind(models.TextChoices):
    MOBILE = "mobile", _("mobile")
    WORK = "work", _("work")
    HOME = "home", _("home")
    MAIN = "main", _("main number")
    FAX = "fax", _("fax")
    OTHER = "other", _("other number")


class ContactNumberQuerySet(models.QuerySet["ContactNumber"]):
    def having(self, digits: Iterable[str]) -> "ContactNumberQuerySet":
        """Those whose line has one of these (common.phones.typed_digits)."""
        rule = models.Q()
        for some in digits:
            rule |= models.Q(line__contains=some)
        return self.filter(rule)

    def replace(self, numbers: Mapping[int, Sequence[Numbered]]) -> None:
        """Contact's key -> its numbers as `distinct` gives them, which take the place of those that
        it had. Within a transaction; `Contact.phone` is the caller's to save."""
        keys = list(numbers)
        for start in range(0, len(keys), _BATCH):
            self.filter(contact__in=keys[start : start + _BATCH]).delete()
        self.add(numbers)

    def add(self, numbers: Mapping[int, Sequence[Numbered]]) -> None:
        """The same for contacts that have no numbers yet."""
        self.bulk_create(
            (
                ContactNumber(
                    contact_id=contact,
                    number=number,
                    line=compared(number),
                    kind=kind,
                    position=position,
                )
                for contact, its in numbers.items()
                for position, (number, kind) in enumerate(its)
            ),
            batch_size=_BATCH,
        )


class ContactNumber(models.Model):
    """One number of a contact. Written by `Contact` and its query set, which keep `Contact.phone`
    the preferred one: the first."""

    contact = models.ForeignKey(
        "calls.Contact",
        verbose_name=_("contact"),
        related_name="numbers",
        on_delete=models.CASCADE,
        db_index=False,  # contact_number_place serves it
    )
    number = models.CharField(_("number"), max_length=40, help_text=_("Stored as +50651234567."))
    line = models.CharField(max_length=40, editable=False)
    kind = models.CharField(
        _("kind"), max_length=6, choices=NumberKind.choices, default=NumberKind.OTHER
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = ContactNumberQuerySet.as_manager()

    class Meta:
        verbose_name = _("number")
        verbose_name_plural = _("numbers")
        ordering = ["position"]
        indexes = [models.Index(fields=["line", "contact"], name="contact_number_line")]
        constraints = [
            models.UniqueConstraint(fields=["contact", "position"], name="contact_number_place")
        ]

    def __str__(self) -> str:
        return self.pretty

    def clean(self) -> None:
        number = to_e164(self.number)
        if self.number and not number:  # whether there is one is asked of the field itself
            raise ValidationError({"number": _("This is not a phone number.")})
        self.number = number

    @property
    def pretty(self) -> str:
        return pretty(self.number)


def compared(number: str) -> str:
    """The line of a number; what cannot be a phone number is compared as it stands."""
    return line_of(number) or number


def distinct(numbers: Iterable[Numbered]) -> list[Numbered]:
    """`numbers` in E.164, without empty ones and without a line that came before. A kind that is
    not one of ours is `other`; a later row that knows the kind of an earlier one tells it."""
    kept: dict[str, Numbered] = {}
    for told, kind in numbers:
        number = to_e164(told) or told.strip()
        if not number:
            continue
        kind = kind if kind in NumberKind else NumberKind.OTHER
        first, known = kept.setdefault(compared(number), (number, kind))
        if known == NumberKind.OTHER:
            kept[compared(number)] = (first, kind)
    return list(kept.values())


def with_preferred(numbers: Sequence[Numbered], phone: str) -> list[Numbered]:
    """`numbers` once `phone` is the first of them: moved there if it is known, else in the place of
    the first. "" leaves none."""
    if not phone:
        return []
    line = compared(phone)
    kind = next((kind for number, kind in numbers if compared(number) == line), None)
    if kind is not None:
        return [(phone, kind), *(n for n in numbers if compared(n[0]) != line)]
    return [(phone, numbers[0][1] if numbers else NumberKind.OTHER), *numbers[1:]]
