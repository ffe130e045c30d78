"""Asking a provider over HTTPS. The transport is a function, so that a test can give another."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
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


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry our password to another host."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def https(question: Question) -> Answer:
    """Sends `question`. Unreachable if it cannot be sent or is not HTTPS."""
    if not question.url.startswith("https://"):
        raise Unreachable(_("The provider's address must begin with https://."))
    request = urllib.request.Request(
        question.url, question.body, dict(question.headers), method=question.method
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as found:
            return Answer(found.status, found.read(_LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read(_LONGEST_ANSWER))
    except (OSError, ValueError) as error:
        raise Unreachable(_("The provider does not answer: %(why)s") % {"why": error}) from error


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
