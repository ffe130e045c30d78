"""Receivers of the first system's program; listed in docs/architecture.md."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from calls.models import Contact
from common.instants import isoformat, now
from compat.bodies import contact_body, public_id
from compat.rooms import addressed
from metrics.live.hub import hub
from metrics.live.publisher import tell


def connect() -> None:
    """Connects every receiver, once."""
    post_save.connect(contact_saved, sender=Contact, dispatch_uid="compat.contact_saved")
    post_delete.connect(contact_deleted, sender=Contact, dispatch_uid="compat.contact_deleted")


def contact_saved(instance: Contact, **kwargs: Any) -> None:
    """What it says is asked once all of it is written: numbers are saved after their contact."""
    _tell_after_commit(instance, lambda: _updated(instance))


def contact_deleted(instance: Contact, **kwargs: Any) -> None:
    event = {
        "type": "contact_deleted",
        "id": public_id(instance),  # afterwards it has none
        "name": instance.name,
        "phone": instance.phone,
        "ts": isoformat(now()),
    }
    _tell_after_commit(instance, lambda: event)


def _tell_after_commit(contact: Contact, event: Callable[[], dict[str, Any]]) -> None:
    if settings.DESKTOP_COMPAT:
        transaction.on_commit(lambda: _tell(contact, event), robust=True)


def _tell(contact: Contact, event: Callable[[], dict[str, Any]]) -> None:
    if not hub.is_empty():
        for rooms, said in addressed(contact, event()):
            tell(rooms, said)


def _updated(contact: Contact) -> dict[str, Any]:
    body = contact_body(contact)
    return {"type": "contact_updated", "id": body["id"], "contact": body, "ts": isoformat(now())}
