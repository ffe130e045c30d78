"""A page of calls or contacts, and the cursor of the next: the place where this one ended."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from calls.history.lists import newest, visible_rows
from calls.models import CallLog, CallQuerySet, Contact
from calls.models.rows import Rows
from common.instants import from_ms, to_ms

ModelT = TypeVar("ModelT", bound=Model)


def page_of_calls(calls: CallQuerySet, cursor: str, limit: int) -> tuple[list[CallLog], str]:
    """At most `limit` calls, newest first, and the cursor of the next page ("" if none).

    The bounded range lets the index find the place at any depth. ValidationError for a cursor
    that is not one of ours.
    """
    rows, more = _cut_page(_calls_from(calls, cursor), limit)
    return rows, _cursor_after(rows[-1].start_time, rows[-1].pk) if more else ""


def page_of_rows(
    calls: CallQuerySet, fields: Iterable[str], cursor: str, limit: int
) -> tuple[Rows, str]:
    """The same as rows with `fields`, for pages of many calls."""
    rows = _calls_from(calls, cursor).rows(fields, limit)
    return rows, _cursor_after(*rows.last) if rows.more else ""


def page_of_newest(
    viewer: User, fields: Iterable[str], cursor: str, limit: int
) -> tuple[Rows, str]:
    """The same of all calls that `viewer` may see."""
    if cursor:
        return page_of_rows(CallLog.objects.visible_to(viewer), fields, cursor, limit)
    rows = visible_rows(viewer, newest, fields, limit)
    return rows, _cursor_after(*rows.last) if rows.more else ""


def _calls_from(calls: CallQuerySet, cursor: str) -> CallQuerySet:
    calls = calls.newest_first()
    if not cursor:
        return calls
    milliseconds, pk = _read_cursor(cursor, "calls")
    return calls.older_than(from_ms(milliseconds), pk)


def _cursor_after(start: dt.datetime, pk: int) -> str:
    return _cursor("calls", to_ms(start), pk)


def page_by_start(
    rows: QuerySet[ModelT], purpose: str, cursor: str, limit: int
) -> tuple[list[ModelT], str]:
    """The same of rows that have a `start_time` of their own; `purpose` names the list."""
    rows = rows.order_by("-start_time", "-pk")
    if cursor:
        milliseconds, pk = _read_cursor(cursor, purpose)
        start = from_ms(milliseconds)
        rows = rows.filter(start_time__lte=start).exclude(start_time=start, pk__gte=pk)
    found, more = _cut_page(rows, limit)
    if not more:
        return found, ""
    last: Any = found[-1]
    return found, _cursor(purpose, to_ms(last.start_time), last.pk)


def page_of_contacts(
    contacts: QuerySet[Contact], cursor: str, limit: int
) -> tuple[list[Contact], str]:
    """The same for contacts, oldest first, so that a program that copies them misses none."""
    contacts = contacts.order_by("pk")
    if cursor:
        contacts = contacts.filter(pk__gt=_read_cursor(cursor, "contacts")[0])
    rows, more = _cut_page(contacts, limit)
    return rows, _cursor("contacts", rows[-1].pk) if more else ""


def _cut_page(rows: QuerySet[ModelT], limit: int) -> tuple[list[ModelT], bool]:
    found = list(rows[: limit + 1])
    return found[:limit], len(found) > limit


def _cursor(purpose: str, *place: int) -> str:
    """Where a page ended; opaque, signed, and safe in a URL."""
    return signing.dumps(place, salt=f"cursor.{purpose}")


def _read_cursor(cursor: str, purpose: str) -> list[int]:
    try:
        place: list[int] = signing.loads(cursor, salt=f"cursor.{purpose}")
    except signing.BadSignature as error:
        raise ValidationError(_("This is not a cursor of ours: follow the link.")) from error
    return place
