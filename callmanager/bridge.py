"""Django's WSGI handler behind an ASGI server, on a small fixed pool of threads.

Django's own ASGI handler makes a thread context and a database connection for every request; here
a thread keeps its connection. The request is read before a thread is taken and a plain answer is
sent in one go after it is free again, so a slow client holds no thread; only a streamed answer
keeps its thread, and waits for the client there.
"""

import asyncio
import datetime as dt
import itertools
import string
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, cast
from urllib.parse import quote_from_bytes

from a2wsgi.wsgi import build_environ

from common.instants import ARRIVED

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]

_IN_MEMORY = 256 * 1024
# What is beyond this is dropped; it is more than any page or route accepts and so is refused.
_LARGEST_BODY = 32 * 1024 * 1024


class ClientGone(Exception):
    """The other side hung up."""


class WSGIBridge:
    """An ASGI application for `http` scopes that runs `app` (WSGI) on `threads` threads."""

    def __init__(self, app: Callable[..., Iterable[bytes]], threads: int):
        self._app = app
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="http")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            try:
                size = await _read(receive, body)
            except ClientGone:
                return
            answer = Answer(asyncio.get_running_loop(), send)
            watch = asyncio.ensure_future(_gone(receive, answer))
            try:
                environ = _environ(scope, body, size)
                await answer.loop.run_in_executor(self._pool, answer.run, self._app, environ)
            except ClientGone:
                return
            finally:
                watch.cancel()
        if answer.whole is not None:
            for message in answer.whole:
                await send(message)


async def _read(receive: Receive, body: IO[bytes]) -> int:
    """Reads the request's body into `body`; how many bytes there are."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        if chunk and size <= _LARGEST_BODY:
            size += body.write(chunk)
        if not message.get("more_body"):
            body.seek(0)
            return size


async def _gone(receive: Receive, answer: "Answer") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    answer.client_gone = True


def _environ(scope: Message, body: IO[bytes], size: int) -> dict[str, Any]:
    # WSGI wants the query in ASCII, and knows no body without a length (as one sent in chunks).
    query = quote_from_bytes(scope["query_string"], safe=string.punctuation).encode()
    # Its types ask for more than it reads: any mapping and any file do.
    built = build_environ(scope | {"query_string": query}, body)  # type: ignore[arg-type]
    environ = cast(dict[str, Any], built)  # and a key of ours
    environ["CONTENT_LENGTH"] = str(size)
    environ[ARRIVED] = dt.datetime.now(dt.UTC)
    return environ


class Answer:
    """One response on its way from a thread to the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send):
        self.loop = loop
        self._send = send
        self._start: Message = {}
        self.whole: list[Message] | None = None
        self.client_gone = False

    def run(self, app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> None:
        """On a thread: runs the application; leaves a short answer in `whole`, streams a long one.

        ClientGone if the client leaves in the middle of a stream.
        """
        chunks = app(environ, self._take_start)
        try:
            rest = iter(chunks)
            first = next(rest, b"")
            second = next(rest, None)
            if second is None:
                self.whole = [self._start, {"type": "http.response.body", "body": first}]
            else:
                self._stream(first, second, rest)
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()  # Django tidies its connections here, on the thread that has them

    def _take_start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> None:
        self._start = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ],
        }

    def _stream(self, first: bytes, second: bytes, rest: Iterator[bytes]) -> None:
        self._pass_on(self._start)
        for chunk in itertools.chain((first, second), rest):
            self._pass_on({"type": "http.response.body", "body": chunk, "more_body": True})
        self._pass_on({"type": "http.response.body", "body": b""})

    def _pass_on(self, message: Message) -> None:
        if self.client_gone:
            raise ClientGone
        asyncio.run_coroutine_threadsafe(self._send(message), self.loop).result()
