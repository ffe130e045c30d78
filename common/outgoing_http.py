"""Requests to addresses that people typed in: never into the own network, never without an end.

A name is resolved once and the connection goes to the address that was looked at, so a name server
that answers differently the second time gains nothing. The name stays in the Host header and in
what the certificate is checked against.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

import httpcore
import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_noop

BODY_LIMIT: Final = 64 * 1024  # of an answer, in bytes: as a rule nobody reads more of it
URL_LIMIT: Final = 2000
CONNECT_SECONDS: Final = 5.0
WRITE_BYTES: Final = 16 * 1024
_PORTS: Final = {"http": 80, "https": 443}

_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
# What ipaddress takes for public, and is not a place to send to.
_REFUSED_TOO = tuple(
    ip_network(network)
    for network in (
        "192.88.99.0/24",  # 6to4 relays
        "168.63.129.16/32",  # the platform below every machine at Azure
        "3fff::/20",  # documentation
    )
)


class Fault(Exception):
    """Why something could not be sent, for people: a sentence that is translated when it is read.

    `message` is the English sentence (marked with gettext_noop), `values` is what it is filled
    with; both can be stored.
    """

    def __init__(self, message: str, **values: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return gettext(self.message) % self.values


class AddressRefused(Fault):
    """The address leads where nothing may be sent, or is none."""


class NoAnswer(Fault):
    """Nobody answered in time, or not in HTTP."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in any case
    body: bytes  # its beginning, at most as long as was asked for


def post(url: str, content: bytes, headers: Mapping[str, str], *, seconds: float = 10) -> Answer:
    """Sends `content`; raises AddressRefused or NoAnswer. Redirects are not followed."""
    return request("POST", url, content, headers, seconds=seconds)


def request(
    method: str,
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    *,
    seconds: float = 10,
    limit: int = BODY_LIMIT,
) -> Answer:
    """One exchange that is over after `seconds`, however slowly the other side speaks.

    Of the answer's body the first `limit` bytes are read. Raises AddressRefused or NoAnswer. An
    answer that leads elsewhere is returned as it is.
    """
    asked = _request(method, parsed(url), content, headers)
    deadline = time.monotonic() + seconds
    try:
        with httpcore.ConnectionPool(
            ssl_context=ssl_context(), network_backend=GuardedBackend(deadline)
        ) as pool:
            return _exchange(pool, asked, seconds, limit)
    except httpcore.TimeoutException as error:
        raise NoAnswer(
            gettext_noop("%(host)s did not answer within %(seconds)s seconds."),
            host=asked.url.host,
            seconds=round(seconds),
        ) from error
    except httpcore.ConnectError as error:
        raise _not_connected(asked.url.host, error) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise NoAnswer(
            gettext_noop("%(host)s broke off, or did not answer in HTTP."), host=asked.url.host
        ) from error


def check(url: str) -> None:
    """Raises AddressRefused, or NoAnswer for a name that is not known, as a request would."""
    address = parsed(url)
    addresses_of(address.raw_host.decode(), address.port or _PORTS[address.scheme])


def validate_address(url: str) -> None:
    """For forms: ValidationError where `check` refuses."""
    try:
        check(url)
    except Fault as fault:
        raise ValidationError(str(fault)) from fault


def parsed(url: str) -> httpx.URL:
    """`url` as one that may be asked, the host in its punycode; AddressRefused if it is none."""
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressRefused(gettext_noop("That is not a web address.")) from error
    if address.scheme not in _PORTS:
        raise AddressRefused(gettext_noop("The address has to begin with https:// or http://."))
    port_fits = address.port is None or 0 < address.port < 65536
    if not address.host or not port_fits or len(url) > URL_LIMIT:
        raise AddressRefused(gettext_noop("That is not a web address."))
    return address


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of `host`, resolved once; AddressRefused if any of them may not be sent to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(gettext_noop("No computer is known as %(host)s."), host=host) from error
    addresses = [str(address[0]) for *_rest, address in found]
    if not settings.OUTGOING_PRIVATE_ADDRESSES and not all(map(is_public, addresses)):
        raise AddressRefused(
            gettext_noop(
                "%(host)s is an address of a private network, where nothing is sent. An"
                " administrator of the server can allow it (OUTGOING_PRIVATE_ADDRESSES)."
            ),
            host=host,
        )
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is one of the Internet's, also through what it is wrapped in."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        inner = _wrapped(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _REFUSED_TOO)


def _wrapped(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a router, or this computer, makes of an IPv6 address."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


def _request(
    method: str, url: httpx.URL, content: bytes, headers: Mapping[str, str]
) -> httpx.Request:
    asked = httpx.Request(method, url, headers=dict(headers), content=content)
    asked.headers["Connection"] = "close"
    asked.headers["Accept-Encoding"] = "identity"  # what comes unpacks to nothing larger
    if url.userinfo and "Authorization" not in asked.headers:
        next(httpx.BasicAuth(url.username, url.password).auth_flow(asked))
    return asked


def _exchange(
    pool: httpcore.ConnectionPool, asked: httpx.Request, seconds: float, limit: int
) -> Answer:
    with pool.stream(
        asked.method,
        httpcore.URL(
            scheme=asked.url.raw_scheme,
            host=asked.url.raw_host,
            port=asked.url.port,
            target=asked.url.raw_path,
        ),
        headers=asked.headers.raw,
        content=asked.content,
        extensions={
            "timeout": dict.fromkeys(("read", "write", "pool"), seconds)
            | {"connect": min(CONNECT_SECONDS, seconds)}
        },
    ) as response:
        body = bytearray()
        for part in response.iter_stream():
            body += part
            if len(body) >= limit:
                break
        return Answer(response.status, httpx.Headers(response.headers), bytes(body[:limit]))


def _not_connected(host: str, error: BaseException) -> NoAnswer:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return NoAnswer(
                gettext_noop("%(host)s has no certificate that can be trusted for that name."),
                host=host,
            )
        cause = cause.__cause__ or cause.__context__
    return NoAnswer(gettext_noop("No connection to %(host)s could be made."), host=host)


@lru_cache(maxsize=1)
def ssl_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were looked at, and ends everything at `deadline` (monotonic)."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("no address")
        for address in dict.fromkeys(addresses_of(host, port)):
            try:
                stream = self._inner.connect_tcp(
                    address, port, _left(self._deadline, timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _BoundedStream(stream, self._deadline)
        raise failure


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_BYTES):
            part = buffer[start : start + WRITE_BYTES]
            self._inner.write(part, _left(self._deadline, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, timeout)
        return _BoundedStream(
            self._inner.start_tls(ssl_context, server_hostname, left), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """Seconds until the deadline, or less; raises httpcore's time-out when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return left if timeout is None else min(left, timeout)
