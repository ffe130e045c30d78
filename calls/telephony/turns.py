"""The turns of one person in one call, each a call of its own: see calls.timeline.turns.

All that is said of them comes under one id. The first turn has that id and hears it all; each
later one has an id made of it, and is told the same.
"""

from collections.abc import Callable

from calls import timeline
from calls.models import CallEvent, CallLog
from calls.providers.reading import joined
from calls.services import wrap_up
from calls.services.recording import Change, ReportedTime
from calls.telephony.clicks import LINK, given_to
from common.instants import to_ms

_TOLD = (*LINK, "user", "direction", "contact_phone", "phone_e164", "phone_line", "contact")


def follow(
    first: CallLog,
    turns: int,
    known: Callable[[str], CallLog | None],
    take_over: Callable[[Change], object],
) -> None:
    """Writes the later of `turns` of the locked call `first`.

    `known` gives the locked call of an id; `take_over` what the ledger says beyond instants.
    """
    said = list(first.events.filter(source__startswith=timeline.PROVIDER_PREFIX).order_by("pk"))
    for turn in range(2, turns + 1):
        _write(first, turn, said, known, take_over)


def _write(
    first: CallLog,
    turn: int,
    said: list[CallEvent],
    known: Callable[[str], CallLog | None],
    take_over: Callable[[Change], object],
) -> None:
    call_id = joined(first.provider_call_id, f"turn{turn}")
    call = known(call_id) or CallLog(
        user=first.user,
        account=first.account,
        provider=first.provider,
        provider_call_id=call_id,
        conversation=first.conversation,
    )
    if call.pk is not None and call.user is None and first.user is not None:
        change = given_to(call, first.user)
    else:
        change = Change(call)
    call = change.call
    call.conversation = first.conversation  # which the first may have been told to join another
    change.add_lines([*(event.repeated_in(call) for event in said), _mark(call, turn, said[0])])
    take_over(change)
    is_new = call.pk is None
    if is_new and call.user is not None and call.end_time is None:
        wrap_up.leave_wrap_ups(call.user, ReportedTime(call.start_time, explicit=True))
    if not change.is_empty:
        change.save(*_TOLD)


def _mark(call: CallLog, turn: int, like: CallEvent) -> CallEvent:
    """The line that says which turn the ledger is about."""
    said = timeline.Event(
        "turn", timeline.NOTED, to_ms(like.occurred_at), like.source, {"turn": turn}
    )
    return CallEvent.of_fact(call, said, received_at=like.received_at)
