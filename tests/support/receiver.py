"""A receiver of messages: a real HTTP server on loopback that keeps what it is sent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]  # names in small letters
    body: bytes


@dataclass
class Receiver:
    """`answers` are taken one a request; the last one stays."""

    port: int = 0
    answers: list[Answering] = field(default_factory=lambda: [saying(200)])
    received: list[Received] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def saying(status: int, body: bytes = b"ok", **headers: str) -> Answering:
    """Answers with `status`; `Retry_After="5"` is a header."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def silent(handler: Any) -> None:
    """Takes the request and says nothing until the receiver is closed."""
    handler.server.receiver.over.wait(60)


def dripping(handler: Any) -> None:
    """A byte now and then, without an end."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.receiver.over.wait(0.05):
        handler.wfile.write(b".")
        handler.wfile.flush()


def endless(handler: Any) -> None:
    """As much as is taken, as fast as it is."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.receiver.over.is_set():
        handler.wfile.write(b"x" * 65536)


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def _take(self) -> None:
        receiver: Receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.received.append(Received(self.command, self.path, headers, body))
        answer = receiver.answers[0]
        if len(receiver.answers) > 1:
            receiver.answers.pop(0)
        try:
            answer(self)
        except OSError:
            self.close_connection = True  # who asked has heard enough

    do_GET = do_POST = do_PUT = _take  # noqa: N815 (the names are the library's)

    def log_message(self, *args: Any) -> None:
        """Nothing on the console."""


@contextmanager
def receiving(tls: Any = None) -> Iterator[Receiver]:
    """A receiver as long as the block lasts; with `tls`, an SSL context, it speaks HTTPS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(port=server.server_address[1])
    server.receiver = receiver  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
