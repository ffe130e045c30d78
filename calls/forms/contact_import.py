"""What the pages of a contact import send."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from calls.contacts import columns as contact_columns
from calls.contacts.files import MAX_BYTES
from calls.models import ContactImport

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
        initial = {name: str(column) for name, column in what.mapping.items()}
        super().__init__(data, initial=initial | {"duplicates": what.duplicates})
        first = what.rows[0] if what.rows else [""] * len(what.head)
        columns = [("", "—")] + [
            (str(place), f"{head[:40]} ({cell[:24]})" if cell else head[:40])
            for place, (head, cell) in enumerate(zip(what.head, first, strict=False))
        ]
        for name, label in contact_columns.FIELDS.items():
            self.fields[name] = forms.ChoiceField(label=label, choices=columns, required=False)
        self.order_fields([*contact_columns.FIELDS, "duplicates"])

    @property
    def mapping(self) -> dict[str, int]:
        chosen = {name: self.cleaned_data[name] for name in contact_columns.FIELDS}
        return {name: int(column) for name, column in chosen.items() if column}
