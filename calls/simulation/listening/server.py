"""What the servers share that play a phone system to which one is connected lastingly."""

import asyncio
import random
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Scripted(NamedTuple):
    """A scripted call as a phone system tells it: the id under which its agent's part will be
    recorded, and the messages by instant (µs)."""

    call: str
    messages: list[tuple[int, bytes]]


@dataclass
class LastingServer:
    """A server on the loopback. What is played while nobody is connected is lost."""

    def __post_init__(self) -> None:
        self.connections = 0  # logins since the start
        self.listening: set[asyncio.StreamWriter] = set()
        self._synced = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> int:
        """Listens on the loopback; the port."""
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", port, ssl=tls)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Nobody answers any more; `start` with the same port comes back."""
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Breaks all connections without a goodbye."""
        self._synced.clear()
        for writer in list(self.listening):
            writer.transport.abort()
        self.listening.clear()

    async def synced(self) -> None:
        """Until somebody is connected and knows which channels are up."""
        await self._synced.wait()

    def set_synced(self) -> None:
        self._synced.set()

    def follow(self, message: bytes) -> None:
        """It happens now: what the server has to know of it for later questions."""

    def emit(self, message: bytes) -> None:
        """It happens now, whether anybody listens or not."""
        self.follow(message)
        for writer in self.listening:
            writer.write(message)

    async def play(
        self,
        messages: Iterable[tuple[int, bytes]],
        *,
        duplicates: float = 0.0,
        cuts: int = 0,
        lost: int = 0,
        chance: random.Random | None = None,
    ) -> None:
        """Plays messages in the order of their instants, as fast as they are taken.

        A share of `duplicates` comes twice. The connection is cut `cuts` times; each time the next
        `lost` messages happen while nobody listens, and the rest once somebody does again.
        """
        chance = chance or random.Random(0)
        ordered = sorted(messages, key=lambda one: one[0])
        cut_at = set(chance.sample(range(len(ordered)), min(cuts, len(ordered))))
        deaf = 0
        await self.synced()
        for place, (_at, message) in enumerate(ordered):
            if place in cut_at:
                self.cut()
                deaf = lost
            if deaf:
                deaf -= 1
                self.follow(message)
                continue
            await self.synced()
            self.emit(message)
            if chance.random() < duplicates:
                self.emit(message)
            await self._drain()

    async def _drain(self) -> None:
        for writer in list(self.listening):
            try:
                await writer.drain()
            except ConnectionError:
                self.listening.discard(writer)
