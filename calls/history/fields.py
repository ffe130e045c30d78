"""What people write into the filters of calls: a local day, a team, a length of time."""

import datetime as dt
import re
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from common.periods import FIRST_YEAR, LAST_YEAR

NO_TEAM = "none"


class LocalDayField(forms.DateField):
    """A calendar day of the organisation, written YYYY-MM-DD."""

    default_error_messages = {"invalid": _("Write a date as YYYY-MM-DD.")}
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, **kwargs: Any):
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def to_python(self, value: Any) -> dt.date | None:
        day = super().to_python(value)
        # It would take 2026-1-5, too, which is no date of ISO 8601.
        if day is not None and isinstance(value, str) and day.isoformat() != value.strip():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValidationError(_("This date is out of range."), code="invalid")
        return day


class LocalDayFilter(django_filters.Filter):
    field_class = LocalDayField


class IdFilter(django_filters.Filter):
    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, min_value=1, max_value=2**63 - 1, **kwargs)


class TeamField(forms.IntegerField):
    """A team's id, or `none` for the people without a team."""

    def to_python(self, value: Any) -> Any:
        return NO_TEAM if value == NO_TEAM else super().to_python(value)

    def run_validators(self, value: Any) -> None:
        if value != NO_TEAM:
            super().run_validators(value)


class TeamFilter(IdFilter):
    field_class = TeamField


class _Grades(forms.CheckboxSelectMultiple):
    """Letters that a URL gives one by one, or with commas."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else [data.get(name) or ""]
        return [letter for value in given for letter in value.split(",") if letter]


class GradesField(forms.MultipleChoiceField):
    """Grades of evidence: `A`, or several."""

    widget = _Grades


class GradesFilter(django_filters.Filter):
    field_class = GradesField


class LengthField(forms.CharField):
    """A length of time as people write it, `90`, `1:30` or `1:02:30`: whole seconds."""

    widget = forms.TextInput(attrs={"placeholder": "1:30", "maxlength": 9})

    default_error_messages = {"invalid": _("Write seconds, or a length such as 1:30.")}

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,6}|([0-9]{1,2}:)?[0-9]{1,3}:[0-5][0-9]", text):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        seconds = 0
        for part in text.split(":"):
            seconds = seconds * 60 + int(part)
        return seconds


class LengthFilter(django_filters.Filter):
    field_class = LengthField
