"""Which calls: shared by the API, the history page and its exports."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User
from calls import timeline
from calls.history.fields import NO_TEAM, GradesFilter, LengthFilter, LocalDayFilter, TeamFilter
from calls.models import CallDispute, CallLog, CallQuerySet
from calls.models.evidence import IN_WORDS
from common.instants import day_start, local_now
from common.periods import (
    FIRST_YEAR,
    LAST_YEAR,
    PARAMETERS,
    Period,
    PeriodError,
    is_asked_for,
    period_of,
)

_PERSONS = ("user_id", "agent")
_RARE = {timeline.OFFLINE, timeline.ESTIMATE}
# What is read together with others, in `filter_queryset`, instead of each by itself.
_TOGETHER = frozenset({"search", *_PERSONS, *PARAMETERS, "start_date", "end_date"})


class CallFilterForm(forms.Form):
    """What a URL or a program asks for, checked field by field and then together."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start_date"), cleaned.get("end_date")
        if start and end and start > end:
            self.add_error("start_date", _("The first day is after the last day."))
        least, most = cleaned.get("min_duration"), cleaned.get("max_duration")
        if least is not None and most is not None and least > most:
            self.add_error("min_duration", _("The shortest is longer than the longest."))
        try:
            _period_of(cleaned)
        except PeriodError as error:
            self.add_error(error.field, error.message)
        return cleaned


class CallFilter(django_filters.FilterSet):
    """The calls `viewer` may see, narrowed. Days are local and inclusive.

    `user_id` and `agent` mean the same: a username or an id; somebody whom the viewer may not see
    has no calls here. With invalid data `is_valid()` is false and `errors` says why; else all that
    is said here follows from the data and the viewer alone.
    """

    search = django_filters.CharFilter(label=_("Search"), max_length=120)
    user_id = django_filters.CharFilter(label=_("Agent"), max_length=150, strip=False)
    agent = django_filters.CharFilter(label=_("Agent"), max_length=150, strip=False)
    team = TeamFilter(label=_("Team"), method="of_team")
    period = django_filters.CharFilter(label=_("Period"), max_length=20)
    start_date = LocalDayFilter(label=_("From"))
    end_date = LocalDayFilter(label=_("To"))
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
    evidence = GradesFilter(
        label=_("Evidence"), choices=list(IN_WORDS.items()), method="of_evidence"
    )

    disputed = django_filters.ChoiceFilter(
        label=_("Dispute"),
        choices=CallDispute.STATES,
        empty_label=_("Disputed or not"),
        method="of_dispute",
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

    def filter_queryset(self, queryset: CallQuerySet) -> CallQuerySet:
        """The parameters that stand for themselves; the people; words, because they decide the
        order in which calls are read; the days."""
        calls = queryset
        for name, value in self.asked.items():
            if name not in _TOGETHER:
                calls = self.filters[name].filter(calls, value)
        for person in self.persons:
            calls = calls.none() if person is None else calls.filter(user=person)
        calls = calls.search(self.asked["search"], self.person_id)
        return self._within_days(calls)

    def _within_days(self, calls: CallQuerySet) -> CallQuerySet:
        first, last = self.days
        if not (first or last):
            return calls
        return calls.started_between(
            day_start(first or dt.date(FIRST_YEAR, 1, 1)),
            day_start((last or dt.date(LAST_YEAR, 1, 1)) + dt.timedelta(days=1)),
        )

    @property
    def asked(self) -> dict[str, Any]:
        """The checked data. ValidationError where they are invalid."""
        if not self.is_valid():
            raise ValidationError(dict(self.errors))
        cleaned: dict[str, Any] = self.form.cleaned_data
        return cleaned

    @cached_property
    def asked_period(self) -> Period | None:
        """The period that the valid data ask for, if any."""
        return _period_of(self.asked)

    @property
    def period_error(self) -> PeriodError | None:
        """What is wrong with the period that the data ask for, if anything."""
        wrong = next((name for name in PARAMETERS if name in self.errors), None)
        return None if wrong is None else PeriodError(self.errors[wrong][0], wrong)

    @property
    def days(self) -> tuple[dt.date | None, dt.date | None]:
        """The first and the last local day that all of the period's parameters leave."""
        start, end = (self.asked[name] for name in ("start_date", "end_date"))
        period = self.asked_period
        if period is None:
            return start, end
        return max(start or period.first, period.first), min(end or period.last, period.last)

    @cached_property
    def persons(self) -> list[User | None]:
        """The people asked for by name; None for one whom the viewer may not see."""
        asked = (self.asked[name] for name in _PERSONS)
        return [visible_person(self.viewer, reference) for reference in asked if reference]

    @property
    def person_id(self) -> int | None:
        """Whose calls these can be at most; None: several people's."""
        if self.persons and self.persons[-1] is not None:
            return self.persons[-1].pk
        return self.viewer.pk if sees_only_self(self.viewer) else None

    def people(self) -> QuerySet[User]:
        """Those whose calls pass the filter."""
        people = User.objects.visible_to(self.viewer)
        for person in self.persons:
            people = people.none() if person is None else people.filter(pk=person.pk)
        team = self.asked["team"]
        return people.filter(team=_team_of(team)) if team else people

    def of_team(self, calls: CallQuerySet, name: str, value: int | str) -> CallQuerySet:
        return calls.filter(user__isnull=False, user__team=_team_of(value))

    def of_status(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        if value != timeline.IN_PROGRESS:
            return calls.filter(status=value)
        return calls.active_apart()

    def of_length(self, calls: CallQuerySet, name: str, value: int) -> CallQuerySet:
        return calls.lasting(value)

    def of_evidence(self, calls: CallQuerySet, name: str, value: list[str]) -> CallQuerySet:
        """One grade that is no click, and the rare ones, are found by an index of those few."""
        letters = set(value)
        calls = calls.filter(evidence__in=letters)
        is_of_few = letters <= _RARE or (len(letters) == 1 and timeline.CLICK not in letters)
        return calls.exclude(evidence=timeline.CLICK) if is_of_few else calls

    def of_dispute(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        return calls.filter(
            pk__in=CallDispute.objects.filter(state=value).order_by().values("call")
        )

    def of_rare(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        """What few calls have is found by an index of those few: SQLite wants to be told."""
        return calls.filter(**{name: value}).exclude(**{name: ""})


# A keyword of the language, and so no name of an attribute.
for _name, _label in (("from", _("From")), ("to", _("To"))):
    CallFilter.base_filters[_name] = django_filters.CharFilter(
        field_name=_name, label=_label, max_length=20
    )


def _period_of(cleaned: Mapping[str, Any]) -> Period | None:
    """The period in `cleaned`, if any. Raises PeriodError."""
    return period_of(cleaned, local_now()) if is_asked_for(cleaned) else None


def _team_of(value: int | str) -> int | None:
    return None if value == NO_TEAM else int(value)


def sees_only_self(viewer: User) -> bool:
    """Whether the calls that `viewer` may see are their own alone."""
    return not (viewer.scope.everyone or viewer.scope.team_ids)


def visible_person(viewer: User, reference: str) -> User | None:
    """Whom `reference` means among those `viewer` may see: a username, else an id."""
    people = User.objects.visible_to(viewer)
    found = people.named(reference)
    if found is None and reference.isascii() and reference.isdigit() and len(reference) < 19:
        found = people.filter(pk=int(reference)).first()
    return found
