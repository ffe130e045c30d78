"""What is billed: calls by what their price depends on, and the providers' own prices."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Func, IntegerField, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from calls.models import ANSWERED, CallLog, CallQuerySet, ProviderAccount
from common.instants import day_range
from reconciliation.models import ProviderRecord

_AT_ONCE = 5000  # rows

# Who had the call, its direction, the other side's line, billed seconds.
Billed = tuple[int | None, str, str, int]
# Whose call it is, its direction, the other side's line, what is billed, in which currency.
Told = tuple[int | None, str, str, Decimal, str]


class WholeSeconds(Func):
    """Whole seconds from its second instant to its first, exact to the millisecond."""

    output_field = IntegerField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        between = "(julianday(%(expressions)s)) * 86400000"
        template = f"CAST(ROUND({between}) AS INTEGER) / 1000"
        return self.as_sql(
            compiler, connection, template=template, arg_joiner=") - julianday(", **context
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM (%(expressions)s)))::integer"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)


def billed_calls(
    viewer: User, account: ProviderAccount, first: dt.date, last: dt.date
) -> Iterator[Billed]:
    """The answered calls of an account with the outside that began on these local days."""
    fields = ("user_id", "direction", "phone_line", "billed")
    rows = _billed(viewer, account, first, last).values_list(*fields)
    yield from rows.iterator(chunk_size=_AT_ONCE)


def count_of(
    viewer: User, account: ProviderAccount, first: dt.date, last: dt.date
) -> tuple[int, int]:
    """How many these are, and their billed seconds."""
    found = _billed(viewer, account, first, last).aggregate(n=Count("pk"), seconds=Sum("billed"))
    return found["n"], found["seconds"] or 0


def _billed(viewer: User, account: ProviderAccount, first: dt.date, last: dt.date) -> CallQuerySet:
    calls = CallLog.objects.visible_to(viewer).counted().filter(ANSWERED, account=account)
    calls = calls.started_between(*day_range(first, last)).exclude(direction="internal")
    calls.reader = None  # nothing that only some may read is shown of them
    connected = WholeSeconds(F("end_time"), F("answered_time"))
    seconds = Coalesce(connected, F("talk_seconds"), 0, output_field=IntegerField())
    return calls.order_by().annotate(billed=seconds)


def told_prices(account: ProviderAccount, first: dt.date, last: dt.date) -> Iterator[Told]:
    """What the provider's own records of these local days are billed with."""
    begin, end = day_range(first, last)
    records = ProviderRecord.objects.filter(
        account=account, start_time__gte=begin, start_time__lt=end, price__isnull=False
    ).exclude(is_withdrawn=True)
    fields = ("call__user_id", "direction", "number_line", "price", "currency")
    yield from records.order_by().values_list(*fields).iterator(chunk_size=_AT_ONCE)
