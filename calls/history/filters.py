"""Which calls: shared by the API, the history page and its exports."""

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from calls import timeline
from calls.history.fields import NO_TEAM, LengthFilter, LocalDayFilter, TeamFilter
from calls.models import CallLog, CallQuerySet
from common.instants import day_start, today
from common.periods import FIRST_YEAR, LAST_YEAR, Period, PeriodError, is_asked_for, period_of


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
                day_start(first or dt.date(FIRST_YEAR, 1, 1)),
                day_start((last or dt.date(LAST_YEAR, 1, 1)) + dt.timedelta(days=1)),
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


# A keyword of the language, and so no name of an attribute.
for _name, _label in (("from", _("From")), ("to", _("To"))):
    CallFilter.base_filters[_name] = django_filters.CharFilter(
        field_name=_name, label=_label, method="later", max_length=20
    )


def _team_of(value: int | str) -> int | None:
    return None if value == NO_TEAM else int(value)


def sees_only_self(viewer: User) -> bool:
    """Whether the calls that `viewer` may see are their own alone."""
    return not (viewer.scope.everyone or viewer.scope.team_ids)


def visible_person(viewer: User, reference: str) -> User | None:
    """Whom `reference` means among those `viewer` may see: a username, else an id."""
    people = User.objects.visible_to(viewer)
    found = people.filter(username=reference).first()
    if found is None and reference.isascii() and reference.isdigit() and len(reference) < 19:
        found = people.filter(pk=int(reference)).first()
    return found
