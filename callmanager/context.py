"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "DEMO": settings.DEMO,
        "DEBUG": settings.DEBUG,
        "long_call_seconds": settings.LONG_CALL_SECONDS,
    }
