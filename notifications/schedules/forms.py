"""The form of a schedule: what, how often, when, to whom."""

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import roles
from accounts.models import User
from common.generics import ModelForm
from common.instants import now
from metrics.models import SavedView
from notifications.models.schedules import ReportReceiver, ReportSchedule
from notifications.schedules.due import next_due
from notifications.schedules.receivers import (
    may_choose_people,
    may_choose_roles,
    people_for,
    why_no_mail,
)
from notifications.schedules.subjects import CannotBeReported, subject_of

MOST_SCHEDULES: Final = 50  # of one owner


class ScheduleForm(ModelForm[ReportSchedule]):
    """Its owner is the instance's; what only some may choose is there for them alone."""

    weekday = forms.TypedChoiceField(
        label=gettext_lazy("On which day of the week"), coerce=int, required=False, empty_value=None
    )
    day = forms.TypedChoiceField(
        label=gettext_lazy("On which day of the month"),
        coerce=int,
        required=False,
        empty_value=None,
        choices=[(day, day) for day in range(1, 32)],
        help_text=gettext_lazy("In a month without that day: its last one."),
    )
    people = forms.TypedMultipleChoiceField(
        label=gettext_lazy("To these people"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("To everybody with these roles"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=list(roles.LABELS.items()),
        help_text=gettext_lazy("Each receives only what that person may see."),
    )

    class Meta:
        model = ReportSchedule
        fields = ("view", "name", "every", "weekday", "day", "at", "pdf", "excel", "roles")
        widgets = {"at": forms.TimeInput(format="%H:%M", attrs={"type": "time"})}
        labels = {
            "view": gettext_lazy("What"),
            "at": gettext_lazy("At what time"),
            "name": gettext_lazy("Name"),
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.owner: User = self.instance.owner
        self._people = people_for(self.owner)
        fields: Any = self.fields
        own = SavedView.objects.filter(owner=self.owner)
        fields["view"].queryset = own
        fields["view"].empty_label = _("Executive report")
        fields["view"].help_text = _(
            "Your saved views, each for the days that the report is about. Save one from the "
            "period bar of its page."
        )
        fields["name"].required = False
        fields["name"].help_text = _("Empty: as what is sent is called.")
        fields["weekday"].choices = [(day, capfirst(name)) for day, name in WEEKDAYS.items()]
        fields["every"].choices = [
            ("day", _("Every day, about the day before")),
            ("week", _("Every week, about the week before")),
            ("month", _("Every month, about the month before")),
        ]
        fields["people"].choices = [(one.pk, one.display_name) for one in self._people]
        if not may_choose_people(self.owner):
            del fields["people"]
        if not may_choose_roles(self.owner):
            del fields["roles"]
        if "people" in fields and not self.is_bound:
            self.initial["people"] = self._named()

    def _named(self) -> list[int]:
        if self.instance.pk is None:
            return [self.owner.pk]
        rows = self.instance.receivers.filter(by_name=True)
        return list(rows.values_list("person_id", flat=True))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        view = cleaned.get("view")
        cleaned["weekday"] = cleaned.get("weekday") or 0
        cleaned["day"] = cleaned.get("day") or 1
        cleaned["name"] = " ".join(cleaned.get("name", "").split()) or (
            view.name if view else _("Executive report")
        )
        if self.instance.pk is None and self.owner.report_schedules.count() >= MOST_SCHEDULES:
            raise ValidationError(
                _("You have %(number)d reports by mail, which is the most. Delete one first.")
                % {"number": MOST_SCHEDULES}
            )
        self._check_receivers(cleaned)
        return cleaned

    def _check_receivers(self, cleaned: dict[str, Any]) -> None:
        """Each can be mailed to and may see it; of roles, that is asked when it is due."""
        if "people" in self.errors:
            return
        chosen = set(cleaned.get("people", [self.owner.pk]))
        if not chosen and not cleaned.get("roles"):
            self.add_error("people", _("Choose to whom it is sent."))
        view = cleaned.get("view")
        for person in self._people:
            if person.pk not in chosen:
                continue
            where = "people" if "people" in self.fields else None
            if why := why_no_mail(person) or _why_not_theirs(person, view):
                self.add_error(where, why)

    def save(self, commit: bool = True) -> ReportSchedule:
        """With its receivers, due from now on."""
        schedule = self.instance
        chosen = set(self.cleaned_data.get("people", [self.owner.pk]))
        with transaction.atomic():
            schedule.next_at = next_due(schedule, now())
            saved: ReportSchedule = super().save()
            saved.receivers.filter(by_name=True).exclude(person__in=chosen).delete()
            # Who was chosen as a person stays; who had left as one of a role has left.
            saved.receivers.filter(person__in=chosen).update(by_name=True)
            ReportReceiver.objects.bulk_create(
                [ReportReceiver(schedule=saved, person_id=pk) for pk in chosen],
                ignore_conflicts=True,
            )
        return saved


def _why_not_theirs(person: User, view: SavedView | None) -> str:
    if view is None:
        return ""
    try:
        subject_of(person, view.path, view.query)
    except CannotBeReported as error:
        return str(error)
    return ""
