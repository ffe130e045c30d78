"""Half-sent requests: they are answered 408 and let go; what gets on may take its time."""

import asyncio
import select
import socket

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from callmanager.serving.arrival import Deadline
from callmanager.serving.bridge import WSGIBridge
from callmanager.serving.daphne import Channel
from tests.callmanager.serving.test_uvicorn import UvicornServer
from tests.support.patience import PATIENCE
from tests.support.server import Server

HALF_SENT = {
    "head": b"GET /login/ HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "line": b"GE",
    "body": b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nuser",
    "chunks": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
}


@pytest.fixture(scope="module")
def impatient(django_db_setup):
    server = Server(REQUEST_TIMEOUT_SECONDS="1").start()
    yield server
    server.kill()


def connect(server: Server, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    connection.sendall(data)
    return connection


def rest_of(connection: socket.socket) -> bytes:
    """What comes until the server hangs up."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.server
def test_who_sends_half_a_request_is_told_and_let_go(impatient):
    halves = [connect(impatient, half) for half in HALF_SENT.values()]
    dripping = connect(impatient, HALF_SENT["head"])
    while not select.select([dripping], [], [], 0.05)[0]:
        dripping.send(b"x")
    for connection in [*halves, dripping]:
        head, _, body = rest_of(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ") and b"Connection: close" in head
        assert body == b'{"error": "The request took too long to come."}'


@pytest.mark.server
def test_under_uvicorn_this_holds_for_bodies(django_db_setup):
    server = UvicornServer(REQUEST_TIMEOUT_SECONDS="1").start()
    try:
        for connection in [connect(server, HALF_SENT[name]) for name in ("body", "chunks")]:
            head = rest_of(connection).partition(b"\r\n\r\n")[0].lower()
            assert head.startswith(b"http/1.1 408 ") and b"connection: close" in head
    finally:
        server.kill()


# --- The same with a driven clock -----------------------------------------------------------------


class Factory:
    def __init__(self) -> None:
        self.reactor = Clock()


class Request:
    """Of Twisted's request what a channel uses; it answers when it is told to."""

    def __init__(self, channel, queued):
        from twisted.web.http_headers import Headers

        self.channel, self.requestHeaders, self.responseHeaders = channel, Headers(), Headers()
        self.got, self.whole = b"", False

    def parseCookies(self): ...  # noqa: N802
    def gotLength(self, length): ...  # noqa: N802
    def connectionLost(self, reason): ...  # noqa: N802

    def handleContentChunk(self, data):  # noqa: N802
        self.got += data

    def requestReceived(self, *line):  # noqa: N802
        self.whole = True


@pytest.fixture
def line(settings):
    settings.REQUEST_TIMEOUT_SECONDS = 30
    channel = Channel()
    channel.factory = Factory()
    channel.clock = channel.factory.reactor
    channel.callLater, channel.timeOut = channel.clock.callLater, 60
    channel.requestFactory = Request
    channel.makeConnection(StringTransport())
    return channel


def send(line, data: bytes, then: float = 0) -> bytes:
    """What is answered to `data` within `then` seconds."""
    line.dataReceived(data)
    line.clock.advance(then)
    return line.transport.value()


def test_an_upload_that_gets_on_may_take_long(line):
    send(line, b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(100):
        assert send(line, b"x" * 10_000, then=20) == b""
    assert line.requests[0].whole and len(line.requests[0].got) == 1_000_000
    assert line.clock.getDelayedCalls() == []  # an answer may take as long as it needs


def test_an_upload_that_stands_still_ends(line):
    send(line, b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 500_000, then=29)
    assert send(line, b"x" * 50_000, then=29.9) == b""
    assert b" 408 " in send(line, b"", then=0.2)
    assert line.transport.disconnecting


def test_drops_do_not_keep_a_head_alive(line):
    answers = [send(line, b"x", then=5.1) for _ in range(6)]
    assert answers[4] == b"" and answers[5].startswith(b"HTTP/1.1 408 ")


def test_each_request_of_a_connection_has_its_own_time(line):
    whole = b"GET / HTTP/1.1\r\n\r\n"
    send(line, whole, then=500)  # an answer takes its time
    send(line, whole[:9])  # and the next begins to come meanwhile
    line.requestDone(line.requests[0])
    assert send(line, b"", then=29) == b""
    send(line, whole[9:])
    line.requestDone(line.requests[0])
    assert send(line, b"", then=59) == b"" and not line.transport.disconnecting
    line.clock.advance(2)  # nobody asks any more: let go without a word
    assert line.transport.disconnecting and line.transport.value() == b""


def test_a_second_for_every_500_bytes_and_never_more_than_the_limit():
    deadline = Deadline(30, now=100)
    assert deadline.left(110) == 20
    deadline.got(2_500, now=110)
    assert deadline.left(110) == 25
    deadline.got(10**6, now=120)
    assert deadline.left(120) == 30
    assert deadline.left(151) == 0


def test_a_server_that_hands_bodies_on_in_parts_is_bounded_too(settings):
    """Such as uvicorn."""
    settings.REQUEST_TIMEOUT_SECONDS = 0.05
    sent = []

    async def scene() -> None:
        coming = [{"type": "http.request", "body": b"half", "more_body": True}]

        async def receive():
            return coming.pop() if coming else await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        await WSGIBridge(lambda environ, start: [], 1)({"type": "http"}, receive, send)

    asyncio.run(scene())
    assert sent[0]["status"] == 408 and (b"connection", b"close") in sent[0]["headers"]
