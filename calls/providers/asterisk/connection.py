"""A lasting connection to a manager: everything heard is handed over at once, in order.

Asterisk cuts off whoever reads too slowly, so nothing here waits for anybody who takes what was
heard. A connection that is lost is made again, each time a little later, at most a minute.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NamedTuple

from calls.providers.asterisk.ami import Banner, Message, NotAmi, Reader, encode
from calls.providers.asterisk.manager import Refused, Where, login
from common.instants import now, to_ms

SYNC = "sync-1"  # marks the question which channels are up
_LOGIN_SECONDS = 30  # what Asterisk itself allows
_PING_SECONDS = 30
_DEAD_AFTER = 75  # seconds without a byte, though we have pinged twice
_LONGEST_WAIT = 60.0  # seconds


class Heard(NamedTuple):
    """A message and when we received it (ms)."""

    message: Message
    received: int


class Up(NamedTuple):
    """We are logged in."""


class Lost(NamedTuple):
    """The connection is gone, or could not be made."""

    why: str


Take = Callable[[Heard | Up | Lost], None]


@dataclass
class Link:
    """Runs until it is cancelled. `take` must return at once; `first_wait` is the wait (seconds)
    after the first failure, doubled with each further one."""

    where: Where
    take: Take
    first_wait: float = 1.0
    ping_seconds: float = _PING_SECONDS
    dead_after: float = _DEAD_AFTER

    async def run(self) -> None:
        failures = 0
        while True:
            try:
                async for _ in self._connected(failures):
                    failures = 0
            except (OSError, UnicodeError, NotAmi, Refused, TimeoutError) as error:
                self.take(Lost(str(error) or type(error).__name__))
            # Many listeners must not come back to a restarted Asterisk at one instant.
            wait = min(self.first_wait * 2**failures, _LONGEST_WAIT)
            failures = min(failures + 1, 10)
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))

    async def _connected(self, failures: int) -> AsyncIterator[None]:
        """One connection: yields once it is logged in, ends with an error."""
        secret = self.where.secrets[failures % len(self.where.secrets)]
        async with asyncio.timeout(_LOGIN_SECONDS):
            reader, writer = await asyncio.open_connection(
                self.where.host, self.where.port, ssl=self.where.tls_context()
            )
        try:
            incoming = self._messages(reader)
            async with asyncio.timeout(_LOGIN_SECONDS):
                await self._log_in(incoming, writer, secret)
            self.take(Up())
            yield
            writer.write(encode("Ping", {"ActionID": "ping"}))
            writer.write(encode("CoreShowChannels", {"ActionID": SYNC}))
            await self._listen(incoming, writer)
        finally:
            with contextlib.suppress(OSError):
                writer.write(encode("Logoff"))
            writer.close()

    async def _log_in(
        self, incoming: AsyncIterator[Message], writer: asyncio.StreamWriter, secret: str
    ) -> None:
        banner = await anext(incoming)
        if not isinstance(banner, Banner):
            raise NotAmi("What answers there is no Asterisk manager.")
        self._hand_over(banner)
        steps = login(self.where, secret, events=True)
        writer.write(next(steps))
        async for message in incoming:
            if message.event:
                self._hand_over(message)
                continue
            try:
                writer.write(steps.send(message))
            except StopIteration:
                return

    async def _listen(self, incoming: AsyncIterator[Message], writer: asyncio.StreamWriter) -> None:
        pinging = asyncio.create_task(self._ping(writer))
        try:
            async for message in incoming:
                self._hand_over(message)
        finally:
            pinging.cancel()

    async def _messages(self, reader: asyncio.StreamReader) -> AsyncIterator[Message]:
        """The messages; ends with an error. Two pings without any answer are a dead line."""
        cutter = Reader()
        while True:
            async with asyncio.timeout(self.dead_after):
                piece = await reader.read(65536)
            if not piece:
                raise ConnectionError("Asterisk closed the connection.")
            for message in cutter.feed(piece):
                yield message

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(self.ping_seconds)
            writer.write(encode("Ping", {"ActionID": "ping"}))

    def _hand_over(self, message: Message) -> None:
        self.take(Heard(message, to_ms(now())))
