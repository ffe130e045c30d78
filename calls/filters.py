"""Which calls, and which page of them: shared by the API, the history page and its exports."""

import datetime as dt
from typing import Any, TypeVar

import django_filters
from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calls.instants import day_start, from_ms, to_ms
from calls.models import CallLog, CallQuerySet, Contact

Row = TypeVar("Row", bound=Model)

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


class CallFilterForm(forms.Form):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("start_date"), cleaned.get("end_date")
        if start and end and start > end:
            self.add_error("start_date", _("The first day is after the last day."))
        return cleaned


class CallFilter(django_filters.FilterSet):
    """The calls `viewer` may see, narrowed. Days are local and inclusive.

    `user_id` and `agent` mean the same: a username or an id; somebody whom the viewer may not see
    has no calls here. With invalid data `is_valid()` is false and `errors` says why.
    """

    user_id = django_filters.CharFilter(
        label=_("Agent"), method="of_person", max_length=150, strip=False
    )
    agent = django_filters.CharFilter(
        label=_("Agent"), method="of_person", max_length=150, strip=False
    )
    team = IdFilter(label=_("Team"), field_name="user__team")
    start_date = LocalDayFilter(label=_("From"), method="from_day")
    end_date = LocalDayFilter(label=_("To"), method="to_day")
    status = django_filters.ChoiceFilter(
        label=_("Status"), choices=CallLog.STATUSES, empty_label=_("Any status")
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

    def of_person(self, calls: CallQuerySet, name: str, value: str) -> CallQuerySet:
        person = visible_person(self.viewer, value)
        return calls.none() if person is None else calls.filter(user=person)

    def from_day(self, calls: CallQuerySet, name: str, day: dt.date) -> CallQuerySet:
        return calls.filter(start_time__gte=day_start(day))

    def to_day(self, calls: CallQuerySet, name: str, day: dt.date) -> CallQuerySet:
        return calls.filter(start_time__lt=day_start(day + dt.timedelta(days=1)))


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
    calls = calls.order_by("-start_time", "-pk")
    if cursor:
        milliseconds, pk = _read_cursor(cursor, "calls")
        calls = older_than(calls, from_ms(milliseconds), pk)
    rows, more = _cut_page(calls, limit)
    return rows, _cursor("calls", to_ms(rows[-1].start_time), rows[-1].pk) if more else ""


def older_than(calls: CallQuerySet, start: dt.datetime, pk: int) -> CallQuerySet:
    """What follows the call (start, pk) in a list that is newest first."""
    return calls.filter(start_time__lte=start).exclude(start_time=start, pk__gte=pk)


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
