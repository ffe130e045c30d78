"""Who opens the feed, from where, and how often."""

import json
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host
from django.utils import translation
from rest_framework.request import Request

from accounts.authentication import usable_key
from accounts.models import User
from accounts.throttling import KeyRateThrottle
from compat.authentication import key_in

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Where programs put the key, in the data of their connection or in its address.
_KEY_NAMES: Final = ("api_key", "X-API-Key", "token")


def opener(scope: Scope, auth: Any) -> Scope:
    """What `accounts.sockets.asked_anew` knows who opens a line by: the key of a header, of the
    connection's data or of its address; else the session."""
    headers = _headers(scope)
    key = key_in(headers.get("x-api-key"), headers.get("authorization", ""))
    if key is None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        key = _named(auth) or _named({name: values[0] for name, values in query.items()})
    if key:
        return {"headers": [(b"x-api-key", key.encode("latin-1", "replace"))]}
    cookies = parse_cookie(headers.get("cookie", ""))
    sessions = import_module(settings.SESSION_ENGINE)
    session = sessions.SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    return {"headers": [], "session": session}


def _named(said: Any) -> str | None:
    """The key among what a program says; or that alone, as text."""
    if isinstance(said, Mapping):
        said = next((said[name] for name in _KEY_NAMES if said.get(name)), None)
    return said if isinstance(said, str) else None


def language_of(scope: Scope) -> str:
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = _headers(scope).get("accept-language", "")
    return translation.get_language_from_request(request)


@database_sync_to_async
def wait_for_limit(user: User, opened_by: Scope) -> float | None:
    """Seconds to wait, where this is one request too many of its key or person; it counts as one.
    None where it is not."""
    request = Request(HttpRequest())
    request.user = user
    key = dict(opened_by["headers"]).get(b"x-api-key")
    request.auth = None if key is None else usable_key(key.decode("latin-1"))
    throttle = KeyRateThrottle()
    return None if throttle.allow_request(request, None) else throttle.wait()


def refusal(scope: Scope) -> str:
    """Why a request that names another host, or comes from another site's page, is refused."""
    headers = _headers(scope)
    if not _is_ours(headers.get("host", "")):
        return "This host is not served here."
    if "origin" in headers and not _is_ours(urlsplit(headers["origin"]).netloc):
        return "Pages of other sites are not let in."
    return ""


def _is_ours(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


async def refuse(scope: Scope, send: Send, sentence: str) -> None:
    """Answers 403 in the form of the API; a WebSocket is not accepted, which says the same."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})
        return
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": sentence}).encode()})


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
