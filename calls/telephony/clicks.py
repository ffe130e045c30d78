"""A click and the phone system's call for it become one call, whichever came first."""

from collections.abc import Sequence
from typing import Final

from accounts.models import User
from calls import timeline
from calls.models import CallAlias, CallLog, ProviderAccount, Tombstone
from calls.services.matching import clicked_call, wait_for_turn
from calls.services.recording import Change, lock
from calls.telephony.lines import Lines
from common.instants import from_ms
from common.phones import line_of

# What links a call to its phone system.
LINK: Final = ("account_id", "provider", "provider_call_id", "conversation", "is_shared")
# What people may say several times, which is never a repetition.
_WORDS: Final = (timeline.NOTED, timeline.CORRECTED)


def adopted(account: ProviderAccount, call_id: str, lines: Lines) -> CallLog | None:
    """The click that asked for this call, now linked to it; None if nobody clicked."""
    number = _number(account, lines.facts)
    if lines.agent is None or not number:
        return None
    wait_for_turn(lines.agent)
    clicked = clicked_call(lines.agent, number, from_ms(min(e.at for e in lines.events)))
    if clicked is None:
        return None
    call = lock(pk=clicked.pk)
    call.user = lines.agent
    call.account, call.provider_call_id = account, call_id
    call.provider, call.conversation = account.name, lines.conversation or call_id
    return call


def _number(account: ProviderAccount, facts: Sequence[timeline.Event]) -> str:
    number = next((str(e.data["number"]) for e in facts if e.data.get("number")), "")
    return line_of(number, account.region or None) or number


def given_to(call: CallLog, agent: User) -> Change:
    """Makes the locked `call` `agent`'s, joined with the click that asked for it."""
    wait_for_turn(agent)
    call.user = agent
    clicked = clicked_call(agent, call.phone_line or call.contact_phone, call.start_time)
    return Change(call) if clicked is None else _joined(lock(pk=clicked.pk), call)


def _joined(clicked: CallLog, heard: CallLog) -> Change:
    """One call of two: the click's, with the provider's ledger and the provider's link."""
    lines = [event.repeated_in(clicked) for event in heard.events.all()]
    alias = heard.call_id  # its only name: a call takes another when its agent clicked for it
    values = {name: getattr(heard, name) for name in LINK}
    heard.user = None
    heard.delete(why=Tombstone.JOINED, into=clicked.pk)
    for name, value in values.items():
        setattr(clicked, name, value)
    CallAlias.objects.create(alias=alias, call=clicked)
    change = Change(clicked)
    for line in lines:
        if line.kind in _WORDS:  # somebody may have said something of both in one millisecond
            line.key = change.unused(line.key)
    change.add_lines(lines)
    return change
