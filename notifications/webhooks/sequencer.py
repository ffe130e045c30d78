"""Gives what was committed its number in the feed: without gaps, once, in the order of commits.

Calls and alerts are written without a thought of the feed. Afterwards whoever reads it, or the
worker, numbers what is new here; one at a time, because they lock the sources. What one pass finds
is numbered by key. Two lines of one call have keys in the order of their commits, for its writers
wait for each other; and what began after something else was committed has the larger key, too.

Keys are given out before the commit, so on PostgreSQL a smaller one may turn up after a larger one
was numbered. It is found because a pass looks at all keys above the watermark, and the watermark
moves only to a key below which nothing can come any more:

1. A pass reads the largest key that it sees, H. Keys only grow, so whoever has one up to H took it
   before that.
2. Then it reads who holds the lock that every writer of the table takes before it takes a key, and
   keeps until its transaction has ended: the writers. Who has a key up to H and is not among them
   has ended by now, and a transaction is visible before it lets go of its locks.
3. So as soon as none of those writers is left, be it at once or in a later pass, whatever has a key
   up to H is committed or never will be: the statement that follows sees all of it, numbers it, and
   the watermark moves to H. Keys that a rollback has left unused hold up nothing.

SQLite has one writer at a time, so there what is seen is all there is. A number that was given
stays: see FeedEntry.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, models, transaction
from django.db.models import F, Max

from calls import timeline
from calls.models import CallEvent
from notifications.models import Alert, EventKind, FeedEntry, FeedSource

BATCH: Final = 2000
# What of the ledger is an event for others, and its name; of `ended` see _kinds_of_ends.
FED: Final = {
    timeline.STARTED: EventKind.STARTED,
    timeline.ANSWERED: EventKind.ANSWERED,
    timeline.HELD: EventKind.HELD,
    timeline.RESUMED: EventKind.RESUMED,
    timeline.ENDED: EventKind.ENDED,
    timeline.SUMMARY: EventKind.CORRECTED,
    timeline.CORRECTED: EventKind.CORRECTED,
    timeline.NOTED: EventKind.NOTED,
}
_ENDS: Final = (timeline.ENDED, timeline.SUMMARY)

_WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND relation = %s::regclass AND pid IS DISTINCT FROM pg_backend_pid()
"""


@dataclass(frozen=True)
class Source:
    """A table whose rows are numbered."""

    name: str
    model: type[models.Model]
    link: str  # the column of FeedEntry that holds the row's key
    rows_after: Callable[[int], list[dict[str, Any]]]  # the first BATCH, by key
    kinds_of: Callable[[list[dict[str, Any]]], dict[int, EventKind]]  # by key; others are left out

    def largest_key(self) -> int:
        found: int | None = self.model._default_manager.aggregate(last=Max("pk"))["last"]
        return found or 0

    def writers(self) -> list[str]:
        """Transactions of others that may hold keys which are not committed yet."""
        if connection.vendor != "postgresql":
            return []
        with connection.cursor() as cursor:
            cursor.execute(_WRITERS, [self.model._meta.db_table])
            return [name for (name,) in cursor.fetchall()]

    def numbered(self, keys: Collection[int]) -> set[int]:
        """Those of `keys` that have a number."""
        have = FeedEntry.objects.filter(**{f"{self.link}__in": keys})
        return set(have.values_list(self.link, flat=True))


# --- Lines of the ledger --------------------------------------------------------------------------


def _lines_after(key: int) -> list[dict[str, Any]]:
    lines = CallEvent.objects.filter(pk__gt=key, kind__in=FED).order_by("pk")
    rows = lines.values("pk", "kind", "call_id", "repeats", reached=F("data__reached"))
    return [dict(row) for row in rows[:BATCH]]


def _kinds_of_lines(lines: list[dict[str, Any]]) -> dict[int, EventKind]:
    lines = _without_moved(lines)
    ends = _kinds_of_ends({line["call_id"] for line in lines if line["kind"] in _ENDS})
    return {
        line["pk"]: ends.get(line["pk"], FED[line["kind"]])
        for line in lines
        if not line["reached"]  # another phone, which is no answer yet
    }


def _kinds_of_ends(calls: Collection[int]) -> dict[int, EventKind]:
    """What the lines that tell an end are, by key: the first of a call ends it, whoever tells it;
    what others tell of the same end later corrects it."""
    if not calls:
        return {}
    told = CallEvent.objects.filter(call__in=calls, kind__in=_ENDS).order_by("pk")
    found: dict[int, EventKind] = {}
    ended: set[int] = set()
    for key, call, kind, end in told.values_list("pk", "call_id", "kind", F("data__end")):
        ends = call not in ended and (kind == timeline.ENDED or end is not None)
        found[key] = EventKind.ENDED if ends else EventKind.CORRECTED
        if ends:
            ended.add(call)
    return found


