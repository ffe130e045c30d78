"""What stands between a program and the server: a line that can be cut, and a proxy that loses,
delays and doubles what passes through."""

import asyncio
import contextlib
import random
import socket
import threading
from collections import Counter
from collections.abc import Awaitable

# What may befall a request, and how often among a hundred.
FAULTS = {
    "refused": 3,  # the connection is closed before the request is passed on
    "answer lost": 5,  # the server has the request, the program hears nothing
    "delayed": 5,  # both wait a while
    "stuck": 3,  # the program hears nothing, and the server gets the request later
    "doubled": 8,  # the server gets the request twice
    "doubled later": 4,  # and the second time when other requests have passed
}


class Between:
    """Listens on a port of its own, in a thread of its own, for what goes on to `target`.

    `cut` breaks every connection and refuses new ones until `mend`.
    """

    def __init__(self, target: int):
        self.target = target
        # Bound for as long as this lives, so that nobody else gets the port while it is cut.
        self._kept = self._bound(0)
        self.port = self._kept.getsockname()[1]
        self._lines: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.mend()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/dashboard/"

    def mend(self) -> None:
        self._do(self._open())

    def cut(self) -> None:
        self._do(self._break())

    def close(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._kept.close()

    def _do(self, work: Awaitable[None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _bound(self, port: int) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("127.0.0.1", port))
        return sock

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._taken, sock=self._bound(self.port))

    async def _break(self) -> None:
        self._server.close()
        for line in self._lines:
            line.transport.abort()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._lines.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            self._lines.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


class FaultyLine(Between):
    """Passes every byte on, in both directions."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            ways = [self._pass_on(reader, ours), self._pass_on(theirs, writer)]
            tasks = [asyncio.create_task(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
        finally:
            ours.close()

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()


class FaultProxy(Between):
    """Passes HTTP requests on, with faults; what is late is so by at most `longest` seconds."""

    def __init__(self, target: int, seed: int = 1, longest: float = 0.6):
        self._chance, self._longest = random.Random(seed), longest
        self.seen: Counter[str] = Counter()
        self.late: set[asyncio.Task[bytes]] = set()  # requests that are still to be passed on
        super().__init__(target)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await self._request(reader)) and await self._pass(request, writer):
            await writer.drain()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return head + await reader.readexactly(length)

    async def _pass(self, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """Passes one request on, with what befalls it; whether the connection goes on."""
        names, weights = ["none", *FAULTS], [100 - sum(FAULTS.values()), *FAULTS.values()]
        fault = self._chance.choices(names, weights)[0]
        self.seen[fault] += 1
        wait = self._chance.uniform(0, self._longest)
        if fault == "refused":
            return False
        if fault in ("stuck", "doubled later"):
            self._later(request, wait)
        if fault == "stuck":
            return False
        if fault == "delayed":
            await asyncio.sleep(wait)
        if fault == "doubled":
            self._later(request, 0)
        answer = await self._ask(request)
        if fault == "answer lost":
            return False
        writer.write(answer)
        return bool(answer)

    def _later(self, request: bytes, wait: float) -> None:
        async def send() -> bytes:
            await asyncio.sleep(wait)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                return await self._ask(request)
            return b""

        task = self._loop.create_task(send())
        self.late.add(task)
        task.add_done_callback(self.late.discard)

    async def _ask(self, request: bytes) -> bytes:
        """The server's whole answer, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in [*head.lower().split(b"\r\n"), b"content-length: 0"]  # a 204 has none
                if line.startswith(b"content-length:")
            )
            return head + await reader.readexactly(length)
        finally:
            writer.close()
