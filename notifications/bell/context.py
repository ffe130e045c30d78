"""The bell, for the header of every page of a signed-in person."""

from typing import Any

from django.utils.functional import SimpleLazyObject

from accounts.requests import PageRequest
from notifications.bell.unread import Bell


def bell(request: PageRequest) -> dict[str, Any]:
    """Lazy: costs its query only where a template shows the bell."""
    return {"bell": SimpleLazyObject(lambda: Bell.of(request.user))}
