"""Which calls, and which page of them: shared by the API, the history page and its exports."""

import datetime as dt
import re
from typing import Any, TypeVar

import django_filters
from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from calls import timeline
from calls.instants import day_start, from_ms, to_ms, today
from calls.models import CallLog, CallQuerySet, Contact
from calls.periods import Period, PeriodError, is_asked_for, period_of

Row = TypeVar("Row", bound=Model)

NO_TEAM = "none"
_FIRST_YEAR, _LAST_YEAR = 1970, 9998  # beyond these, a local day has no instants to compare with


class LocalDayField(forms.DateField):
    """A calendar day of the organisation, written YYYY-MM-DD."""

    default_error_messages = {"invalid": _("Write a date as YYYY-MM-DD.")}
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def __init__(self, **kwargs: Any):
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def to_python(self, value: Any) -> dt.date | None:
        day = super().to_python(value)
        if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
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


class CallFilterForm(forms.Form):
    period: Period | None = None
    period_error: PeriodError | None = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start_date"), cleaned.get("end_date")
        if start and end and start > end:
            self.add_error("start_date", _("The first day is after the last day."))
        least, most = cleaned.get("min_duration"), cleaned.get("max_duration")
        if least is not None and most is not None and least > most:
            self.add_error("min_duration", _("The shortest is longer than the longest."))
        try:
            if is_asked_for(cleaned):
                self.period = period_of(cleaned, today())
        except PeriodError as error:
            self.period_error = error
            self.add_error(error.field, error.message)
        return cleaned


