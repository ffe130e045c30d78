"""Removes personal data: in calls and their ledgers, messages of phone systems, contacts and what
was imported, files, and what the administration has noted. All sums and lengths stay.

It goes by chunks, each in one transaction, so that whoever writes calls waits for none of them for
long. What is interrupted is done again and finds less to do: contacts go last, by which a person's
calls are known. `Removal` keeps who asked, when, and how much; never what.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from calls.models import CallLog, Contact, RawEvent, WaitingFact
from calls.services import forgetting
from common.instants import day_start, now, today
from metrics.live import publisher
from upkeep.models import Removal
from upkeep.personal_data import records, traces
from upkeep.personal_data.people import Person, keys_before
from upkeep.signals import personal_data_removed

CHUNK: Final = 200
_NOTHING: Final[frozenset[Any]] = frozenset()


class StillRunning(Exception):
    """A call with the person goes on; the message says so."""


def cutoff_of(days: int) -> dt.date:
    """The day before which calls are older than so many days."""
    return today() - dt.timedelta(days=days)


# --- What would go --------------------------------------------------------------------------------
def preview_of(person: Person) -> dict[str, int]:
    """How much is held about a person, by kind; running calls are `running`."""
    calls = person.keys_of_calls()
    return {
        "calls": len(calls),
        "running": _running(calls),
        "contacts": len(person.contacts),
        "messages": sum(1 for _ in traces.messages_about(person)),
        **traces.Traces.of(person).counts(),
    }


def preview_before(day: dt.date) -> dict[str, int]:
    """The same of what is older than a day."""
    cutoff = day_start(day)
    started = CallLog.objects.filter(start_time__lt=cutoff)
    return {
        "calls": forgetting.that_say_something(started).count(),
        "running": started.active().count(),
        "messages": RawEvent.objects.filter(received_at__lt=cutoff).exclude(body=b"").count(),
        **traces.counts_before(cutoff),
    }


def _running(calls: Sequence[int]) -> int:
    return sum(
        CallLog.objects.filter(pk__in=part).active().count() for part in _chunks(calls, 10_000)
    )


# --- The removal ----------------------------------------------------------------------------------
def forget_person(person: Person, *, asked_by: User | None, reason: str = "") -> Removal:
    """Removes what is held about `person`. Raises StillRunning and removes nothing while a call
    with them goes on."""
    calls = person.keys_of_calls()
    if _running(calls):
        raise StillRunning(_("A call with this person is running. End it first."))
    removal = _begun(asked_by, reason)
    for part in _chunks(calls, CHUNK):
        with transaction.atomic():
            counts = forgetting.forget(part)
            counts["records"] = records.blank(records.of_calls(part))
            traces.forget_log_of(CallLog, part)
            _announce(person.lines, _NOTHING, frozenset(part))
            _count(removal, counts)
    for keys in _chunks(list(traces.messages_about(person)), CHUNK):
        with transaction.atomic():
            messages = RawEvent.objects.filter(pk__in=keys)
            _count(removal, {"messages": forgetting.blank_messages(messages)})
    found = traces.Traces.of(person)
    with transaction.atomic():
        counts = found.forget(person)
        traces.forget_log_of(Contact, sorted(person.contacts))
        gone = Contact.objects.filter(pk__in=person.contacts)
        for contact in gone:
            contact.delete()
            counts["contacts"] += 1
        _announce(person.lines, person.contacts, _NOTHING)
        _count(removal, counts)
    return _finished(removal)


def forget_before(day: dt.date, *, asked_by: User | None, reason: str = "") -> Removal:
    """Removes numbers, names and notes of the ended calls that began before the local `day`, and
    what came with them. Contacts stay: they are no calls."""
    cutoff = day_start(day)
    removal = _begun(asked_by, reason, before=day)
    for part in keys_before(cutoff, CHUNK):
        with transaction.atomic():
            counts = forgetting.forget(part)
            traces.forget_log_of(CallLog, part)
            _announce(_NOTHING, _NOTHING, frozenset(part))
            _count(removal, counts)
    old = RawEvent.objects.filter(received_at__lt=cutoff).exclude(body=b"", query="", note="")
    while keys := list(old.order_by("received_at").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            messages = RawEvent.objects.filter(pk__in=keys)
            _count(removal, {"messages": forgetting.blank_messages(messages)})
    with transaction.atomic():
        records.forget_imports_before(cutoff)
        _count(removal, {"records": records.blank(records.before(cutoff))})
    with transaction.atomic():
        WaitingFact.objects.filter(received_at__lt=cutoff).delete()
        _count(removal, traces.forget_before(cutoff))
    return _finished(removal)


def _begun(asked_by: User | None, reason: str, before: dt.date | None = None) -> Removal:
    return Removal.objects.create(
        asked_by=asked_by, asked_at=now(), reason=reason[:200], before=before
    )


def _count(removal: Removal, counts: dict[str, int]) -> None:
    removal.counts = dict(Counter(removal.counts) + Counter(counts))
    removal.save(update_fields=["counts"])


def _finished(removal: Removal) -> Removal:
    removal.ended_at = now()
    removal.save(update_fields=["ended_at"])
    if removal.counts:
        _wipe_traces()
        publisher.everything_changed()
    return removal


def _announce(lines: Iterable[str], contacts: Iterable[int], calls: Iterable[int]) -> None:
    personal_data_removed.send(
        sender=Removal, lines=set(lines), contacts=set(contacts), calls=set(calls)
    )


def _wipe_traces() -> None:
    """Where SQLite still has what was deleted: the index of words keeps old words until its parts
    are merged, and the write-ahead log keeps old pages until it begins anew.

    Freed pages are overwritten as they are freed (`secure_delete`).
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        pages = -100  # negative: everything is merged, in steps of so many pages
        while True:
            before = _changes(cursor)
            cursor.execute(
                "INSERT INTO calls_calltext(calls_calltext, rank) VALUES ('merge', %s)", [pages]
            )
            if _changes(cursor) - before < 2:
                break
            pages = 100
        if not connection.in_atomic_block:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _changes(cursor: Any) -> int:
    cursor.execute("SELECT total_changes()")
    return int(cursor.fetchone()[0])


