"""A lasting connection to a phone system: everything heard is handed over at once, in order.

Phone systems cut off whoever reads too slowly, so nothing here waits for anybody who takes what was
heard. A connection that is lost is made again, each time a little later, at most a minute.

How a kind of phone system speaks is its Dialect; what its messages say of calls, its Follower.
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from calls.providers.base import Adapter, ProviderEvent
from common.instants import now, to_ms

_LOGIN_SECONDS = 30
_PING_SECONDS = 30
_DEAD_AFTER = 75  # seconds without a byte, though we have pinged twice
_LONGEST_WAIT = 60.0  # seconds


class Refused(Exception):
    """The phone system does not let us in, or do what we ask; says why."""


class Garbled(Exception):
    """What came is not what such a phone system says, or cannot be trusted further."""


class Heard(NamedTuple):
    """A message and when we received it (ms)."""

    message: Any
    received: int


class Up(NamedTuple):
    """We are logged in."""


class Lost(NamedTuple):
    """The connection is gone, or could not be made."""

    why: str


Item = Heard | Up | Lost
Take = Callable[[Item], None]


class Cutter(Protocol):
    """Cuts a stream of bytes, given in pieces of any size, into messages."""

    def feed(self, piece: bytes) -> list[Any]:
        """The messages that `piece` completes. Garbled if they cannot be told."""


class Dialect(Protocol):
    """Where a phone system listens, and what is said to it there. `secrets` are tried in turn."""

    @property
    def system(self) -> str:
        """What the phone system is called."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def secrets(self) -> Sequence[str]: ...
    @property
    def ping(self) -> bytes:
        """What is answered at once."""

    @property
    def goodbye(self) -> bytes: ...

    def tls_context(self) -> ssl.SSLContext | None: ...
    def cutter(self) -> Cutter: ...
    def log_in(self, secret: str) -> Generator[bytes, Any, None]:
        """The steps of getting in: send what it yields, and send it every message that comes.

        Refused if we are not let in, Garbled if it is another kind of system.
        """

    @property
    def opening(self) -> bytes:
        """What is asked once we are in: what runs now."""

    def follow_up(self, message: Any) -> bytes:
        """What is asked because of `message`; mostly nothing."""


class Follower(Protocol):
    """Follows the calls of one phone system through its messages and tells what agents did. Pure.

    `remarks` are sentences for the log, to be taken away by whoever writes them there.
    """

    remarks: list[str]

    def read(self, message: Any, received: int) -> list[ProviderEvent]:
        """The facts that `message`, received at `received` (ms), proves."""

    def lost(self) -> list[ProviderEvent]:
        """The connection is gone: from the last instant heard on, we may miss something."""

    def finish(self) -> list[ProviderEvent]:
        """Nobody will listen any more: what runs stays open, and is marked."""

    def know(self, names: frozenset[str]) -> None:
        """All that an agent of ours may be called there, in small letters."""

    def remember(self, running: Mapping[str, int | None]) -> None:
        """Calls that were reported before and have not ended: when (ms) they were answered."""

    def expect(self, calls: Iterable[str], since: int) -> None:
        """Calls that ran when an earlier process last listened, at `since` (ms)."""

    def instant_of(self, message: Any) -> int:
        """When (ms) the phone system says that it sent `message`; 0 where it does not say."""

    def clock_of(self, message: Any) -> int:
        """The same where this is surely the time there as we receive it; else 0."""


class Listened(Adapter):
    """An adapter whose phone system is listened to over a lasting connection.

    `no_instants` says what is wrong with a stream that tells no instants.
    """

    no_instants: ClassVar[str] = ""

    @property
    def where(self) -> Dialect:
        """Unreachable if the account is not set up."""
        raise NotImplementedError

    def cutter(self) -> Cutter:
        """For what such a phone system once sent."""
        raise NotImplementedError

    def follower(self) -> Follower:
        raise NotImplementedError


@dataclass
class Link:
    """Runs until it is cancelled. `take` must return at once; `first_wait` is the wait (seconds)
    after the first failure, doubled with each further one."""

    where: Dialect
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
            except (OSError, UnicodeError, Garbled, Refused, TimeoutError) as error:
                self.take(Lost(str(error) or type(error).__name__))
            # Many listeners must not come back to a restarted phone system at one instant.
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
            writer.write(self.where.ping)
            writer.write(self.where.opening)
            await self._listen(incoming, writer)
        finally:
            with contextlib.suppress(OSError):
                writer.write(self.where.goodbye)
            writer.close()

    async def _log_in(
        self, incoming: AsyncIterator[Any], writer: asyncio.StreamWriter, secret: str
    ) -> None:
        steps = self.where.log_in(secret)
        writer.write(next(steps))
        async for message in incoming:
            try:
                step = steps.send(message)
            except StopIteration:
                self._hand_over(message)
                return
            self._hand_over(message)
            writer.write(step)

    async def _listen(self, incoming: AsyncIterator[Any], writer: asyncio.StreamWriter) -> None:
        pinging = asyncio.create_task(self._ping(writer))
        try:
            async for message in incoming:
                self._hand_over(message)
                writer.write(self.where.follow_up(message))
        finally:
            pinging.cancel()

    async def _messages(self, reader: asyncio.StreamReader) -> AsyncIterator[Any]:
        """The messages; ends with an error. Two pings without any answer are a dead line."""
        cutter = self.where.cutter()
        while True:
            async with asyncio.timeout(self.dead_after):
                piece = await reader.read(65536)
            if not piece:
                raise ConnectionError(f"{self.where.system} closed the connection.")
            for message in cutter.feed(piece):
                yield message

    async def _ping(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(self.ping_seconds)
            writer.write(self.where.ping)

    def _hand_over(self, message: Any) -> None:
        self.take(Heard(message, to_ms(now())))
