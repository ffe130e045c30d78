"""Asking a provider over HTTPS. The transport is a function, so that a test can give another."""

import json
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from calls.providers.base import Unreachable

_TIMEOUT: Final = 10  # seconds
_LONGEST_ANSWER: Final = 1_000_000  # bytes


@dataclass(frozen=True)
class Question:
    """A request to a provider."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


Transport = Callable[[Question], Answer]


def https(question: Question) -> Answer:
    """Sends `question`. Unreachable if it cannot be sent or is not HTTPS.

    An answer is cut at its longest. A redirect is an answer like any other: following it would
    carry our password to another host. Proxies are those of the environment.
    """
    import httpx  # here, because it takes a tenth of the site's start, and few ever ask

    if not question.url.startswith("https://"):
        raise Unreachable(_("The provider's address must begin with https://."))
    # What is sent packed could be of any size once it is unpacked.
    headers = {"Accept-Encoding": "identity", **question.headers}
    try:
        # The system's authorities, to which a company may have added its own.
        trusted = ssl.create_default_context()
        with (
            httpx.Client(verify=trusted, timeout=_TIMEOUT, follow_redirects=False) as client,
            client.stream(
                question.method, question.url, headers=headers, content=question.body
            ) as found,
        ):
            return Answer(found.status_code, _beginning(found.iter_raw()))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        why = str(error) or type(error).__name__
        raise Unreachable(_("The provider does not answer: %(why)s") % {"why": why}) from error


def _beginning(chunks: Iterable[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) >= _LONGEST_ANSWER:
            break
    return bytes(body[:_LONGEST_ANSWER])


def form(fields: list[tuple[str, str]]) -> bytes:
    return urlencode(fields).encode()


def basic(user: str, password: str) -> dict[str, str]:
    """The header of HTTP's basic authentication."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def answered_json(answer: Answer) -> dict[str, Any]:
    """The JSON object of a successful answer; Unreachable, with the provider's words, otherwise."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    said = found if isinstance(found, dict) else {}
    if not 200 <= answer.status < 300:
        words = {"status": answer.status, "why": f"{said.get('message', '')!s:.200}"}
        raise Unreachable(_("The provider refused (%(status)s): %(why)s") % words)
    if not isinstance(found, dict):
        raise Unreachable(_("The provider's answer is not readable."))
    return found
