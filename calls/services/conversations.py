"""Parts of one call that several agents had are marked, so that teams count it once.

Two processes may make two parts of one call at the same time, and neither sees the other's before
it is committed. So whoever makes a part, or moves one into another conversation, commits that
first and looks for the others afterwards: of two at once at least the later one sees both. Each
part is marked by a transaction of its own, which holds no other lock and so waits in no circle.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

from django.db import connection, transaction

from calls.models import CallLog
from common.databases.prepared_sql import A_NUMBER, A_TEXT, Prepared


def mark_shared(call: CallLog) -> None:
    """Marks `call` and the other parts of its conversation, if there are any.

    To be called when the transaction that made it a part is over; within one of the caller's, it
    looks again when that is committed. Again changes nothing.
    """
    look = partial(_mark_parts, call.account_id, call.conversation)
    if look():
        call.is_shared = True
    if connection.in_atomic_block:
        transaction.on_commit(look, robust=True)


def _mark_parts(account_id: int | None, conversation: str) -> bool:
    """Marks the parts of a conversation; whether there are several."""
    if account_id is None or not conversation:
        return False
    parts = _PARTS.rows(account_id, conversation)
    if len(parts) < 2:
        return False
    for pk, is_shared in parts:
        if not is_shared:
            # One that has moved meanwhile is marked, if need be, by who moved it.
            still_there = CallLog.objects.parts_of(account_id, conversation).filter(pk=pk)
            still_there.filter(is_shared=False).update(is_shared=True)
    return True


_PARTS: Final = Prepared(
    lambda: (
        CallLog.objects.parts_of(A_NUMBER, A_TEXT).order_by("pk").values_list("pk", "is_shared")
    ),
    A_NUMBER,
    A_TEXT,
)


def unmarked_parts() -> Iterator[CallLog]:
    """The parts of shared calls that are not marked, as the end of a process between the two
    transactions leaves them. Reads all calls of phone systems: nobody should wait for it."""
    return CallLog.objects.unmarked_parts().order_by("pk").iterator()


def mark_unmarked_parts() -> int:
    """Marks all of them; how many there were."""
    parts = list(unmarked_parts())
    for account_id, conversation in sorted({(p.account_id or 0, p.conversation) for p in parts}):
        _mark_parts(account_id, conversation)
    return len(parts)
