"""What we add to Daphne: requests that do not arrive are answered 408, and proxies are counted."""

from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from twisted.web import http
from twisted.web.http_headers import Headers

from callmanager.serving import proxies
from callmanager.serving.arrival import Deadline

_TOO_SLOW: Final = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b'Content-Length: 45\r\n\r\n{"error": "The request took too long to come."}'
)


class Channel(http.HTTPChannel):
    """A connection that bounds how long the head and the body of a request take to arrive.

    Daphne hands a request on when it is whole. One that comes in one piece costs no timer.
    """

    transport: Any
    _deadline: Deadline | None = None
    _alarm: Any = None

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self._watch(len(data))

    def requestDone(self, request: Any) -> None:
        super().requestDone(request)
        self._watch(0)  # the next may have begun to come meanwhile

    def allContentReceived(self) -> None:
        self._forget()
        super().allContentReceived()

    def connectionLost(self, reason: Any = None) -> None:
        self._forget()
        super().connectionLost(reason)

    def _watch(self, size: int) -> None:
        if self._handlingRequest or not (self.requests or self._buffer):
            return
        now = self.factory.reactor.seconds()
        if self._deadline is None:
            self._deadline = Deadline(settings.REQUEST_TIMEOUT_SECONDS, now)
            self._alarm = self.callLater(settings.REQUEST_TIMEOUT_SECONDS, self._give_up)
        else:
            self._deadline.got(size, now)
            self._alarm.reset(self._deadline.left(now))

    def _give_up(self) -> None:
        self._alarm = None
        self.transport.write(_TOO_SLOW)
        self.timeoutConnection()

    def _forget(self) -> None:
        self._deadline = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def install() -> None:
    """Before Daphne listens, which is after it has loaded the application."""
    from daphne import http_protocol, ws_protocol

    # Twisted asks the e-mail package what type a body has, anew for every request; they are few.
    http._parseContentType = lru_cache(maxsize=64)(http._parseContentType)
    http_protocol.HTTPFactory.protocol = lambda factory: http._GenericHTTPChannelProtocol(Channel())
    http_protocol.parse_x_forwarded_for = ws_protocol.parse_x_forwarded_for = _origin


def _origin(
    headers: Any,
    _for: Any,
    _port: Any,
    _proto: Any,
    address: list[Any] | None,
    scheme: str = "http",
) -> tuple[list[Any] | None, str]:
    """For `--proxy-headers`, which by itself believes the first address, the client's word."""
    host, port = address or ("", 0)
    told_for, told_scheme = (_header(headers, f"x-forwarded-{what}") for what in ("for", "proto"))
    hops = settings.TRUSTED_PROXIES
    found, scheme = proxies.origin(hops, told_for, told_scheme, host, scheme)
    return [found, port] if found else None, scheme


def _header(headers: Any, name: str) -> str:
    """Of Twisted's headers, or of those of a WebSocket, which are a plain mapping of bytes."""
    if not isinstance(headers, Headers):
        return str(headers.get(name.encode(), b"").decode("latin-1"))
    return ",".join(headers.getRawHeaders(name, []))
