"""How Twilio signs its requests, and what their fields are."""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from calls.providers.base import Forged, HookRequest, Payload, Unreadable

Pairs = Sequence[tuple[str, str]]


def signature(
    url: str, pairs: Iterable[tuple[str, str]], token: str, algorithm: str = "sha1"
) -> str:
    """Twilio's signature of a request to `url` with the form fields `pairs`.

    The key of SHA-1 is the account's auth token, that of SHA-256 a shared key.
    """
    signed = url + "".join(name + value for name, value in sorted(set(pairs)))
    digest = hmac.digest(token.encode(), signed.encode(errors="surrogatepass"), algorithm)
    return base64.b64encode(digest).decode()


def spellings(url: str) -> list[str]:
    """`url` with and without its port: Twilio signs the one or the other."""
    parts = urlsplit(url)
    host = parts.netloc
    bare = re.sub(r":\d+\Z", "", host)
    port = {"https": ":443", "http": ":80"}.get(parts.scheme, "") if bare == host else ""
    hosts = dict.fromkeys((host, bare, host + port))
    return [urlunsplit(parts._replace(netloc=one)) for one in hosts]


def query(url: str) -> str:
    return urlsplit(url).query


def pairs_of(encoded: str) -> list[tuple[str, str]]:
    return parse_qsl(encoded, keep_blank_values=True)


def signed(request: HookRequest) -> tuple[Pairs, str]:
    """The form fields that are part of the signature, and the body's digest where it is instead."""
    digest = dict(pairs_of(query(request.url))).get("bodySHA256", "")
    if digest or request.method == "GET":
        return [], digest
    try:
        return pairs_of(request.body.decode()), ""
    except ValueError as error:
        raise Forged("The body is no form.") from error


def fields_of(payload: Payload) -> Mapping[str, Any]:
    """The fields of a form, of a JSON body or, with neither, of the address."""
    asked = dict(pairs_of(payload.query))
    if payload.content_type == "application/json":
        return asked | payload.json()
    try:
        return asked | dict(pairs_of(payload.body.decode()))
    except ValueError as error:
        raise Unreadable("The body is no form.") from error
