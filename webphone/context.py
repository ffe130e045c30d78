"""Whether the person has a phone in the page, for every page."""

from typing import Any

from django.utils.functional import SimpleLazyObject

from accounts.models import User
from accounts.requests import PageRequest
from webphone.services.lines import has_line


def phone(request: PageRequest) -> dict[str, Any]:
    """Lazy: asked only where a template shows the way to the phone."""

    def found() -> bool:
        return isinstance(request.user, User) and has_line(request.user)

    return {"has_phone": SimpleLazyObject(found)}
