"""What the pages of an import of records send."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from calls.models import ProviderAccount
from reconciliation.formats.catalogue import FORMATS, Field, Look, formats_for
from reconciliation.models import RecordImport

_PLACES: Final = re.compile(
    "(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/"
)
_PREFIX: Final = "column_"
# What is asked for even where no column has such a name.
_MAIN: Final = ("start", "answered", "end", "duration", "talk", "extension", "number", "status")
# What formats ask for, by its name in a reading.
_WAYS: Final[Mapping[str, Any]] = {
    "encoding": _("Encoding"),
    "separator": _("Separator"),
    "sheet": _("Sheet"),
    "date_order": _("Order of dates"),
    "length_unit": _("Lengths are in"),
    "rounding": _("Lengths are rounded"),
}


class UploadForm(forms.Form):
    """A file of records, and which phone system it is from."""

    account = forms.ModelChoiceField(
        label=_("Phone system"),
        queryset=ProviderAccount.objects.filter(is_active=True),
        empty_label=None,
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("Call detail records or a list of calls: CSV, Excel, JSON or XML."),
        error_messages={"empty": _("The file is empty.")},
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,.json,.xml,.log"}),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        account = self.fields["account"]
        account.label_from_instance = lambda one: one.name  # type: ignore[attr-defined]


class ReadingForm(forms.Form):
    """How a draft's file is read: its format, what that asks for, and which column is what."""

    def __init__(self, data: Any = None, *, what: RecordImport, look: Look):
        super().__init__(data)
        self._what, self._look = what, look
        self._add("format", _("Format"), _formats(what), what.format, required=True)
        if not getattr(FORMATS.get(what.format), "zone_name", ""):
            zone = look.reading.get("time_zone") or settings.TIME_ZONE
            self._add("time_zone", _("Time zone of the file"), _zones(zone), zone)
        for name, choices in look.choices.items():
            if len(choices) > 1:
                self._add(name, _WAYS.get(name, name), choices, look.reading.get(name) or "")
        self._ways = list(self.fields)
        for column in look.fields:
            place = _place(look, column)
            self._add(_PREFIX + column.name, column.label, _columns(look), place)
            self.fields[_PREFIX + column.name].required = column.required

    def _add(
        self, name: str, label: Any, choices: Iterable[Any], initial: str, *, required: bool = False
    ) -> None:
        offered = list(choices)
        if initial not in (code for code, _label in offered):
            offered.insert(0, (initial, initial or "—"))
        self.fields[name] = forms.ChoiceField(
            label=label, choices=offered, initial=initial, required=required
        )

    @property
    def ways(self) -> list[forms.BoundField]:
        """What is asked of the file as a whole."""
        return [self[name] for name in self._ways]

    @property
    def columns(self) -> list[forms.BoundField]:
        """Which column holds each field: those that matter most, and those that there are."""
        return [self[_PREFIX + one.name] for one in self._look.fields if not self._is_rare(one)]

    @property
    def rare_columns(self) -> list[forms.BoundField]:
        """The others."""
        return [self[_PREFIX + one.name] for one in self._look.fields if self._is_rare(one)]

    def _is_rare(self, column: Field) -> bool:
        return not (column.required or column.name in _MAIN or column.column is not None)

    @property
    def format(self) -> str:
        chosen: str = self.cleaned_data["format"]
        return chosen

    @property
    def reading(self) -> dict[str, Any]:
        """`RecordImport.reading` as it was chosen; of another format only what all know."""
        ways = {name: self.cleaned_data[name] for name in self._ways[1:] if self.cleaned_data[name]}
        if self.format != self._what.format:
            return {name: ways[name] for name in ("time_zone", "encoding") if name in ways}
        columns = {
            column.name: _name_of(self._look, int(place))
            for column in self._look.fields
            if (place := self.cleaned_data[_PREFIX + column.name])
        }
        return {**ways, "columns": columns} if columns else ways


def _formats(what: RecordImport) -> list[tuple[str, Any]]:
    """Those for the account's phone system first."""
    return [(one.code, one.title) for one in formats_for(what.account.kind)]


def _zones(chosen: str) -> list[tuple[str, str]]:
    names = {name for name in available_timezones() if name == "UTC" or _PLACES.match(name)}
    return [(name, name.replace("_", " ")) for name in sorted(names | {chosen})]


def _columns(look: Look) -> list[tuple[str, str]]:
    """The columns by their place, each with the first that stands there."""
    found = [("", "—")]
    for place, name in enumerate(look.head):
        first = next((row[place] for row in look.samples if place < len(row) and row[place]), "")
        found.append((str(place), f"{name[:40]} ({first[:24]})" if first else name[:40]))
    return found


def _place(look: Look, column: Field) -> str:
    if isinstance(column.column, str):
        return str(look.head.index(column.column)) if column.column in look.head else ""
    return "" if column.column is None else str(column.column)


def _name_of(look: Look, place: int) -> str | int:
    """A column by its name, which stays when others come before it; by its place where that does
    not tell, or where the name is ours because the file has none."""
    name = look.head[place]
    is_ours = name == gettext("Column %(n)d") % {"n": place + 1}
    return name if name and look.head.count(name) == 1 and not is_ours else place
