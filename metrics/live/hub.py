"""What people see change while they look: rooms, payloads, and the one sender.

A room is an audience: people who may see the same calls. Every process keeps one hub; the channel
layer carries messages to each of them, several at once when many come, and the hub hands them on to
its own sockets, encoded once and at most four times a second a room. A frame is one event, or
`{"type": "batch", "events": [...]}` when many came at once; no event is dropped.
"""

import asyncio
import json
import logging
from typing import Any, Final, Protocol

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from accounts.known_keys import known_keys
from calls.models import CallLog
from metrics.live import local_bus
from metrics.live.rooms import payload, rooms_for

logger = logging.getLogger(__name__)

GROUP: Final = "live"
PAUSE_SECONDS: Final = 0.25
SINGLE_FRAMES: Final = 8  # more events than this in one pause travel as one batch
# A message through Redis costs each process a millisecond or two, whatever it carries.
GATHER_SECONDS: Final = 0.05
_TOGETHER: Final = 500
_TELL_SECONDS: Final = 10  # the layer's own connection may hang; what comes after must not
_RENEW_SECONDS: Final = 3600  # the Redis layer forgets a group's members after a day


class Socket(Protocol):
    """What the hub needs of a consumer."""

    user_id: int

    async def push(self, text: str) -> None: ...

    async def leave(self) -> None: ...


def announce(kind: str, call: CallLog) -> None:
    """Tells the call's audience once the transaction has committed."""
    # No functools.partial: Django asks a robust callback that fails for its name.
    transaction.on_commit(lambda: _tell_of(kind, call), robust=True)


def _tell_of(kind: str, call: CallLog) -> None:
    if not hub.is_empty():
        _send({"type": "live", "rooms": rooms_for(call), "event": payload(kind, call)})


def close_sockets_of(user_id: int) -> None:
    """Ends the live connections of a person whose rights may have changed; the page reconnects.

    What is known of API keys is forgotten: here before anybody is answered, elsewhere by message.
    """
    known_keys.forget()  # for who asks within this transaction
    transaction.on_commit(lambda: _rights_changed(user_id), robust=True)


def _rights_changed(user_id: int) -> None:
    known_keys.forget()
    _send({"type": "close", "user_id": user_id})


def _send(message: dict[str, Any]) -> None:
    if hub.loop is not None and hub.loop.is_running():
        hub.send(message)
    elif settings.REDIS_URL:
        async_to_sync(get_channel_layer().group_send)(GROUP, _parcel([message]))
    else:
        local_bus.ring(message)


def _parcel(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "hub", "messages": messages}


class Hub:
    """This process's sockets, by room. Touched on the event loop only."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._rooms: dict[str, set[Socket]] = {}
        self._pending: dict[str, list[dict[str, Any]]] = {}
        self._pausing: set[str] = set()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listens to the channel layer on `loop`, the server's; once a loop."""
        if self.loop is loop:
            return
        self._outbox = asyncio.Queue()
        self.loop = loop
        self._rooms.clear()
        self._pending.clear()
        self._pausing.clear()
        self._start(self._tell(self._outbox))
        self._start(self._listen())
        if not settings.REDIS_URL:
            local_bus.answer(loop, lambda message: self._start(self._take(message)))

    def is_empty(self) -> bool:
        """Whether this server is the only one there is and nobody listens to it."""
        return self.loop is not None and not self._rooms and not settings.REDIS_URL

    def join(self, socket: Socket, rooms: list[str]) -> None:
        for room in rooms:
            self._rooms.setdefault(room, set()).add(socket)

    def quit(self, socket: Socket) -> None:
        for room in [name for name, sockets in self._rooms.items() if socket in sockets]:
            self._rooms[room].discard(socket)
            if not self._rooms[room]:
                del self._rooms[room]

    def send(self, message: dict[str, Any]) -> None:
        """Hands `message` to every process; from any thread, nobody waits."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self._outbox.put_nowait, message)

    async def _tell(self, outbox: asyncio.Queue[dict[str, Any]]) -> None:
        """Sends the first at once, and what gathers after it together; one parcel at a time, as two
        that travel side by side may overtake each other."""
        layer = get_channel_layer()
        while True:
            messages = [await outbox.get()]
            while len(messages) < _TOGETHER and not outbox.empty():
                messages.append(outbox.get_nowait())
            try:
                async with asyncio.timeout(_TELL_SECONDS):
                    await layer.group_send(GROUP, _parcel(messages))
            except Exception:
                logger.exception("The channel layer did not take %d events", len(messages))
            await asyncio.sleep(GATHER_SECONDS)

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                self._start(self._renew(layer, channel))
                await layer.group_add(GROUP, channel)
                while True:
                    for message in (await layer.receive(channel))["messages"]:
                        await self._take(message)
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.exception("The channel layer failed; trying again in a second")
                await asyncio.sleep(1)

    async def _renew(self, layer: Any, channel: str) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            await layer.group_add(GROUP, channel)

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "close":
            known_keys.forget()
            sockets = {s for room in self._rooms.values() for s in room}
            for socket in [s for s in sockets if s.user_id == message["user_id"]]:
                await socket.leave()
            return
        for room in message["rooms"]:
            if room not in self._rooms:
                continue
            self._pending.setdefault(room, []).append(message["event"])
            if room not in self._pausing:
                self._pausing.add(room)
                self._start(self._deliver(room))

    async def _deliver(self, room: str) -> None:
        """Sends what is pending at once, then whatever gathers in each pause until none does."""
        while events := self._pending.pop(room, []):
            if len(events) > SINGLE_FRAMES:
                frames = [json.dumps({"type": "batch", "events": events})]
            else:
                frames = [json.dumps(event) for event in events]
            for number, socket in enumerate(list(self._rooms.get(room, ()))):
                for frame in frames:
                    try:
                        await socket.push(frame)
                    except Exception:  # one broken connection must not silence the others
                        self.quit(socket)
                        break
                if number % 50 == 49:
                    await asyncio.sleep(0)  # requests go first
            await asyncio.sleep(PAUSE_SECONDS)
        self._pausing.discard(room)


hub = Hub()
