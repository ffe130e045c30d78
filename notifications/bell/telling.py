"""Puts an alert into people's bells, and says so to the pages they have open."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction

from accounts.models import User
from metrics.live import publisher
from metrics.live.hub import hub
from metrics.live.rooms import room_of_person
from notifications.models import Alert, Notification

TOLD: Final = "notification"
READ: Final = "notifications_read"


def tell(alert: Alert, people: Iterable[User]) -> None:
    """Puts `alert` into the bell of each of `people`, once a person however often it is said, and
    announces it to their open pages after the commit. Call it in the transaction that stores
    `alert`."""
    told = {person.pk for person in people}
    if not told:
        return
    Notification.objects.bulk_create(
        [Notification(person_id=user_id, alert=alert) for user_id in sorted(told)],
        ignore_conflicts=True,
    )
    announce(told, {"type": TOLD, "alert_id": alert.pk, "kind": alert.kind})


def announce(user_ids: Iterable[int], event: dict[str, Any]) -> None:
    """Says `event` to the lines of these people alone, once the transaction has committed."""
    rooms = [room_of_person(user_id) for user_id in sorted(user_ids)]
    # No functools.partial: Django asks a robust callback that fails for its name.
    transaction.on_commit(lambda: _send(rooms, event), robust=True)


def _send(rooms: list[str], event: dict[str, Any]) -> None:
    if not hub.is_empty():
        publisher.tell(rooms, event)
