"""Whether what was copied adds up: its calls are the fold of their ledgers, its sums those of its
calls. A sample: the deep check of everything is `rebuild_metrics --check`."""

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connections
from django.utils.translation import gettext as _

from calls import timeline
from calls.models import CallEvent, CallLog
from common.instants import day_range
from metrics.definitions import Sums
from metrics.models import DailyMetrics
from metrics.rollups.stored_rows import CALL_SUMS, by_group

_CALLS: Final = 300
_DAYS: Final = 7
_BATCH: Final = 100


def doubts_about(alias: str) -> str:
    """What does not add up in the database of that alias, in a sentence; "" if all does."""
    wrong = [*_wrong_calls(alias)]
    if wrong:
        said = {"n": len(wrong), "all": _CALLS, "call": wrong[0]}
        return (
            _("%(n)d of up to %(all)d calls are not what their events say, such as %(call)s.")
            % said
        )
    for day in _days(alias):
        if _stored(alias, day) != _right(alias, day):
            return _(
                "The sums of %(day)s are not those of its calls: run manage.py rebuild_metrics."
            ) % {"day": day}
    return ""


def _wrong_calls(alias: str) -> Iterator[Any]:
    """The ids of sampled calls whose ledger folds to another call: half of them the newest, which
    were being written when the copy was made."""
    calls = CallLog.objects.using(alias).order_by("-pk")
    newest = list(calls.values_list("pk", flat=True)[: _CALLS // 2])
    if not newest:
        return
    least = CallLog.objects.using(alias).order_by("pk").values_list("pk", flat=True)[0]
    span = range(least, newest[-1])
    older = random.sample(span, min(_CALLS // 2, len(span)))
    keys = [*newest, *older]
    for place in range(0, len(keys), _BATCH):
        some = keys[place : place + _BATCH]
        ledgers: defaultdict[int, list[timeline.Event]] = defaultdict(list)
        for line in CallEvent.objects.using(alias).filter(call__in=some).order_by():
            ledgers[line.call_id].append(line.as_fact())
        for call in CallLog.objects.using(alias).filter(pk__in=some):
            if not ledgers[call.pk] or call.apply(timeline.fold(ledgers[call.pk])):
                yield call.call_id


def _days(alias: str) -> list[Any]:
    """The last days that have sums, and some of those before."""
    rows = DailyMetrics.objects.using(alias).order_by("-day")
    days = list(rows.values_list("day", flat=True).distinct()[:366])
    older = days[_DAYS:]
    return days[:_DAYS] + random.sample(older, min(_DAYS, len(older)))


def _stored(alias: str, day: Any) -> dict[int, Sums]:
    return {row.user_id: row.sums for row in DailyMetrics.objects.using(alias).filter(day=day)}


def _right(alias: str, day: Any) -> dict[int, Sums]:
    calls = CallLog.objects.using(alias).assigned().started_between(*day_range(day, day)).ended()
    return {user_id: Sums.of_row(row) for user_id, *row in by_group(calls, CALL_SUMS)}


def counts_of(tables: list[str], cursor: Any) -> dict[str, int]:
    """How many rows each table has, asked through a cursor of any driver."""
    counts = {}
    for table in tables:
        cursor.execute(f'SELECT COUNT(*) FROM "{table}"')
        counts[table] = int(cursor.fetchone()[0])
    return counts


@contextmanager
def beside(database: str, **options: Any) -> Iterator[str]:
    """The alias of another database on the same server, or in another file, for Django's models."""
    alias = f"beside {database}"
    of_site = connections["default"].settings_dict
    connections.databases[alias] = of_site | {
        "NAME": database,
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
    }
    try:
        connections[alias].connect()
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.databases[alias]
