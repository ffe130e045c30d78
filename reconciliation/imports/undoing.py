"""An import is taken back: exactly the lines that it wrote, and no others, count no more."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from django.db import transaction

from calls import timeline
from calls.models import CallLog, Tombstone
from calls.services import bulk
from calls.services.recording import ADMIN, Change, save_all
from common.instants import now, to_ms
from reconciliation.models import ProviderRecord, RecordImport

_AT_ONCE: Final = 200
_LINK: Final = {"account": None, "provider": "", "provider_call_id": "", "conversation": ""}


def take_back(what: RecordImport, beat: Callable[[], None]) -> None:
    """Takes back what is left of it, some records a transaction; `beat` is called within each."""
    while True:
        with transaction.atomic():
            beat()
            rows = list(what.held.filter(is_withdrawn=False).order_by("pk")[:_AT_ONCE])
            if not rows:
                return
            _withdraw(what, rows)


def _withdraw(what: RecordImport, rows: Sequence[ProviderRecord]) -> None:
    calls = bulk.locked(row.call_id for row in rows if row.call_id is not None)
    # A difference may have been decided meanwhile: its row waits for the call's lock, too.
    rows = list(ProviderRecord.objects.select_for_update().filter(pk__in=[row.pk for row in rows]))
    by_call: dict[int, list[ProviderRecord]] = defaultdict(list)
    for row in rows:
        if row.call_id in calls and (row.event_keys or row.is_link):
            by_call[row.call_id].append(row)
    ledgers = bulk.ledgers(by_call)
    changes, fields = [], {}
    for pk, its_rows in sorted(by_call.items()):
        change = Change(calls[pk], ledgers[pk])
        if _taken_out(what, change, its_rows):
            changes.append(change)
            fields[pk] = _unlinked(change.call, its_rows)
    save_all(changes, fields=fields)
    ProviderRecord.objects.filter(pk__in=[row.pk for row in rows]).update(is_withdrawn=True)


def _taken_out(what: RecordImport, change: Change, rows: Sequence[ProviderRecord]) -> bool:
    """Adds the line that takes back theirs; a call of which nothing is left is deleted. Whether
    there is one still."""
    keys = [key for row in rows for key in row.event_keys]
    if not keys:
        return True
    said = timeline.Event(
        f"withdrawn:{what.pk}:{min(row.pk for row in rows)}",
        timeline.NOTED,
        to_ms(now()),
        ADMIN,
        {timeline.WITHDRAWS: keys},
    )
    change.add([said], actor=what.person)
    try:
        change.fold()
    except ValueError:
        change.call.delete(actor=what.person, why=Tombstone.UNDONE)
        return False
    return True


def _unlinked(call: CallLog, rows: Sequence[ProviderRecord]) -> set[str]:
    """A click that only these records made a phone system's call is a click again."""
    if not any(row.is_link for row in rows):
        return set()
    for name, value in _LINK.items():
        setattr(call, name, value)
    return set(_LINK)
