"""HTTP to the server over one kept connection. Whatever comes back is an Answer or Unreachable."""

from __future__ import annotations

import email.utils
import http.client
import json
import locale
import math
import os
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from callmanager_track import __version__
from callmanager_track.clocks import ServerClock, parse_instant

_MOST_BYTES = 8 * 2**20
_LONGEST_WAIT = 3600.0
_WAIT_IF_UNSAID = 60.0


class Unreachable(OSError):
    """No answer: no network, a time-out, a broken connection, or something that is not HTTP."""


class Answer(NamedTuple):
    """What the server said; `body` is None where it was not JSON."""

    status: int
    body: Any
    retry_after: float  # seconds
    limit: int | None  # requests an hour that the key may make, and how many are left
    remaining: int | None
    link: str

    @property
    def error(self) -> str:
        """The server's sentence about what is wrong, "" if it gave none."""
        said = self.body.get("error") if isinstance(self.body, dict) else None
        return said if isinstance(said, str) else ""


def checked_url(base_url: str) -> SplitResult:
    """The parts of the server's address. ValueError with what is wrong with it."""
    parts = urlsplit(base_url) if isinstance(base_url, str) else urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"The server's address must look like https://calls.example.com, not {base_url!r}."
        )
    parts.port  # noqa: B018  (raises ValueError for a port that is none)
    return parts


class Wire:
    """Requests to one server with one key. For one thread."""

    def __init__(
        self, base_url: str, api_key: str, timeout: float, clock: ServerClock | None = None
    ):
        self._url = checked_url(base_url)
        if (
            not isinstance(api_key, str)
            or not api_key.isascii()
            or not (api_key + "x").isprintable()
        ):
            raise ValueError("An API key is plain text without spaces at its ends or line breaks.")
        self._headers = {
            "Accept": "application/json",
            "User-Agent": f"callmanager-client/{__version__}",
        }
        if language := _language():
            self._headers["Accept-Language"] = language
        if api_key:
            self._headers["X-API-Key"] = api_key
        self._timeout = timeout
        self._clock = clock or ServerClock()
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Sends one request. A kept connection that has died meanwhile is replaced, once."""
        data = None if body is None else json.dumps(body).encode()
        kept = self._connection is not None
        try:
            return self._exchange(method, path, data)
        except (ConnectionError, http.client.RemoteDisconnected, BrokenPipeError) as error:
            self.close()
            if not kept:
                raise Unreachable(_words(error)) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(_words(error)) from error
        try:
            return self._exchange(method, path, data)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unreachable(_words(error)) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _exchange(self, method: str, path: str, data: bytes | None) -> Answer:
        if self._connection is None:
            self._connection = self._connect()
        headers = dict(self._headers)
        if data is not None:
            headers["Content-Type"] = "application/json"
        here = self._clock.here
        sent = here.mono_ns()
        self._connection.request(method, self._url.path.rstrip("/") + path, data, headers)
        response = self._connection.getresponse()
        received = here.mono_ns()
        content = response.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES or response.will_close:
            self.close()
        server_ms = parse_instant(response.headers.get("X-Server-Time"))
        if server_ms is not None:
            self._clock.learn(sent, received, server_ms)
        return _answer(response, content, here.wall_ns() / 1e9)

    def _connect(self) -> http.client.HTTPConnection:
        assert self._url.hostname is not None
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else None
        return (kind or http.client.HTTPConnection)(
            self._url.hostname, self._url.port, timeout=self._timeout
        )


def _language() -> str:
    """The language of this computer's user, in which the server then puts its errors."""
    name = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return name[:2].lower() if name[:2].isalpha() and name[:2].isascii() else ""


def _answer(response: http.client.HTTPResponse, content: bytes, now: float) -> Answer:
    try:
        body = json.loads(content.decode())
    except (ValueError, RecursionError):
        body = None
    headers = response.headers
    return Answer(
        response.status,
        body,
        _seconds(headers.get("Retry-After"), now),
        _number(headers.get("X-RateLimit-Limit")),
        _number(headers.get("X-RateLimit-Remaining")),
        headers.get("Link", ""),
    )


def _seconds(text: str | None, now: float) -> float:
    """`Retry-After`, seconds or a date, as a number of seconds between 0.1 and an hour.

    `now`: epoch seconds.
    """
    if text is None:
        return _WAIT_IF_UNSAID
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, IndexError, OverflowError):
            return _WAIT_IF_UNSAID
    return min(_LONGEST_WAIT, max(0.1, seconds)) if math.isfinite(seconds) else _WAIT_IF_UNSAID


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() and len(text) < 12 else None


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
