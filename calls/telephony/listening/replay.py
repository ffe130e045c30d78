"""What a phone system once sent over a lasting connection, read as if it were heard now."""

from collections.abc import Sequence
from typing import Any

from calls.models import CallLog, ProviderAccount
from calls.providers.base import ProviderEvent, Unreadable
from calls.providers.lasting import Follower, Listened
from calls.telephony.hooks import adapter_of
from calls.telephony.listening.listener import Listener, names_of_agents, record_now


def replay(account: ProviderAccount, stream: bytes) -> list[CallLog]:
    """Records a stored stream as if it were heard now: its calls, by their start.

    Garbled if it is no such stream. Unreadable if it tells no instants: then nobody can know when
    anything happened.
    """
    adapter = adapter_of(account)
    assert isinstance(adapter, Listened)
    listener = Listener(account)
    follower = listener.follower
    events: list[ProviderEvent] = []
    dated = _dated(follower, adapter.cutter().feed(stream))
    if not any(received for _message, received in dated):
        raise Unreadable(adapter.no_instants)
    follower.know(names_of_agents(account))
    listener.remember_running()
    for message, received in dated:
        events += follower.read(message, received)
    events += follower.finish()
    calls = {call.pk: call for call in record_now(account, events)}
    return sorted(calls.values(), key=lambda call: (call.start_time, call.provider_call_id))


def _dated(follower: Follower, messages: Sequence[Any]) -> list[tuple[Any, int]]:
    """Each message with the first instant (ms) that the stream tells from there on, or the last of
    all: what carries none itself, such as a list of channels, was sent by then."""
    instants = [follower.instant_of(message) for message in messages]
    following = max(instants, default=0)
    dated = []
    for message, instant in zip(reversed(messages), reversed(instants), strict=True):
        following = instant or following
        dated.append((message, following))
    return dated[::-1]
