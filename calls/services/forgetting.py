"""Takes out of calls what they say of the people they were with: numbers, names, notes.

Times, lengths, outcomes and whose call it was stay, and so does every sum. The ledger is folded to
the same call before and after, but for what was taken out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from calls import timeline
from calls.models import CallEvent, CallLog, CallQuerySet, RawEvent, Tombstone
from calls.timeline.chain import PERSONAL

# Keys of an event's `data`. The reason of a correction is free text, too.
KEYS: Final = PERSONAL
_EMPTY: Final = {
    "contact": None,
    "contact_ref": "",
    "contact_phone": "",
    "phone_e164": "",
    "phone_line": "",
    "notes": "",
}
_GATE: Final = "calls_ledgerblanking"  # see the migration 0018


def that_say_something(calls: CallQuerySet) -> CallQuerySet:
    """Those of the ended `calls` that still say something of the person they were with."""
    said = Q(data__has_any_keys=KEYS) | Q(kind=timeline.CORRECTED, data__has_key="reason")
    in_ledger = CallEvent.objects.filter(said, call=OuterRef("pk"))
    in_row = Q(contact__isnull=False)
    for name in ("contact_ref", "contact_phone", "phone_e164", "phone_line", "notes"):
        in_row |= ~Q(**{name: ""})
    return calls.filter(in_row | Exists(in_ledger), end_time__isnull=False)


def forget(calls: Sequence[int], actor: User | None = None) -> dict[str, int]:
    """Blanks the ended calls of these keys, their ledgers and the messages that they came from; how
    many of each were changed. Within a transaction; repeating it changes nothing. That it was done,
    for whom (`actor`), stays in a tombstone of each ledger that had something to blank."""
    rows = CallLog.objects.select_for_update(of=("self",)).filter(pk__in=calls)
    keys = list(rows.filter(end_time__isnull=False).order_by("pk").values_list("pk", flat=True))
    messages = RawEvent.objects.none()
    digests = CallEvent.objects.filter(call__in=keys).exclude(payload_hash="").order_by()
    said = list(digests.values_list("call__account", "payload_hash").distinct())
    for account in {account for account, _digest in said}:
        its = [digest for of, digest in said if of == account]
        messages |= RawEvent.objects.filter(account=account, digest__in=its)
    salted = CallEvent.objects.filter(call__in=keys).exclude(salt="").order_by()
    blanked = CallLog.objects.filter(pk__in=list(salted.values_list("call", flat=True).distinct()))
    Tombstone.lay(blanked, Tombstone.BLANKED, actor=actor)
    return {
        "messages": blank_messages(messages),
        "events": _blank_ledgers(keys),
        "calls": that_say_something(CallLog.objects.filter(pk__in=keys)).update(**_EMPTY),
    }


def blank_messages(messages: QuerySet[RawEvent]) -> int:
    """Empties stored messages: that they came stays, and none is read again."""
    full = messages.exclude(body=b"", query="", note="")
    open_ones = (RawEvent.PENDING, RawEvent.FAILED, RawEvent.UNKNOWN, RawEvent.UNREADABLE)
    keys = list(full.values_list("pk", flat=True))
    same = RawEvent.objects.filter(pk__in=keys)
    same.filter(outcome__in=open_ones).update(outcome=RawEvent.IGNORED)
    return same.update(body=b"", query="", note="")


def _blank_ledgers(calls: Sequence[int]) -> int:
    if not calls:
        return 0
    places = ", ".join(["%s"] * len(calls))
    blank = _ON_POSTGRESQL if connection.vendor == "postgresql" else _ON_SQLITE
    changed = 0
    with _gate_open(), connection.cursor() as cursor:
        for statement in blank:
            cursor.execute(f"{statement} AND call_id IN ({places})", list(calls))
            changed += cursor.rowcount
        cursor.execute(f"{_SALTS} AND call_id IN ({places})", list(calls))
    return changed


@contextmanager
def _gate_open() -> Iterator[None]:
    """Lets this transaction, and nobody else, blank lines of the ledger."""
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {_GATE}(since) VALUES (0)")
        yield
        cursor.execute(f"DELETE FROM {_GATE}")


# Without them, what stays in the chain of hashes tells nothing of the texts.
_SALTS: Final = "UPDATE calls_callevent SET salt = '' WHERE salt <> ''"
_PATHS: Final = ", ".join(f"'$.{key}'" for key in KEYS)
_ON_SQLITE: Final = (
    f"UPDATE calls_callevent SET data = json_remove(data, {_PATHS}) WHERE "
    + "("
    + " OR ".join(f"json_type(data, '$.{key}') IS NOT NULL" for key in KEYS)
    + ")",
    "UPDATE calls_callevent SET data = json_remove(data, '$.reason') "
    "WHERE kind = 'corrected' AND json_type(data, '$.reason') IS NOT NULL",
    "UPDATE calls_callevent SET data = json_set(data, '$.unread', json((SELECT "
    "json_group_object(key, '') FROM json_each(data, '$.unread')))) "
    "WHERE EXISTS (SELECT 1 FROM json_each(data, '$.unread') WHERE value <> '')",
)
_ARRAY: Final = "ARRAY[" + ", ".join(f"'{key}'" for key in KEYS) + "]"
_ON_POSTGRESQL: Final = (
    f"UPDATE calls_callevent SET data = data - {_ARRAY} WHERE data ?| {_ARRAY}",
    "UPDATE calls_callevent SET data = data - 'reason' "
    "WHERE kind = 'corrected' AND data ? 'reason'",
    "UPDATE calls_callevent SET data = jsonb_set(data, '{unread}', (SELECT "
    "jsonb_object_agg(key, '') FROM jsonb_each(data -> 'unread'))) "
    "WHERE jsonb_typeof(data -> 'unread') = 'object' "
    "AND EXISTS (SELECT 1 FROM jsonb_each_text(data -> 'unread') WHERE value <> '')",
)
