"""The hourly limit of an API key, and the headers that tell of it.

Every answer also tells our time: a program that knows it can say when something happened, however
long its requests are under way.
"""

import datetime as dt
import logging
import math
import time
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiKey
from common import rate_limits
from common.databases.drivers import cache_errors
from common.sliding_window import Usage

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
    """Counts a request against its key (or signed-in person), in a window that slides.

    Leaves the usage on the request, where LimitedView finds it. While the counters cannot be
    reached nobody is refused: a call must not be lost for want of a count.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        usage = _count(request)
        request._request.META["api.usage"] = usage
        self._wait = _seconds(usage) if usage else 0
        return usage is None or usage.is_allowed

    def wait(self) -> float:
        return self._wait


def _count(request: Request) -> Usage | None:
    who = f"key:{request.auth.pk}" if isinstance(request.auth, ApiKey) else f"u:{request.user.pk}"
    try:
        return rate_limits.take(f"api:{who}", settings.API_RATE_LIMIT)
    except cache_errors():
        logger.exception("Requests are not counted: Redis does not answer")
        return None


def _seconds(usage: Usage) -> int:
    """Until there is room for more: the oldest requests that count no longer do."""
    return math.ceil(usage.wait / 1000)


def limit_headers(request: Request) -> dict[str, str]:
    """`X-RateLimit-*` for the answer: the limit, what is left, when it grows again (epoch s)."""
    usage: Usage | None = request.META.get("api.usage")
    if usage is None:
        return {}
    return {
        "X-RateLimit-Limit": str(usage.limit),
        "X-RateLimit-Remaining": str(usage.limit - usage.count),
        "X-RateLimit-Reset": str(int(time.time()) + _seconds(usage)),
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
