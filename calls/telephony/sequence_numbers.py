"""The numbers of a conversation's messages count for all its parts, so that a lost one shows.

A provider may number its messages about a whole conversation. One part of it has gaps in these
numbers wherever a message was about somebody else, so every part is told of every number: a line
of its ledger where none of its own events carries it. Such a line changes nothing but what the call
lacks (calls.timeline.gaps).

A number may come before, between and after the events that make a part, and from another process
at the same time. Nothing is locked against that: a number and a part are each committed before the
one who did so looks for the other, so of two at once at least the later one sees both.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction

from calls import timeline
from calls.models import CallEvent, CallLog, ConversationNumber, ProviderAccount
from calls.providers.base import ProviderEvent
from calls.services.recording import Change, ReportedTime, fact
from common.databases.prepared_sql import A_NUMBER, A_TEXT, Prepared
from common.instants import from_ms

_NUMBER: Final = "conversation_seq"


def count(
    account: ProviderAccount, remarks: Sequence[ProviderEvent], received: dt.datetime
) -> None:
    """Keeps the numbers that `remarks` tell, and tells them to the parts of their conversations.

    To be called after the parts that the same message makes have been committed.
    """
    ConversationNumber.objects.bulk_create(
        [
            ConversationNumber(
                account=account,
                conversation=remark.conversation,
                sequence=remark.conversation_sequence,
                occurred_at=from_ms(remark.at),
                received_at=received,
            )
            for remark in remarks
            if remark.conversation_sequence is not None
        ],
        ignore_conflicts=True,
    )
    for conversation in dict.fromkeys(remark.conversation for remark in remarks):
        _tell_parts(account, conversation)


def _tell_parts(account: ProviderAccount, conversation: str) -> None:
    while not _told_to_all(account, conversation):
        pass  # a part became one with its click: that one is a part now


def _told_to_all(account: ProviderAccount, conversation: str) -> bool:
    """Whether every part that there is was told what is kept of its conversation."""
    kept = _KEPT.found(account.pk, conversation)
    heard: dict[int, ConversationNumber] = {number.sequence: number for number in kept}
    known: dict[int, set[int]] = {}
    for pk, sequence in _KNOWN.values(account.pk, conversation):
        known.setdefault(pk, set()).add(sequence)
    lacking = [
        pk
        for (pk,) in _PARTS.rows(account.pk, conversation)
        if not heard.keys() <= known.get(pk, set())
    ]
    return not [pk for pk in lacking if not _is_told(account, pk, heard)]


_KEPT = Prepared(
    lambda: ConversationNumber.objects.filter(account=A_NUMBER, conversation=A_TEXT).order_by(),
    A_NUMBER,
    A_TEXT,
)
_PARTS = Prepared(
    lambda: CallLog.objects.parts_of(A_NUMBER, A_TEXT).order_by("pk").values_list("pk"),
    A_NUMBER,
    A_TEXT,
)
_KNOWN = Prepared(
    lambda: (
        CallEvent.objects.filter(call__account=A_NUMBER, call__conversation=A_TEXT)
        .exclude(call__conversation="")  # as in `parts_of`
        .filter(data__has_key=_NUMBER)
        .order_by()
        .values_list("call_id", f"data__{_NUMBER}")
    ),
    A_NUMBER,
    A_TEXT,
)


def _is_told(account: ProviderAccount, pk: int, heard: Mapping[int, ConversationNumber]) -> bool:
    """Adds what the ledger of this call lacks of the numbers `heard`; False if it is gone."""
    with transaction.atomic():
        call: CallLog | None = next(iter(_LOCKED.found(pk)), None)
        if call is None:
            return False
        change = Change(call)
        known = {event.data.get(_NUMBER) for event in change.ledger}
        for sequence, number in sorted(heard.items()):
            if sequence not in known:
                said = fact(
                    timeline.NOTED,
                    ReportedTime(number.occurred_at, source=account.source),
                    key=f"{account.pk}:{_NUMBER}:{sequence}",
                    data={_NUMBER: sequence},
                )
                change.add([said], received=number.received_at)
        change.save(alive=False)
    return True


_LOCKED = Prepared(
    lambda: (
        CallLog.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pk=A_NUMBER)
        .order_by()
    ),
    A_NUMBER,
)
