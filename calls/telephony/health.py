"""What phone systems ask of an administrator: silence that should not be, calls whose agent nobody
knows, and messages that nobody understood."""

import datetime as dt
import itertools
import statistics
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from calls.models import CallLog, ProviderAccount, RawEvent
from common.instants import now

_CALLS: Final = 50  # the last ones before the silence, which say how often it speaks
_ENOUGH: Final = 5
UNREAD_DAYS: Final = 7
_NOT_READ: Final = (RawEvent.UNKNOWN, RawEvent.UNREADABLE, RawEvent.FAILED)


@dataclass(frozen=True)
class Silent:
    """An account in silence. Lengths in whole seconds; `usual` None where nobody can say."""

    account: ProviderAccount
    seconds: int
    usual: int | None


@dataclass(frozen=True)
class Asked:
    """Counts over all accounts; `unread` are the messages of the last UNREAD_DAYS."""

    silent: list[Silent]
    unassigned: int
    unread: int


def asked_of_administrators() -> Asked:
    """One query, and one more for each account in silence."""
    lately = now() - dt.timedelta(days=UNREAD_DAYS)
    unread = RawEvent.objects.filter(outcome__in=_NOT_READ, received_at__gte=lately)
    accounts = ProviderAccount.objects.annotate(
        unassigned=_count(CallLog.objects.unassigned()), unread=_count(unread)
    )
    found = list(accounts)
    return Asked(
        [_silent(one) for one in found if one.is_active and one.silent_since is not None],
        sum(one.unassigned for one in found),
        sum(one.unread for one in found),
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    """How many of `rows` an account has."""
    own = rows.filter(account=OuterRef("pk")).order_by().values("account")
    return Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0)


def _silent(account: ProviderAccount) -> Silent:
    assert account.silent_since is not None
    seconds = int((now() - account.silent_since).total_seconds())
    return Silent(account, max(0, seconds), usual_gap(account, account.silent_since))


def usual_gap(account: ProviderAccount, until: dt.datetime) -> int | None:
    """The median time from one call of `account` to the next, before `until`, in seconds."""
    calls = CallLog.objects.filter(account=account, start_time__lte=until)
    starts = list(calls.order_by("-start_time").values_list("start_time", flat=True)[:_CALLS])
    gaps = [(later - earlier).total_seconds() for later, earlier in itertools.pairwise(starts)]
    return round(statistics.median(gaps)) if len(gaps) >= _ENOUGH else None
