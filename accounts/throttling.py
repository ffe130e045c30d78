"""The hourly limit of an API key, counted by django-ratelimit."""

import time
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django_ratelimit.core import get_usage
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey


class KeyRateThrottle(BaseThrottle):
    """Counts a request against its key (or signed-in person), in fixed windows.

    Leaves the usage on the request, where RateLimitHeaders finds it.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        who = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"u:{request.user.pk}"
        usage = get_usage(
            request._request,
            group="api",
            key=lambda group, _request: who,
            rate=settings.API_RATE_LIMIT,
            increment=True,
        )
        request._request.api_usage = usage
        if usage and usage["should_limit"]:
            self._wait = usage["time_left"]
            return False
        return True

    def wait(self) -> float:
        return self._wait


class TooManyRequests(Throttled):
    def __init__(self, wait: float | None):
        super().__init__(wait)
        self.detail = _(
            "Too many requests: this key's limit is %(limit)s. Try again in %(wait)d seconds."
        ) % {"limit": settings.API_RATE_LIMIT, "wait": int(wait or 1)}


def limit_headers(request: Any) -> dict[str, str]:
    """`X-RateLimit-*` for the answer: the limit, what is left, when the window ends (epoch s)."""
    usage = getattr(request, "api_usage", None)
    if not usage:
        return {}
    return {
        "X-RateLimit-Limit": str(usage["limit"]),
        "X-RateLimit-Remaining": str(max(0, usage["limit"] - usage["count"])),
        "X-RateLimit-Reset": str(int(time.time()) + usage["time_left"]),
    }
