"""How often somebody may try to sign in: failures a minute, per address and per user name."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.http import HttpRequest
from django_ratelimit.core import get_usage

from accounts.models import sign_in_key
from common.databases.drivers import cache_errors

RATE: Final = "10/m"

logger = logging.getLogger(__name__)


def seconds_to_wait(request: HttpRequest, username: str) -> int:
    """Seconds until another attempt is allowed; 0 if it is allowed now."""
    full = (use for use in _usages(request, username) if use["count"] >= use["limit"])
    return max((use["time_left"] + 1 for use in full), default=0)


def count_failure(request: HttpRequest, username: str) -> None:
    for _usage in _usages(request, username, increment=True):
        pass


def _usages(
    request: HttpRequest, username: str, increment: bool = False
) -> Iterator[dict[str, Any]]:
    """The counters; none while they cannot be reached: people must get to their calls."""
    name = sign_in_key(username.strip())
    keys: list[str | Callable[..., str]] = [lambda group, request: f"name:{name}"]
    if request.META.get("REMOTE_ADDR"):  # a proxy on a Unix socket tells none
        keys.append("ip")
    for key in keys:
        try:
            usage = get_usage(request, group="sign-in", key=key, rate=RATE, increment=increment)
        except cache_errors():
            logger.exception("Sign-ins are not counted: Redis does not answer")
            return
        if usage and usage["limit"]:
            yield usage
