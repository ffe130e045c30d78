"""The header's timer and the way to call, for every page of a signed-in person."""

from typing import Any

from django.utils.functional import SimpleLazyObject

from accounts.requests import PageRequest
from calls.active_calls import Timer
from calls.models import DialLink


def timer(request: PageRequest) -> dict[str, Any]:
    """Lazy: costs its one query only where a template shows the timer."""
    return {"timer": SimpleLazyObject(lambda: Timer.of(request))}


def dial(request: PageRequest) -> dict[str, Any]:
    """`dial` is the link that the person calls with. Lazy, as the timer is."""
    return {"dial": SimpleLazyObject(lambda: DialLink.objects.of(request.user))}
