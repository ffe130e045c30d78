"""A proxy between a program and the server that loses, delays and doubles what passes through."""

import asyncio
import contextlib
import random
import threading
from collections import Counter

# What may befall a request, and how often among a hundred.
FAULTS = {
    "refused": 3,  # the connection is closed before the request is passed on
    "answer lost": 5,  # the server has the request, the program hears nothing
    "delayed": 5,  # both wait a while
    "stuck": 3,  # the program hears nothing, and the server gets the request later
    "doubled": 8,  # the server gets the request twice
    "doubled later": 4,  # and the second time when other requests have passed
}


class FaultProxy:
    """Passes HTTP requests on to `port`, with faults while `faulty`."""

    def __init__(self, port: int, seed: int = 1, longest: float = 1.5):
        self._target = port
        self._chance, self._longest = random.Random(seed), longest
        self.faulty = True
        self.seen: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._late: set[asyncio.Task[bytes]] = set()
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._loop.run_until_complete(serving).sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while (request := await self._request(reader)) and await self._pass(request, writer):
                await writer.drain()
        writer.close()

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
        fault = self._chance.choices(names, weights)[0] if self.faulty else "none"
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
            with contextlib.suppress(OSError):
                return await self._ask(request)
            return b""

        task = self._loop.create_task(send())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _ask(self, request: bytes) -> bytes:
        """The server's whole answer, on a connection of its own."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            )
            return head + await reader.readexactly(length)
        finally:
            writer.close()
