"""Live lines as the pages and programs of people open them, and what is heard on them."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import redis
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect

from accounts.models import User
from tests.support.browsing import session_cookie
from tests.support.patience import PATIENCE
from tests.support.people import key_of
from tests.support.server import Server


@asynccontextmanager
async def listening(
    server: Server, user: User, session: str | None = None
) -> AsyncIterator[ClientConnection]:
    """A live connection as the browser of `user` makes it, by the key of a session or by a session
    of its own; joined for certain."""
    headers = {"Cookie": f"sessionid={session or session_cookie(user)}"}
    async with connect(
        server.ws_url,
        additional_headers=headers,
        origin=server.url,
        open_timeout=PATIENCE,
        ping_interval=None,
    ) as line:
        await answer(line)
        yield line


async def answer(line: ClientConnection) -> None:
    """Asks whether the line still works; returns once it says so, ConnectionClosed if it is cut."""
    async with asyncio.timeout(PATIENCE):
        await line.send("ping")
        assert json.loads(await line.recv()) == {"type": "pong"}


@contextmanager
def standing_still(server: Server) -> Iterator[None]:
    """The server does nothing meanwhile; what waits for it in Redis grows too old, as it would in
    half a minute. Without Redis its queue takes but a few messages."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
        if settings.REDIS_URL:
            with redis.from_url(settings.REDIS_URL) as client:
                waiting = list(client.scan_iter("asgispecific*"))
                assert waiting and client.delete(*waiting)
    finally:
        server.process.send_signal(signal.SIGCONT)


async def frames_with(line: ClientConnection, count: int) -> list[dict]:
    """The next frames, as many as bring `count` events."""
    frames: list[dict] = []
    async with asyncio.timeout(PATIENCE):
        while len(events_of(frames)) < count:
            frames.append(json.loads(await line.recv()))
    return frames


def events_of(frames: list[dict]) -> list[dict]:
    return [event for frame in frames for event in frame.get("events", [frame])]


async def next_events(line: ClientConnection, count: int) -> list[dict]:
    """The next events: `count`, or more where the last of them came in a batch."""
    return events_of(await frames_with(line, count))


class Caller:
    """A program of one person, as the API knows it."""

    def __init__(self, server: Server, user: User):
        self.http = httpx.AsyncClient(
            base_url=server.url, headers={"X-API-Key": key_of(user)}, timeout=PATIENCE
        )

    async def start(self) -> str:
        answer = await self.http.post("/api/calls/start", json={})
        assert answer.status_code == 201
        return answer.json()["call_id"]

    async def end(self, call_id: str) -> dict:
        answer = await self.http.post("/api/calls/end", json={"call_id": call_id})
        assert answer.status_code == 200
        return answer.json()


async def all_heard(line: ClientConnection, listener: Caller) -> list[dict]:
    """All events that were on their way to `line`: until a call of the listener's own, made behind
    them, has been heard.

    A room that has just been told pauses, so what another room is told may overtake it: the start
    of that call, but not its end too, which happens after the start was heard.
    """
    marker = await listener.start()
    heard = await _until(line, "call_started", marker)
    await listener.end(marker)
    heard += await _until(line, "call_ended", marker)
    return [event for event in heard if event["call_id"] != marker]


async def _until(line: ClientConnection, kind: str, call_id: str) -> list[dict]:
    events: list[dict] = []
    while (kind, call_id) not in [(event["type"], event["call_id"]) for event in events]:
        events += await next_events(line, 1)
    return events
