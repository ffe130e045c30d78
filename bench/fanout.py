"""From the end of a call to the last of many open pages that hears of it."""

import asyncio
import json
import statistics
import time

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from bench.clients import Client, pairs
from bench.installation import Installation

ROUNDS = 10


async def _last_frame(sockets: list[ClientConnection], client: Client) -> float:
    """Milliseconds from the request that ends a call to the last socket that has the event."""
    call_id = await asyncio.to_thread(client.start)
    heard = [asyncio.create_task(_hears_end(socket, call_id)) for socket in sockets]
    await asyncio.sleep(0.6)  # the start has been told and the room is quiet again
    begun = time.perf_counter()
    await asyncio.to_thread(client.end, call_id)
    times = await asyncio.gather(*heard)
    return (max(times) - begun) * 1000


async def _hears_end(socket: ClientConnection, call_id: str) -> float:
    async for text in socket:
        frame = json.loads(text)
        for event in frame.get("events", [frame]):
            if event["type"] == "call_ended" and event["call_id"] == call_id:
                return time.perf_counter()
    raise ConnectionError("the server closed the socket")


async def _swallow(socket: ClientConnection) -> None:
    async for _ in socket:
        pass


async def _measure(
    installation: Installation, clients: list[Client], count: int, seconds: float
) -> tuple[list[float], float]:
    cookie = installation.ask(what="cookie", username="admin")
    url = f"ws://127.0.0.1:{installation.port}/ws/dashboard/"
    headers = {"Cookie": cookie}
    origin = Origin(f"http://127.0.0.1:{installation.port}")
    sockets = [
        await connect(url, additional_headers=headers, origin=origin, compression=None)
        for _ in range(count)
    ]
    latencies = [await _last_frame(sockets, clients[0]) for _ in range(ROUNDS)]
    readers = [asyncio.create_task(_swallow(socket)) for socket in sockets]
    rate = await asyncio.to_thread(pairs, clients, seconds)
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    await asyncio.gather(*(socket.close() for socket in sockets))
    return latencies, rate


def report(installation: Installation, clients: list[Client], count: int, seconds: float) -> None:
    alone = pairs(clients, seconds)
    latencies, watched = asyncio.run(_measure(installation, clients, count, seconds))
    print(f"\nLive: {count} open pages of the organisation, one process")
    print(
        f"  end of a call -> last page: median {statistics.median(latencies):.0f} ms, "
        f"worst of {ROUNDS} {max(latencies):.0f} ms"
    )
    print(
        f"  start+end pairs a second: {alone:.0f} with nobody looking, {watched:.0f} with all of "
        f"them: ratio {watched / alone:.2f}  (the clients and pages share the machine)"
    )
