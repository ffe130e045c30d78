"""The hourly limit of an API key, counted by django-ratelimit, and the headers that tell of it.

Every answer also tells our time: a program that knows it can say when something happened, however
long its requests are under way.
"""

import datetime as dt
import logging
import time
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django_ratelimit.core import get_usage
from rest_framework.exceptions import ErrorDetail, Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey
from common.databases.drivers import cache_errors

if TYPE_CHECKING:  # APIView itself reads the settings, which name KeyRateThrottle below
    from rest_framework.views import APIView as View
else:
    View = object

logger = logging.getLogger(__name__)


class TooManyRequests(Throttled):
    def __init__(self, wait: float | None):
        seconds = max(1, int(wait or 1))
        super().__init__(seconds)
        sentence = _(
            "Too many requests: this key's limit is %(limit)s. Try again in %(wait)d seconds."
        )
        self.detail = ErrorDetail(
            sentence % {"limit": settings.API_RATE_LIMIT, "wait": seconds}, self.default_code
        )


class KeyRateThrottle(BaseThrottle):
    """Counts a request against its key (or signed-in person), in fixed windows.

    Leaves the usage on the request, where LimitedView finds it. While the counters cannot be
    reached nobody is refused: a call must not be lost for want of a count.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        usage = _count(request)
        request._request.META["api.usage"] = usage
        self._wait = usage["time_left"] if usage else 0
        return not (usage and usage["should_limit"])

    def wait(self) -> float:
        return self._wait


def _count(request: Request) -> dict[str, Any] | None:
    who = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"u:{request.user.pk}"
    try:
        usage = get_usage(
            request._request,
            group="api",
            key=lambda group, _request: who,
            rate=settings.API_RATE_LIMIT,
            increment=True,
        )
    except cache_errors():
        logger.exception("Requests are not counted: Redis does not answer")
        return None
    return usage if usage and usage["limit"] else None  # no limit: the counter failed


def limit_headers(request: Request) -> dict[str, str]:
    """`X-RateLimit-*` for the answer: the limit, what is left, when the window ends (epoch s)."""
    usage = request.META.get("api.usage")
    if not usage:
        return {}
    return {
        "X-RateLimit-Limit": str(usage["limit"]),
        "X-RateLimit-Remaining": str(max(0, usage["limit"] - usage["count"])),
        "X-RateLimit-Reset": str(int(time.time()) + usage["time_left"]),
    }


def server_time() -> str:
    """Our clock, ISO 8601 in UTC with milliseconds, as the API writes every instant."""
    instant = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    return instant.removesuffix("+00:00") + "Z"


class LimitedView(View):
    """What every view of the API mixes in: the limit, our time, and a plain OPTIONS."""

    def throttled(self, request: Request, wait: float) -> NoReturn:
        raise TooManyRequests(wait)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Server-Time"] = server_time()
        for name, value in limit_headers(request).items():
            response.headers[name] = value
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return HttpResponse(status=204)
