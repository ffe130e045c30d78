"""Django's WSGI handler behind an ASGI server, on a small fixed pool of threads.

Django's own ASGI handler makes a thread context and a database connection for every request; here
a thread keeps its connection. The request is read before a thread is taken and a plain answer is
sent in one go after it is free again, so a slow client holds no thread; only a streamed answer
keeps its thread, and waits for the client there.
"""

import asyncio
import datetime as dt
import io
import itertools
import string
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any, Final, cast
from urllib.parse import quote_from_bytes

from a2wsgi.wsgi import build_environ
from django.conf import settings

from callmanager.serving.arrival import Deadline
from common.instants import ARRIVED

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]

_IN_MEMORY = 256 * 1024
# What is beyond this is dropped; it is more than any page or route accepts and so is refused.
_LARGEST_BODY = 32 * 1024 * 1024


class ClientGone(Exception):
    """The other side hung up."""


class TooSlow(Exception):
    """The request does not arrive."""


_TOO_SLOW: Final[list[Message]] = [
    {
        "type": "http.response.start",
        "status": 408,
        "headers": [(b"content-type", b"application/json"), (b"connection", b"close")],
    },
    {
        "type": "http.response.body",
        "body": b'{"error": "The request took too long to come."}',
    },
]


class WSGIBridge:
    """An ASGI application for `http` scopes that runs `app` (WSGI) on `threads` threads.

    Requests of which `in_turn` says so run one after another on a thread of their own: where only
    one can write at a time, threads that wait for each other cost more than they bring. Others of
    which `may_wait` says so have `threads` of their own: where another process holds the lock, they
    may all be waiting, and whoever only looks is still served.
    """

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        threads: int,
        in_turn: Callable[[Message], bool] = lambda scope: False,
        may_wait: Callable[[Message], bool] = lambda scope: False,
    ):
        self._app = app
        self._in_turn = in_turn
        self._may_wait = may_wait
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="http")
        self._waiting = ThreadPoolExecutor(threads, thread_name_prefix="http-may-wait")
        self._one_thread = ThreadPoolExecutor(1, thread_name_prefix="http-in-turn")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        answer = Answer(asyncio.get_running_loop(), receive, send)
        try:
            with await _body(receive) as body:
                environ = _environ(scope, body)
                pool = self._pool_for(scope)
                await answer.loop.run_in_executor(pool, answer.run, self._app, environ)
        except ClientGone:
            return
        except TooSlow:
            answer.whole = _TOO_SLOW
        finally:
            answer.stop_watching()
        for message in answer.whole:
            await send(message)

    def _pool_for(self, scope: Message) -> ThreadPoolExecutor:
        if self._in_turn(scope):
            return self._one_thread
        return self._waiting if self._may_wait(scope) else self._pool


async def _body(receive: Receive) -> IO[bytes]:
    """The whole body of the request; a large one is kept on disk.

    TooSlow if it does not come. Daphne has seen to that before; other servers do not.
    """
    try:
        async with asyncio.timeout(settings.REQUEST_TIMEOUT_SECONDS) as limit:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                return io.BytesIO(message.get("body", b""))
            return await _long_body(message, receive, limit)
    except TimeoutError as error:
        raise TooSlow from error


async def _long_body(message: Message, receive: Receive, limit: asyncio.Timeout) -> IO[bytes]:
    clock = asyncio.get_running_loop().time
    deadline = Deadline(settings.REQUEST_TIMEOUT_SECONDS, clock())
    body = cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115  # the caller closes it
    try:
        while message["type"] != "http.disconnect":
            part = message.get("body", b"")
            if body.tell() <= _LARGEST_BODY:
                body.write(part)
            if not message.get("more_body"):
                return body
            deadline.got(len(part), clock())
            limit.reschedule(clock() + deadline.left(clock()))
            message = await receive()
        raise ClientGone
    except BaseException:
        body.close()
        raise


def _environ(scope: Message, body: IO[bytes]) -> dict[str, Any]:
    # WSGI wants the query in ASCII, and knows no body without a length (as one sent in chunks).
    query = quote_from_bytes(scope["query_string"], safe=string.punctuation).encode()
    # Its types ask for more than it reads: any mapping and any file do.
    # A name with "_" would pass for one with "-", which a proxy has checked. Daphne drops it, too.
    headers = [header for header in scope["headers"] if b"_" not in header[0]]
    changed = {"query_string": query, "headers": headers}
    built = build_environ(scope | changed, body)  # type: ignore[arg-type]
    environ = cast(dict[str, Any], built)  # and a key of ours
    environ["CONTENT_LENGTH"] = str(body.seek(0, io.SEEK_END))
    body.seek(0)
    environ[ARRIVED] = dt.datetime.now(dt.UTC)
    return environ


class Answer:
    """One response on its way from a thread to the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, send: Send):
        self.loop = loop
        self._receive = receive
        self._send = send
        self._start: Message = {}
        self.whole: list[Message] = []  # empty: it was streamed
        self._watch: asyncio.Task[None] | None = None
        self._client_gone = False

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
        self.loop.call_soon_threadsafe(self._start_watching)
        self._pass_on(self._start)
        for chunk in itertools.chain((first, second), rest):
            self._pass_on({"type": "http.response.body", "body": chunk, "more_body": True})
        self._pass_on({"type": "http.response.body", "body": b""})

    def _pass_on(self, message: Message) -> None:
        if self._client_gone:
            raise ClientGone
        asyncio.run_coroutine_threadsafe(self._send(message), self.loop).result()

    def _start_watching(self) -> None:
        """Only a stream: who takes a short answer and leaves is noticed by the server itself."""
        self._watch = self.loop.create_task(self._wait_for_leaving())

    async def _wait_for_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._client_gone = True

    def stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
