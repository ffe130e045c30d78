"""What the pages of a contact send: its facts and numbers, and a number that is saved."""

from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Team, User
from calls.models import Contact, NumberKind
from calls.models.contact_number import Numbered
from common.phones import pretty, to_e164

AS_IT_IS, MINE, EVERYBODY = "as_it_is", "mine", "everybody"
MOST_NUMBERS: Final = 30
_NOT_A_NUMBER = gettext_lazy("This is not a phone number.")


class SaveNumberForm(forms.Form):
    """A name for a number that nobody knew."""

    name = forms.CharField(
        label=pgettext_lazy("of a contact", "Name"),
        max_length=120,
        error_messages={"required": gettext_lazy("The name is missing.")},
    )
    company = forms.CharField(label=gettext_lazy("Company"), max_length=120, required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of number"), choices=NumberKind.choices, required=False
    )


class ContactForm(forms.Form):
    """A contact with its numbers: in rows `number_0`, `kind_0` and so on; `preferred` is a row.

    A number that comes back as it was shown stays what it was. `typed` is shown again, unchecked,
    with one more row.
    """

    name = forms.CharField(label=pgettext_lazy("of a contact", "Name"), max_length=120)
    company = forms.CharField(label=gettext_lazy("Company"), max_length=120, required=False)
    whose = forms.ChoiceField(label=gettext_lazy("Who may see it"), required=False)
    external_id = forms.CharField(
        label=gettext_lazy("Reference in another system"), max_length=100, required=False
    )
    notes = forms.CharField(
        label=gettext_lazy("Notes"),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def __init__(
        self, data: Any = None, *, contact: Contact, viewer: User, typed: QueryDict | None = None
    ):
        self.contact, self.viewer = contact, viewer
        self.sent: Any = data if typed is None else typed
        self.shown = {pretty(number): number for number, _kind in contact.numbered}
        initial = {name: getattr(contact, name) for name in ("name", "company", "external_id")}
        super().__init__(data, initial={**initial, "notes": contact.notes, "whose": self._whose()})
        self._offer_whose()
        self._offer_numbers(0 if typed is None else 1)
        if typed is not None:
            self.initial.update({name: typed[name] for name in self.fields if name in typed})

    # --- Whose it is ------------------------------------------------------------------------------
    def _whose(self) -> str:
        contact = self.contact
        if contact.team_id is not None and contact.owner_id is None:
            return str(contact.team_id)
        if contact.owner_id == self.viewer.pk and contact.team_id is None:
            return MINE
        return EVERYBODY if contact.owner_id is None else AS_IT_IS

    def _offer_whose(self) -> None:
        scope = self.viewer.scope
        self.teams = {str(t.pk): t for t in (Team.objects.all() if scope.everyone else scope.teams)}
        choices: list[tuple[str, Any]] = [(MINE, gettext_lazy("I alone"))]
        choices += [(key, team.name) for key, team in self.teams.items()]
        if scope.everyone:
            choices.append((EVERYBODY, gettext_lazy("Everybody")))
        if self._whose() not in dict(choices):
            owner = self.contact.owner
            words = _("Only %(person)s") % {"person": owner} if owner else _("As it is now")
            choices.insert(0, (AS_IT_IS, words))
            self.initial["whose"] = AS_IT_IS
        field: Any = self.fields["whose"]
        field.choices = choices

    # --- Its numbers ------------------------------------------------------------------------------
    def _offer_numbers(self, more: int) -> None:
        known = self.contact.numbered
        rows = max(len(known) + 1, self._rows_sent()) + more
        for row in range(min(rows, MOST_NUMBERS)):
            number, kind = known[row] if row < len(known) else ("", NumberKind.MOBILE)
            self.fields[f"number_{row}"] = forms.CharField(
                label=_("Number %(n)d") % {"n": row + 1},
                max_length=40,
                required=False,
                initial=pretty(number) if number else "",
                widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
            )
            self.fields[f"kind_{row}"] = forms.ChoiceField(
                label=_("Kind of number %(n)d") % {"n": row + 1},
                choices=NumberKind.choices,
                initial=kind,
                required=False,
            )
        self.rows = min(rows, MOST_NUMBERS)

    def _rows_sent(self) -> int:
        sent = [name for name in self.sent or () if name.startswith("number_")]
        places = [int(end) for name in sent if (end := name[7:]).isascii() and end.isdigit()]
        return min(max(places, default=-1) + 1, MOST_NUMBERS)

    @property
    def preferred(self) -> int:
        sent = str((self.sent or {}).get("preferred", "0"))
        return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 4 else 0

    @property
    def number_rows(self) -> list[dict[str, Any]]:
        """For the template: the fields of each row, and whether it is the preferred one."""
        return [
            {
                "row": row,
                "number": self[f"number_{row}"],
                "kind": self[f"kind_{row}"],
                "preferred": row == self.preferred,
            }
            for row in range(self.rows)
        ]

    @property
    def facts(self) -> list[forms.BoundField]:
        """For the template: all that is no number."""
        return [self[name] for name in ("name", "company", "whose", "external_id", "notes")]

    def clean_external_id(self) -> str:
        reference: str = self.cleaned_data["external_id"]
        others = Contact.objects.filter(external_id=reference).exclude(pk=self.contact.pk)
        if reference and others.exists():
            raise forms.ValidationError(_("Another contact has this reference."))
        return reference

    def clean_notes(self) -> str:
        return "\n".join(self.cleaned_data["notes"].splitlines())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.numbers: list[Numbered] = []
        for row in range(self.rows):
            text = cleaned.get(f"number_{row}") or ""
            number = self.shown.get(text) or to_e164(text)
            if text and not number:
                self.add_error(f"number_{row}", _NOT_A_NUMBER)
            elif number:
                told = (number, cleaned.get(f"kind_{row}") or NumberKind.OTHER)
                self.numbers.insert(0 if row == self.preferred else len(self.numbers), told)
        if not self.numbers and not self.errors:
            self.add_error("number_0", _("A contact needs a number."))
        return cleaned

    def filled(self) -> Contact:
        """The contact with what the valid form says, not saved; its numbers are `numbers`."""
        contact, cleaned = self.contact, self.cleaned_data
        for name in ("name", "company", "external_id", "notes"):
            setattr(contact, name, cleaned[name])
        whose = cleaned["whose"]
        if whose in ("", AS_IT_IS, self._whose()):
            return contact
        contact.team = self.teams.get(whose)
        contact.owner = self.viewer if whose == MINE else None
        return contact