def _without_moved(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines that are no old ones in a new place: where two calls became one, the number that a
    line had goes with it, so nobody is told twice and nothing is missing from a replay."""
    originals = {line["repeats"] for line in lines if line["repeats"]}
    if not originals:
        return lines
    there = CallEvent.objects.filter(pk__in=originals).values_list("pk", flat=True)
    gone = originals.difference(there)
    entries = {entry.event_id: entry for entry in FeedEntry.objects.filter(event__in=gone)}
    kept = []
    for line in lines:
        entry = entries.pop(line["repeats"], None)
        if entry is None:
            kept.append(line)
        else:
            FeedEntry.objects.filter(pk=entry.pk).update(event=line["pk"])
    return kept


# --- Alerts ---------------------------------------------------------------------------------------


def _alerts_after(key: int) -> list[dict[str, Any]]:
    alerts = Alert.objects.filter(pk__gt=key).order_by("pk")
    return [{"pk": pk} for pk in alerts.values_list("pk", flat=True)[:BATCH]]


def _kinds_of_alerts(alerts: list[dict[str, Any]]) -> dict[int, EventKind]:
    return {alert["pk"]: EventKind.ALERT for alert in alerts}


# An alert comes after what it is about, so calls are first.
SOURCES: Final = (
    Source("calls", CallEvent, "event_id", _lines_after, _kinds_of_lines),
    Source("alerts", Alert, "alert_id", _alerts_after, _kinds_of_alerts),
)


# --- Numbering ------------------------------------------------------------------------------------


def is_used() -> bool:
    """Whether anybody has ever asked for the feed: until then nothing is numbered."""
    return FeedSource.objects.exists()


def last_number() -> int:
    return FeedEntry.objects.values_list("number", flat=True).order_by("-number").first() or 0


def catch_up(passes: int) -> bool:
    """Numbers what is committed and has no number yet, in at most so many `passes` of BATCH rows;
    whether that was all."""
    return any(_is_current() or _pass() for _ in range(passes))


def _is_current() -> bool:
    """Whether there is nothing to do, asked without a lock."""
    known = {source.name: source for source in FeedSource.objects.all()}
    return all(
        (state := known.get(source.name)) is not None
        and state.watermark == state.horizon >= source.largest_key()
        for source in SOURCES
    )


def _pass() -> bool:
    """Numbers a batch of each source; whether nothing is left."""
    with transaction.atomic():
        states = _locked()
        return all(_number(source, states[source.name]) for source in SOURCES)


def _locked() -> dict[str, FeedSource]:
    locked = FeedSource.objects.select_for_update().order_by("name")
    found = {state.name: state for state in locked}
    if len(found) < len(SOURCES):
        new = [FeedSource(name=source.name) for source in SOURCES]
        FeedSource.objects.bulk_create(new, ignore_conflicts=True)
        found = {state.name: state for state in locked.all()}
    return found


def _number(source: Source, state: FeedSource) -> bool:
    """Numbers a batch of one source; whether nothing is left. See the proof above."""
    largest = source.largest_key()
    writers = source.writers()
    if not writers:
        settled = largest
    elif not set(writers) & set(state.writers):
        settled = state.horizon
    else:
        settled = state.watermark
    if settled >= state.horizon:  # who was at work then is through: the next ones to wait for
        state.horizon, state.writers = max(largest, settled), writers
    looked_up_to = _number_rows(source, state.watermark)
    is_all = looked_up_to is None
    if looked_up_to is not None:
        settled = min(settled, looked_up_to)
    state.watermark = max(state.watermark, settled)
    state.save()
    return is_all


def _number_rows(source: Source, watermark: int) -> int | None:
    """Numbers the first rows above the watermark that have no number; the key up to which all have
    one now, or None if that is so of all that there are."""
    last = watermark
    while True:
        rows = source.rows_after(last)
        known = source.numbered([row["pk"] for row in rows])
        new = [row for row in rows if row["pk"] not in known]
        if new:
            _append(source, source.kinds_of(new))
        if len(rows) < BATCH:
            return None
        last = int(rows[-1]["pk"])
        if new:
            return last


def _append(source: Source, kinds: dict[int, EventKind]) -> None:
    first = last_number() + 1
    FeedEntry.objects.bulk_create(
        FeedEntry(number=number, kind=kinds[key], **{source.link: key})
        for number, key in enumerate(sorted(kinds), start=first)
    )
