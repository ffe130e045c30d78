"""Local dates and times in forms: each may name one instant, none, or two."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.instants import local_instants, organisation_zone


class LocalInstantField(forms.DateTimeField):
    """A date and time of the organisation's zone, to the second; naive until InstantsForm has
    found the instant. With an offset, the instant that it names."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
    )

    def to_python(self, value: Any) -> dt.datetime | None:
        local = _local(value)
        return super().to_python(value) if local is None else local


def _local(value: Any) -> dt.datetime | None:
    """The naive time that the text `value` writes, if it does."""
    try:
        said = parse_datetime(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
    return said if said is not None and said.tzinfo is None else None


class WhichField(forms.TypedChoiceField):
    """Which of the two `instants` of one local time is meant: 0 or 1, None where nobody says."""

    def __init__(self, instants: list[dt.datetime], **kwargs: Any):
        before, after = (_offset(instant) for instant in instants)
        super().__init__(
            coerce=int,
            empty_value=None,
            required=False,
            choices=[
                ("", gettext_lazy("Choose one")),
                ("0", _("before the clocks went back (%(offset)s)") % {"offset": before}),
                ("1", _("after the clocks went back (%(offset)s)") % {"offset": after}),
            ],
            **kwargs,
        )


def _offset(instant: dt.datetime) -> str:
    """`UTC+02:00`."""
    return f"UTC{instant.astimezone(organisation_zone()).isoformat()[-6:]}"


class InstantsForm(forms.Form):
    """A form of instants, the `own` ones by the names of their fields.

    What comes back as it was shown stays the own instant, with its milliseconds. A time that comes
    twice has a second field, `<name>_which`; where that says nothing of a changed time, the form
    is not valid and offers both.
    """

    def __init__(self, data: Any = None, *, own: Mapping[str, dt.datetime | None], **kwargs: Any):
        self.own = own
        initial = kwargs.pop("initial", {})
        shown = {name: instant and _clock_of(instant) for name, instant in own.items()}
        super().__init__(data, initial=initial | shown, **kwargs)
        for name in own:
            self._offer_both(name, shown[name] if data is None else _local(data.get(name)))

    def _offer_both(self, name: str, local: dt.datetime | None) -> None:
        instants = local_instants(local) if local is not None else []
        if len(instants) < 2:
            return
        known = self._place_of_own(name, instants)
        self.fields[_which(name)] = WhichField(
            instants,
            label=_("%(field)s: which of the two?") % {"field": self.fields[name].label},
            initial="" if known is None else str(known),
        )
        names = list(self.fields)
        names.insert(names.index(name) + 1, names.pop())
        self.order_fields(names)

    def _place_of_own(self, name: str, instants: list[dt.datetime]) -> int | None:
        own = self.own[name]
        shown = own and own.replace(microsecond=0)
        return instants.index(shown) if shown in instants else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, own in self.own.items():
            said = cleaned.get(name)
            if said is None:
                continue
            try:
                instant = self._meant(name, said)
            except forms.ValidationError as error:
                self.add_error(name, error)
            else:
                is_own = own is not None and instant == own.replace(microsecond=0)
                cleaned[name] = own if is_own else instant
        return cleaned

    def _meant(self, name: str, said: dt.datetime) -> dt.datetime:
        if said.tzinfo is not None:
            return said
        instants = local_instants(said)
        if not instants:
            raise forms.ValidationError(
                _("There was no such time: the clocks were put forward over it."), code="skipped"
            )
        if len(instants) == 1:
            return instants[0]
        which = self.cleaned_data.get(_which(name))
        place = self._place_of_own(name, instants) if which is None else which
        if place is None:
            raise forms.ValidationError(
                _("This time came twice that day, as the clocks went back. Choose one."),
                code="ambiguous",
            )
        return instants[place]


def _which(name: str) -> str:
    return f"{name}_which"


def _clock_of(instant: dt.datetime) -> dt.datetime:
    """What the organisation's clocks show at `instant`, to the second."""
    return instant.astimezone(organisation_zone()).replace(tzinfo=None, microsecond=0, fold=0)
