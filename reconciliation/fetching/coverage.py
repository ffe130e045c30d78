"""Which period is to be fetched next, so that nothing is left out."""

import datetime as dt
from typing import Final

from calls.models import ProviderAccount
from common.instants import now
from reconciliation.models import RecordImport

# Records come late, and some are amended: what is fetched at night begins a day before the end of
# the last time and ends an hour ago. What is known already changes nothing.
OVERLAP: Final = dt.timedelta(days=1)
DELAY: Final = dt.timedelta(hours=1)
FIRST: Final = dt.timedelta(days=7)  # of an account that was never asked

# A draft was left behind by a process that ended; what failed is fetched again.
_NOT_COVERED: Final = (RecordImport.DRAFT, RecordImport.FAILED)


def due_of(account: ProviderAccount) -> tuple[dt.datetime, dt.datetime]:
    """The period from shortly before what was covered without a gap until shortly before now."""
    until = now() - DELAY
    covered = covered_until(account)
    return (until - FIRST if covered is None else min(covered, until) - OVERLAP), until


def covered_until(account: ProviderAccount) -> dt.datetime | None:
    """Until when the nights' fetches have followed each other without a gap."""
    covered: dt.datetime | None = None
    for since, until in _fetched(account):
        if covered is None:
            covered = until
        elif since <= covered:
            covered = max(covered, until)
    return covered


def _fetched(account: ProviderAccount) -> list[tuple[dt.datetime, dt.datetime]]:
    """The periods of the nights' fetches that were not in vain, the earliest first.

    What people fetch between times says nothing of what lies before it, so it does not count.
    """
    fetched = RecordImport.objects.filter(account=account, origin=RecordImport.FETCH)
    readings = fetched.exclude(state__in=_NOT_COVERED).values_list("reading", flat=True)
    periods = [reading["period"] for reading in readings if reading.get("by_night")]
    return sorted((instant_in(since), instant_in(until)) for since, until in periods)


def instant_in(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written)
