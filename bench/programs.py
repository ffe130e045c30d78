"""What agents' programs ask of our site and of the Flask server, whose routes are the same."""

import itertools
import json
import random
from collections.abc import Iterable
from typing import Any, Final, Protocol

from bench.load import Flow
from bench.wire import request

_START, _END = "/api/calls/start", "/api/calls/end"


class Program(Protocol):
    def pair(self) -> Flow:
        """Starts a call and ends it."""


class Keyed:
    """Programs with a key each, in turn; `admin` is a key that sees every call."""

    NOTHING: Final = "/api/calls/active"

    def __init__(self, keys: Iterable[str], admin: str):
        self._keys = itertools.cycle(keys)
        self._admin = {"X-API-Key": admin}

    def pair(self) -> Flow:
        key = {"X-API-Key": next(self._keys)}
        phone = f"+5068{random.randrange(10**7):07d}"
        _status, body = yield request("POST", _START, key, {"contact_phone": phone})
        said: dict[str, Any] = {"call_id": json.loads(body)["call_id"], "status": "COMPLETED"}
        yield request("POST", _END, key, said)

    def nothing(self) -> Flow:
        """A request that has nothing to do: nobody is on a call."""
        yield request("GET", self.NOTHING, {"X-API-Key": next(self._keys)})

    def log(self, limit: int) -> Flow:
        yield request("GET", f"/api/calls/log?limit={limit}", self._admin)

    def export(self) -> Flow:
        """The answer is larger than a client of ours should hold: see bench/parts/export.py."""
        yield request("GET", "/api/calls/export.csv", self._admin)


class FlaskKeyed(Keyed):
    NOTHING = "/api/calls/log?limit=1"  # type: ignore[misc]  # it has no route that does less
