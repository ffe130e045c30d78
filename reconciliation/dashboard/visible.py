"""Whose records somebody sees: those of the calls that they see, and an administrator all."""

import datetime as dt

from django.db.models import Q, QuerySet

from accounts.models import User
from common.instants import day_range
from reconciliation.models import ProviderRecord


def records_visible_to(viewer: User) -> QuerySet[ProviderRecord]:
    """The records `viewer` may see and nobody took back. Only who sees everything sees those that
    are of no call."""
    records = ProviderRecord.objects.filter(is_withdrawn=False)
    scope = viewer.scope
    if scope.everyone:
        return records
    return records.filter(Q(call__user=viewer) | Q(call__user__team__in=scope.team_ids))


def begun_within(
    records: QuerySet[ProviderRecord], first: dt.date, last: dt.date
) -> QuerySet[ProviderRecord]:
    """Those of `records` that began on the local days first..last."""
    begin, end = day_range(first, last)
    return records.filter(start_time__gte=begin, start_time__lt=end)
