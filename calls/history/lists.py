"""Lists that programs ask for again and again, of which Django makes the text once."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from calls.models import CallLog, CallQuerySet
from calls.models.readers import Reader
from calls.models.rows import PART, Rows, names_of
from common.databases.prepared_sql import A_NUMBER, Prepared

Narrowing = Callable[[CallQuerySet], CallQuerySet]


def running(calls: CallQuerySet) -> CallQuerySet:
    return calls.active_apart()


def newest(calls: CallQuerySet) -> CallQuerySet:
    return calls.newest_first()


def visible_rows(
    viewer: User, narrow: Narrowing, fields: Iterable[str], most: int | None = None
) -> Rows:
    """`narrow(CallLog.objects.visible_to(viewer)).rows(fields, most)`, without making its text
    again. `narrow` is one of the functions above."""
    scope, fields = viewer.scope, tuple(fields)
    if scope.team_ids:
        return narrow(CallLog.objects.visible_to(viewer)).rows(fields, most)
    rows = Rows(CallLog, names_of(fields))
    viewers = () if scope.everyone else (viewer.pk,)
    rows.read(_list(narrow, fields, most, bool(viewers)).parts(*viewers, size=PART), most)
    rows.show_to(Reader(viewer))
    return rows


@cache
def _list(narrow: Narrowing, fields: tuple[str, ...], most: int | None, own: bool) -> Prepared:
    def text() -> QuerySet[Any, Any]:
        calls = CallLog.objects.filter(user=A_NUMBER) if own else CallLog.objects.all()
        return narrow(calls).as_stored(fields, most)

    return Prepared(text, *([A_NUMBER] if own else []))
