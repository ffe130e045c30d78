"""Load on one server: as fast as it answers (closed loop), or at a pace of its own (open loop)."""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.figures import percentile
from bench.wire import Answer, Broken, Connection

# What one client asks, and of each answer what it asks next: `answer = yield request`.
Flow = Generator[bytes, Answer, None]
Flows = Callable[[], Flow]

_MOST_CONNECTIONS: Final = 64  # of an open loop


@dataclass
class Burst:
    """What came of a while of load: flows done within `seconds`, and how long each took, in ms."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Flows a second."""
        return len(self.milliseconds) / self.seconds

    def within(self, share: float) -> float:
        """Milliseconds that `share` of the flows do not exceed."""
        return percentile(self.milliseconds, share)

    @property
    def complaint(self) -> str:
        """What failed, in words; "" for nothing."""
        return "; ".join(f"{count} x {what}" for what, count in self.failures.most_common(3))


def closed(port: int | Sequence[int], flows: Flows, clients: int, seconds: float) -> Burst:
    """`clients` connections, each with one flow after the other for `seconds`; to several ports in
    turn."""
    ports = [port] if isinstance(port, int) else port
    return asyncio.run(_closed(ports, flows, clients, seconds))


async def _closed(ports: Sequence[int], flows: Flows, clients: int, seconds: float) -> Burst:
    burst = Burst()
    begun = time.perf_counter()

    async def client(port: int) -> None:
        connection = Connection(port)
        while (at := time.perf_counter()) < begun + seconds:
            await follow(connection, flows(), burst, at)
        connection.close()

    await asyncio.gather(*(client(ports[place % len(ports)]) for place in range(clients)))
    burst.seconds = time.perf_counter() - begun
    return burst


def paced(port: int, flows: Flows, a_second: float, seconds: float) -> Burst:
    """`a_second` flows a second are due, whether the last ones are done or not; each is timed from
    the moment it was due."""
    return asyncio.run(_paced(port, flows, a_second, seconds))


async def _paced(port: int, flows: Flows, a_second: float, seconds: float) -> Burst:
    burst, line = Burst(), Line(port)
    begun = time.perf_counter() + 0.05
    running = []
    for place in range(round(a_second * seconds)):
        due = begun + place / a_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.append(asyncio.create_task(line.follow(flows(), burst, due)))
    await asyncio.gather(*running)
    burst.seconds = time.perf_counter() - begun
    line.close()
    return burst


class Line:
    """Connections that are taken when something is due, the last used first; never too many."""

    def __init__(self, port: int, most: int = _MOST_CONNECTIONS):
        self._free = deque(Connection(port) for _ in range(most))
        self._turn = asyncio.Semaphore(most)

    async def follow(
        self, flow: Flow, burst: Burst, due: float, *, give_up: float = math.inf
    ) -> None:
        """`give_up`: what has found no connection by then is not sent, and has failed."""
        async with self._turn:
            if time.perf_counter() > give_up:
                burst.failures["the server was too far behind"] += 1
                return
            connection = self._free.pop()
            await follow(connection, flow, burst, due)
            self._free.append(connection)

    def close(self) -> None:
        for connection in self._free:
            connection.close()


async def follow(connection: Connection, flow: Flow, burst: Burst, begun: float) -> None:
    """Goes through `flow` and notes in `burst` how long that took since `begun`."""
    try:
        asked = next(flow)
        while True:
            status, body = await connection.ask(asked)
            if status >= 300:
                burst.failures[f"{status} {body[:120]!r}"] += 1
                return
            asked = flow.send((status, body))
    except StopIteration:
        burst.milliseconds.append((time.perf_counter() - begun) * 1000)
    except (Broken, OSError, TimeoutError) as error:
        burst.failures[f"{type(error).__name__} {error}"] += 1
        connection.close()
