"""What the pages of a contact import send."""

from typing import Any, cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from calls.contacts import columns as contact_columns
from calls.contacts.columns import MAX_NUMBERS
from calls.contacts.files import MAX_BYTES
from calls.models import ContactImport, NumberKind

MINE, EVERYBODY = "mine", "everybody"


class UploadForm(forms.Form):
    """A file, and whose its contacts shall be."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, Excel (.xlsx) or vCard (.vcf), up to 5 MiB and 20,000 rows."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.vcf"}),
    )
    whose = forms.ChoiceField(label=_("Whose contacts will they be?"), required=False)

    def __init__(self, *args: Any, person: User, **kwargs: Any):
        super().__init__(*args, **kwargs)
        scope = person.scope
        teams = Team.objects.all() if scope.everyone else Team.objects.filter(pk__in=scope.team_ids)
        self._teams = {str(team.pk): team for team in teams}
        choices: list[Any] = [(MINE, _("Mine alone"))]
        choices += [(key, team.name) for key, team in self._teams.items()]
        if scope.everyone:
            choices.append((EVERYBODY, _("Everybody’s")))
        cast(forms.ChoiceField, self.fields["whose"]).choices = choices

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is too large: at most 5 MiB."))
        return file

    @property
    def team(self) -> Team | None:
        return self._teams.get(self.cleaned_data["whose"])

    @property
    def for_everybody(self) -> bool:
        return bool(self.cleaned_data["whose"] == EVERYBODY)


class MappingForm(forms.Form):
    """Which column is what, and what to do with those who are there already."""

    duplicates = forms.ChoiceField(
        label=_("Contacts that are there already"), choices=ContactImport.DUPLICATES
    )

    def __init__(self, data: Any = None, *, what: ContactImport):
        initial = {name: str(said) for name, said in what.mapping.items()}
        super().__init__(data, initial=initial | {"duplicates": what.duplicates})
        choices = _choices(what)
        used = [name for name in contact_columns.number_fields(MAX_NUMBERS) if name in what.mapping]
        # One more than there are, so that another can be said.
        self._numbers = contact_columns.number_fields(min(len(used) + 1, max(len(choices) - 1, 1)))
        self._columns: list[str] = []
        for name, label in contact_columns.FIELDS.items():
            if name == "phone":
                self._add_numbers(choices)
            elif name in what.mapping or name not in contact_columns.RARE:
                self._add(name, label, choices)
        self.order_fields([*self.fields, "duplicates"])

    def _add_numbers(self, choices: list[Any]) -> None:
        for place, name in enumerate(self._numbers, start=1):
            label = _("Phone") if place == 1 else format_lazy(_("Phone {n}"), n=place)
            self._add(name, label, choices)
            kinds = [("", _("Kind: as in the file")), *NumberKind.choices]
            aria = {"aria-label": format_lazy("{}: {}", label, _("kind"))}
            self.fields[f"{name}_kind"] = forms.ChoiceField(
                choices=kinds, required=False, widget=forms.Select(attrs=aria)
            )

    def _add(self, name: str, label: Any, choices: list[Any]) -> None:
        self._columns.append(name)
        self.fields[name] = forms.ChoiceField(label=label, choices=choices, required=False)

    @property
    def columns(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """What a page asks for: the column of a field and, of a number, its kind."""
        return [
            (self[name], self[f"{name}_kind"] if name in self._numbers else None)
            for name in self._columns
        ]

    @property
    def mapping(self) -> dict[str, Any]:
        """`ContactImport.mapping` as it was chosen; the numbers without gaps between them."""
        chosen = {name: self.cleaned_data[name] for name in self._columns}
        told = [name for name in self._numbers if chosen.pop(name)]
        found: dict[str, Any] = {name: int(column) for name, column in chosen.items() if column}
        for name, field in zip(told, contact_columns.number_fields(len(told)), strict=True):
            found[field] = int(self.cleaned_data[name])
            if kind := self.cleaned_data[f"{name}_kind"]:
                found[f"{field}_kind"] = kind
        return found


def _choices(what: ContactImport) -> list[Any]:
    """The columns that have anything in them, each with the first of what stands there."""
    width = max([len(what.head), *map(len, what.rows)])
    heads = [*what.head, *[""] * (width - len(what.head))]
    found: list[Any] = [("", "—")]
    for place, head in enumerate(heads):
        first = next((row[place] for row in what.rows if place < len(row) and row[place]), "")
        if first or place in what.mapping.values():
            found.append((str(place), f"{head[:40]} ({first[:24]})" if first else head[:40]))
    return found
