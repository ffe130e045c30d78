"""From the end of a call to the last of many open pages that hears of it."""

import asyncio
import json
import statistics
import time
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from bench.load import Burst, closed
from bench.stage import FEW, Side, Stage
from bench.wire import Connection

ROUNDS: Final = 10
CLIENTS: Final = 8


async def opened(port: int, cookie: str, count: int) -> list[ClientConnection]:
    """Live lines of as many open pages of the person whose session `cookie` is."""
    url = f"ws://127.0.0.1:{port}/ws/dashboard/"
    origin = Origin(f"http://127.0.0.1:{port}")
    return [
        await connect(url, additional_headers={"Cookie": cookie}, origin=origin, compression=None)
        for _ in range(count)
    ]


async def swallow(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def _last_frame(sockets: list[ClientConnection], side: Side) -> float:
    """Milliseconds from the request that ends a call to the last socket that has the event."""
    line, pair = Connection(side.server.port), side.program.pair()
    status, started = await line.ask(next(pair))
    call_id = json.loads(started)["call_id"]
    heard = [asyncio.create_task(_hears_end(socket, call_id)) for socket in sockets]
    await asyncio.sleep(0.6)  # the start has been told and the room is quiet again
    begun = time.perf_counter()
    await line.ask(pair.send((status, started)))
    times = await asyncio.gather(*heard)
    line.close()
    return (max(times) - begun) * 1000


async def _hears_end(socket: ClientConnection, call_id: str) -> float:
    async for text in socket:
        frame = json.loads(text)
        for event in frame.get("events", [frame]):
            if event["type"] == "call_ended" and event["call_id"] == call_id:
                return time.perf_counter()
    raise ConnectionError("the server closed the socket")


async def _measure(stage: Stage, side: Side, cookie: str) -> tuple[list[float], float]:
    sockets = await opened(side.server.port, cookie, stage.options.open_pages)
    latencies = [await _last_frame(sockets, side) for _ in range(ROUNDS)]
    readers = [asyncio.create_task(swallow(socket)) for socket in sockets]
    watched = await asyncio.to_thread(_pairs, stage, side)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return latencies, watched.rate


def _pairs(stage: Stage, side: Side) -> Burst:
    return closed(side.server.port, side.program.pair, CLIENTS, stage.options.seconds)


def measure(stage: Stage) -> None:
    stage.record.head(f"Live: {stage.options.open_pages} open pages of the organisation")
    side = stage.sides("daphne")[0]
    cookie = stage.copy(FEW).ask(what="cookie", username="admin")
    alone = _pairs(stage, side).rate
    latencies, watched = asyncio.run(_measure(stage, side, cookie))
    stage.record.say(
        f"end of a call -> last page: median {statistics.median(latencies):.0f} ms, "
        f"worst of {ROUNDS} {max(latencies):.0f} ms"
    )
    stage.record.say(
        f"start+end pairs a second: {alone:.0f} with nobody looking, {watched:.0f} with all of "
        f"them: ratio {watched / alone:.2f}"
    )
