"""How often somebody may try to sign in: failures a minute, per address and per user name."""

import hashlib
import ipaddress
import logging
import math
from typing import Final

from django.http import HttpRequest

from accounts.models import sign_in_key
from common import rate_limits
from common.databases.drivers import cache_errors
from common.sliding_window import Usage

RATE: Final = "10/m"
_IPV6_NETWORK: Final = 64  # bits; whoever has one address of it has them all

logger = logging.getLogger(__name__)


class Attempt:
    """One try, counted before the password is looked at: of many at once only so many look.

    `wait`: seconds until the next is allowed; 0 if this one is.
    """

    def __init__(self, request: HttpRequest, username: str):
        self.wait = 0
        self._counted: dict[str, Usage] = {}
        try:
            for key in _keys(request, username):
                self._count(key)
            if self.wait:  # or whoever may not try would close another's name
                self._give_back()
        except cache_errors():  # people must get to their calls
            logger.exception("Sign-ins are not counted: Redis does not answer")

    def _count(self, key: str) -> None:
        usage = rate_limits.take(key, RATE)
        if usage.is_allowed:
            self._counted[key] = usage
        else:
            self.wait = max(self.wait, math.ceil(usage.wait / 1000))

    def succeeded(self) -> None:
        """Only failures count."""
        try:
            self._give_back()
        except cache_errors():
            logger.exception("A sign-in still counts as a failure: Redis does not answer")

    def _give_back(self) -> None:
        for key, usage in self._counted.items():
            rate_limits.give_back(key, usage)


def _keys(request: HttpRequest, username: str) -> list[str]:
    """What is counted: the name, and the address where one is known (a Unix socket has none)."""
    name = hashlib.sha256(sign_in_key(username.strip()).encode("utf-8", "replace")).hexdigest()
    address = request.META.get("REMOTE_ADDR")
    return [f"sign-in:name:{name}"] + ([f"sign-in:from:{_network(address)}"] if address else [])


def _network(address: str) -> str:
    """`address`, or the network that it is one of many of."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False).network_address)
