"""What the calls of a filter add up to, quickly whatever there is: from daily rows where those can
say it, else from the calls themselves, up to a number of them that is said."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from calls.history.filters import CallFilter
from calls.models import CallLog, CallQuerySet
from common.databases.query_timeout import TookTooLong, patience
from common.instants import today
from metrics.definitions import Sums
from metrics.rollups.daily import own_sums, sums_of
from metrics.rollups.shared_calls import counted_twice, shared_parts_among
from metrics.rollups.stored_rows import CALL_SUMS

MOST_CALLS: Final = 20_000  # that are added up one by one while somebody waits
PATIENCE_SECONDS: Final = 4
# The filters that daily rows know: whose, and when.
_OF_DAILY_ROWS: Final = frozenset(
    {"user_id", "agent", "team", "period", "from", "to", "start_date", "end_date"}
)


@dataclass(frozen=True)
class Totals:
    """The sums of the ended calls that pass a filter, and how far they go."""

    sums: Sums = field(default_factory=Sums)
    more: bool = False  # there are more calls; these are the newest MOST_CALLS
    too_slow: bool = False  # nothing could be said in time


def totals_of_filter(found: CallFilter) -> Totals:
    """The totals of the valid filter `found`."""
    calls = found.qs.ended()
    if _is_of_daily_rows(found):
        return Totals(_from_daily_rows(found))
    return totals_of_calls(calls, of_one_person=found.person_id is not None)


def totals_of_calls(calls: CallQuerySet, *, of_one_person: bool) -> Totals:
    """The totals of `calls`, which may be those of `of_one_person` alone."""
    try:
        with patience(PATIENCE_SECONDS):
            return _from_calls(calls.ended().newest_first(), of_one_person)
    except TookTooLong:
        return Totals(too_slow=True)


def exact_sums(found: CallFilter) -> Sums:
    """The sums of all ended calls of the valid filter `found`, however long that takes."""
    calls = found.qs.ended().order_by()
    if _is_of_daily_rows(found):
        return _from_daily_rows(found)
    return _added(calls, of_one_person=found.person_id is not None)


def _is_of_daily_rows(found: CallFilter) -> bool:
    used = {name for name in found.filters if found.form.cleaned_data.get(name)}
    return used <= _OF_DAILY_ROWS


def _from_daily_rows(found: CallFilter) -> Sums:
    """An agent's parts of shared calls are the agent's calls; people together had them once."""
    first, last = (day or default for day, default in zip(found.days, _all_days(), strict=True))
    if found.person_id is None:
        return sums_of(found.people(), first, last)
    person = found.people().first()
    return Sums() if person is None else own_sums(person, first, last)


def _all_days() -> tuple[dt.date, dt.date]:
    return dt.date(1970, 1, 1), today()


def _added(calls: CallQuerySet, of_one_person: bool) -> Sums:
    """The sums of `calls`; people together had their shared calls once."""
    sums = Sums(**calls.aggregate(**CALL_SUMS))
    return sums if of_one_person else sums - counted_twice(shared_parts_among(calls))


def _from_calls(calls: CallQuerySet, of_one_person: bool) -> Totals:
    newest = CallLog.objects.filter(pk__in=calls.values("pk")[:MOST_CALLS])
    more = calls.values("pk")[MOST_CALLS : MOST_CALLS + 1].exists()
    return Totals(_added(newest, of_one_person), more=more)