def _chunks(keys: Iterable[int], size: int) -> Iterable[list[int]]:
    rest = iter(keys)
    while part := list(islice(rest, size)):
        yield part


def words_of(counts: dict[str, int]) -> list[str]:
    """How much of each kind, in words, without what there is none of."""
    said = {
        "calls": lambda n: ngettext("%(n)d call", "%(n)d calls", n),
        "events": lambda n: ngettext("%(n)d line of ledgers", "%(n)d lines of ledgers", n),
        "messages": lambda n: ngettext(
            "%(n)d message of a phone system", "%(n)d messages of phone systems", n
        ),
        "waiting": lambda n: ngettext("%(n)d waiting fact", "%(n)d waiting facts", n),
        "records": lambda n: ngettext(
            "%(n)d record of a phone system", "%(n)d records of phone systems", n
        ),
        "drafts": lambda n: ngettext("%(n)d file of records", "%(n)d files of records", n),
        "contacts": lambda n: ngettext("%(n)d contact", "%(n)d contacts", n),
        "imports": lambda n: ngettext("%(n)d imported file", "%(n)d imported files", n),
        "files": lambda n: ngettext("%(n)d export", "%(n)d exports", n),
        "views": lambda n: ngettext("%(n)d saved view", "%(n)d saved views", n),
        "log": lambda n: ngettext(
            "%(n)d note of the administration", "%(n)d notes of the administration", n
        ),
    }
    return [said[kind](counts[kind]) % {"n": counts[kind]} for kind in said if counts.get(kind)]
