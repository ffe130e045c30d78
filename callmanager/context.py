"""What every template may use."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.roles import start_page_of


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "DEMO": settings.DEMO,
        "DEBUG": settings.DEBUG,
        # An error may come before anybody is known; asked where it is shown.
        "start_page": lambda: start_page_of(getattr(request, "user", None) or AnonymousUser()),
    }
