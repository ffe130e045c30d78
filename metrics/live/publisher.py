"""Says to the hubs of all web processes what has happened, once it is committed."""

from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from accounts.known_keys import known_keys
from calls.models import CallLog
from metrics.live import local_bus
from metrics.live.hub import GROUP, MISSED, hub, numbered
from metrics.live.rooms import payload, rooms_for


def announce(kind: str, call: CallLog) -> None:
    """Tells the call's audience once the transaction has committed."""
    # No functools.partial: Django asks a robust callback that fails for its name.
    transaction.on_commit(lambda: _tell_of(kind, call), robust=True)


def _tell_of(kind: str, call: CallLog) -> None:
    if not hub.is_empty():
        tell(rooms_for(call), payload(kind, call))


def tell(rooms: list[str], event: dict[str, Any]) -> None:
    """Tells whoever sits in `rooms` of `event`, which must be true already."""
    _send({"type": "live", "rooms": rooms, "event": event})


def close_sockets_of(user_id: int) -> None:
    """Ends the live connections of a person whose rights may have changed; the page reconnects."""
    _send_after_commit({"type": "close", "user_id": user_id})


def close_sockets_opened_by(opener: str) -> None:
    """Ends the live connections of one session."""
    _send_after_commit({"type": "close", "opener": opener})


def everything_changed() -> None:
    """Has every page fetch its parts again, and every connection looked at: whether its session or
    key, and its person, are left."""
    _send_after_commit(MISSED)


def _send_after_commit(message: dict[str, Any]) -> None:
    """Somebody's rights may have changed. What is known of API keys is forgotten: here before
    anybody is answered, in the other processes by the message."""
    known_keys.forget()  # for who asks within this transaction
    transaction.on_commit(lambda: _forget_and_send(message), robust=True)


def _forget_and_send(message: dict[str, Any]) -> None:
    known_keys.forget()
    _send(message)


def _send(message: dict[str, Any]) -> None:
    if hub.loop is not None and hub.loop.is_running():
        hub.send(message)
    elif settings.REDIS_URL:
        async_to_sync(get_channel_layer().group_send)(GROUP, numbered([message]))
    elif local_bus.is_heard():
        local_bus.ring(numbered([message]))