class CallFilter(django_filters.FilterSet):
    """The calls `viewer` may see, narrowed. Days are local and inclusive.

    `user_id` and `agent` mean the same: a username or an id; somebody whom the viewer may not see
    has no calls here. With invalid data `is_valid()` is false and `errors` says why.
    """

    search = django_filters.CharFilter(label=_("Search"), method="later", max_length=120)
    user_id = django_filters.CharFilter(
        label=_("Agent"), method="of_person", max_length=150, strip=False
    )
    agent = django_filters.CharFilter(
        label=_("Agent"), method="of_person", max_length=150, strip=False
    )
    team = TeamFilter(label=_("Team"), method="of_team")
    period = django_filters.CharFilter(label=_("Period"), method="later", max_length=20)
    start_date = LocalDayFilter(label=_("From"), method="later")
    end_date = LocalDayFilter(label=_("To"), method="later")
    status = django_filters.ChoiceFilter(
        label=_("Status"), choices=CallLog.STATUSES, empty_label=_("Any status"), method="of_status"
    )
    direction = django_filters.ChoiceFilter(
        label=_("Direction"), choices=CallLog.DIRECTIONS, empty_label=_("Any direction")
    )
    min_duration = LengthFilter(label=_("Lasting at least"), method="of_length")
    max_duration = LengthFilter(
        label=_("Lasting at most"), field_name="duration_seconds", lookup_expr="lte"
    )
    disposition = django_filters.CharFilter(
        label=pgettext_lazy("of a call", "Outcome"), method="of_rare", max_length=60
    )
    provider = django_filters.CharFilter(label=_("Provider"), method="of_rare", max_length=60)
    evidence = django_filters.ChoiceFilter(
        label=_("Evidence"),
        choices=CallLog.EVIDENCE,
        empty_label=_("Any evidence"),
        method="of_evidence",
    )

    class Meta:
        form = CallFilterForm

    def __init__(
        self, data: Any = None, queryset: CallQuerySet | None = None, *, viewer: User, **kwargs: Any
    ):
        if queryset is None:
            queryset = CallLog.objects.visible_to(viewer)
        super().__init__(data, queryset=queryset, **kwargs)
        self.viewer = viewer
        # Whose calls these can be at most; None: several people's.
        self.person_id = viewer.pk if sees_only_self(viewer) else None
        self._chosen: list[int | None] = []  # the people asked for; None: one out of sight

    def filter_queryset(self, queryset: CallQuerySet) -> CallQuerySet:
        """Words first, because they decide the order in which calls are read; then the days."""
        calls = super().filter_queryset(queryset)
        calls = calls.search(self.form.cleaned_data["search"], self.person_id)
        first, last = self.days
        if first or last:
            calls = calls.started_between(
                day_start(first or dt.date(_FIRST_YEAR, 1, 1)),
                day_start((last or dt.date(_LAST_YEAR, 1, 1)) + dt.timedelta(days=1)),
            )
        return calls

    @property
    def days(self) -> tuple[dt.date | None, dt.date | None]:
        """The first and the last local day that all of the period's parameters leave."""
        start, end = (self.form.cleaned_data[name] for name in ("start_date", "end_date"))
        period = self.form.period
        if period is None:
            return start, end
        return max(start or period.first, period.first), min(end or period.last, period.last)

    def people(self) -> QuerySet[User]:
        """Those whose calls pass the filter. Ask for the calls (`qs`) before."""
        people = User.objects.visible_to(self.viewer)
        for pk in self._chosen:
            people = people.filter(pk=pk)
        team = self.form.cleaned_data["team"]
        return people.filter(team=_team_of(team)) if team else people

    def later(self, calls: CallQuerySet, name: str, value: Any) -> CallQuerySet:
        """`filter_queryset` sees to it."""
        return calls

    def of_person(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        person = visible_person(self.viewer, value)
        self._chosen.append(None if person is None else person.pk)
        if person is None:
            return calls.none()
        self.person_id = person.pk
        return calls.filter(user=person)

    def of_team(self, calls: CallQuerySet, name: str, value: int | str) -> CallQuerySet:
        return calls.filter(user__isnull=False, user__team=_team_of(value))

    def of_status(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        if value != timeline.IN_PROGRESS:
            return calls.filter(status=value)
        # Asked for apart, or the few that run would be looked for among all there ever were.
        return calls.filter(pk__in=CallLog.objects.active().order_by().values("pk"))

    def of_length(self, calls: CallQuerySet, name: str, value: int) -> CallQuerySet:
        return calls.lasting(value)

    def of_evidence(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        calls = calls.filter(evidence=value)
        return calls if value == timeline.CLICK else calls.exclude(evidence=timeline.CLICK)

    def of_rare(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        """What few calls have is found by an index of those few: SQLite wants to be told."""
        return calls.filter(**{name: value}).exclude(**{name: ""})


def _team_of(value: int | str) -> int | None:
    return None if value == NO_TEAM else int(value)


# A keyword of the language, and so no name of an attribute.
for _name, _label in (("from", _("From")), ("to", _("To"))):
    CallFilter.base_filters[_name] = django_filters.CharFilter(
        field_name=_name, label=_label, method="later", max_length=20
    )


def sees_only_self(viewer: User) -> bool:
    """Whether the calls that `viewer` may see are the own ones alone."""
    return not (viewer.scope.everyone or viewer.scope.team_ids)


def visible_person(viewer: User, reference: str) -> User | None:
    """Whom `reference` means among those `viewer` may see: a username, else an id."""
    people = User.objects.visible_to(viewer)
    found = people.filter(username=reference).first()
    if found is None and reference.isascii() and reference.isdigit() and len(reference) < 19:
        found = people.filter(pk=int(reference)).first()
    return found


def page_of_calls(calls: CallQuerySet, cursor: str, limit: int) -> tuple[list[CallLog], str]:
    """At most `limit` calls, newest first, and the cursor of the next page ("" if none).

    The bounded range lets the index find the place at any depth. ValidationError for a cursor
    that is not one of ours.
    """
    calls = calls.newest_first()
    if cursor:
        milliseconds, pk = _read_cursor(cursor, "calls")
        calls = calls.older_than(from_ms(milliseconds), pk)
    rows, more = _cut_page(calls, limit)
    return rows, _cursor("calls", to_ms(rows[-1].start_time), rows[-1].pk) if more else ""


def page_of_contacts(
    contacts: QuerySet[Contact], cursor: str, limit: int
) -> tuple[list[Contact], str]:
    """The same for contacts, oldest first, so that a program that copies them misses none."""
    contacts = contacts.order_by("pk")
    if cursor:
        contacts = contacts.filter(pk__gt=_read_cursor(cursor, "contacts")[0])
    rows, more = _cut_page(contacts, limit)
    return rows, _cursor("contacts", rows[-1].pk) if more else ""


def _cut_page(rows: QuerySet[Row], limit: int) -> tuple[list[Row], bool]:
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def _cursor(purpose: str, *place: int) -> str:
    """Where a page ended; opaque, signed, and safe in a URL."""
    return signing.dumps(place, salt=f"cursor.{purpose}")


def _read_cursor(cursor: str, purpose: str) -> list[int]:
    try:
        return signing.loads(cursor, salt=f"cursor.{purpose}")
    except signing.BadSignature as error:
        raise ValidationError(_("This is not a cursor of ours: follow the link.")) from error
