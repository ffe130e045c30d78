"""Who asks, where proxies stand between: counted from our side, for what lies beyond the proxies
that are ours is the client's word.

Every proxy adds the address of who asked it to the end of `X-Forwarded-For`. With one proxy of ours
the last address is the client's, with two the last but one.
"""

import ipaddress
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

_WRITE_SECONDS: Final = 60.0


def origin(
    hops: int, told_for: str, told_scheme: str, address: str, scheme: str
) -> tuple[str, str]:
    """The client's address and scheme, behind `hops` proxies of ours.

    `told_for` and `told_scheme` are `X-Forwarded-For` and `X-Forwarded-Proto` as they came,
    `address` and `scheme` those of the connection, which hold wherever nothing usable was told.
    """
    if not hops:
        return address, scheme
    told = _nearest(told_scheme, hops).lower()
    return (
        _address(_nearest(told_for, hops)) or address,
        told if told in ("http", "https") else scheme,
    )


def _nearest(header: str, hops: int) -> str:
    """What the outermost proxy of ours said; of fewer than `hops` the outermost there is."""
    told = [part.strip() for part in header.split(",")]
    return told[-min(hops, len(told))]


def _address(text: str) -> str:
    """The address in `text`, which may have a port beside it; "" if there is none."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


class TrustedProxies:
    """Gives every request the address and the scheme of its client, for all who read them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        told = request.META
        told_for = told.get("HTTP_X_FORWARDED_FOR", "")
        sample.add(told_for.count(",") + 1 if told_for else 0)
        told["REMOTE_ADDR"], told["wsgi.url_scheme"] = origin(
            settings.TRUSTED_PROXIES,
            told_for,
            told.get("HTTP_X_FORWARDED_PROTO", ""),
            told.get("REMOTE_ADDR", ""),
            told["wsgi.url_scheme"],
        )
        return self._get_response(request)


class Seen(msgspec.Struct):
    """Through how many proxies requests said they came, since `since` (epoch seconds)."""

    since: float
    requests: dict[int, int]


class Sample:
    """What this process has seen of it, written once a minute for `manage.py doctor`."""

    def __init__(self) -> None:
        self._seen = Seen(time.time(), Counter())
        self._next = 0.0

    def add(self, hops: int) -> None:
        self._seen.requests[hops] += 1
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _WRITE_SECONDS
            self._write(sample_file())

    def _write(self, path: Path) -> None:
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            beside.touch(0o600)
            beside.write_bytes(msgspec.json.encode(self._seen))
            beside.replace(path)
        except OSError:  # a request is worth more than what is known about it
            beside.unlink(missing_ok=True)


sample = Sample()


def sample_file() -> Path:
    return Path(settings.DATA_DIR) / "proxies.json"


def last_seen() -> Seen | None:
    """What a web process wrote last on this machine, if anything."""
    try:
        return msgspec.json.decode(sample_file().read_bytes(), type=Seen)
    except (OSError, msgspec.MsgspecError):
        return None
