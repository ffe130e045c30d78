"""What people see change while they look: the sockets of this process and who hears what.

A room is an audience: people who may see the same calls. Every process keeps one hub; the channel
layer carries messages to each of them, several at once when many come, and the hub hands them on to
its own sockets, encoded once and at most four times a second a room. A frame is one event, or
`{"type": "batch", "events": [...]}` when many came at once; no event is dropped.

What another process says can be lost on its way. The hub notices that by its number, leaves a hole
in the numbers of every line's frames, so that the pages ask for what they may have missed, and
looks whether all lines may still hear what they hear.
"""

import asyncio
import contextlib
import json
import logging
from typing import Any, Final, Protocol

from channels.layers import get_channel_layer
from django.conf import settings

from accounts.known_keys import known_keys
from metrics.live import local_bus, numbers

logger = logging.getLogger(__name__)

GROUP: Final = "live"
PAUSE_SECONDS: Final = 0.25
SINGLE_FRAMES: Final = 8  # more events than this in one pause travel as one batch
# A message through Redis costs each process a millisecond or two, whatever it carries.
GATHER_SECONDS: Final = 0.05
_TOGETHER: Final = 500
_TELL_SECONDS: Final = 10  # the layer's own connection may hang; what comes after must not
_RENEW_SECONDS: Final = 60  # the Redis layer forgets its members: after a day, or when emptied
_AGAIN_SECONDS: Final = 1
MISSED: Final = {"type": "missed"}  # something was lost: nobody knows what


class Socket(Protocol):
    """What the hub needs of a consumer."""

    user_id: int
    opener: str  # of the session or key by which it was opened

    async def push(self, text: str) -> None: ...

    async def miss(self) -> None: ...

    async def ask_anew(self) -> None: ...

    async def leave(self, code: int = ...) -> None: ...


def numbered(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """What travels between processes; OSError or RedisError where the count cannot be reached."""
    return parcel(messages) | {"number": numbers.take()}


def parcel(messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "hub", "messages": messages}


class Hub:
    """This process's sockets, by room. Touched on the event loop only."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._rooms: dict[str, dict[Socket, None]] = {}  # in the order in which they came
        self._pending: dict[str, list[dict[str, Any]]] = {}
        self._pausing: set[str] = set()
        self._outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._arrivals = numbers.Arrivals()
        self._doubtful: asyncio.Queue[Socket] = asyncio.Queue()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listens to the channel layer on `loop`, the server's; once a loop."""
        if self.loop is loop:
            return
        self._outbox, self._doubtful = asyncio.Queue(), asyncio.Queue()
        self._arrivals = numbers.Arrivals()
        self.loop = loop
        self._rooms.clear()
        self._pending.clear()
        self._pausing.clear()
        self._start(self._tell(self._outbox))
        self._start(self._listen())
        if not settings.REDIS_URL:
            local_bus.answer(loop, lambda parcel: self._start(self._open(parcel)))
        self._start(self._watch_arrivals())
        self._start(self._ask_doubtful())

    def is_empty(self) -> bool:
        """Whether this server is the only one there is and nobody listens to it."""
        return self.loop is not None and not self._rooms and not settings.REDIS_URL

    def join(self, socket: Socket, rooms: list[str]) -> None:
        for room in rooms:
            self._rooms.setdefault(room, {})[socket] = None

    def quit(self, socket: Socket) -> None:
        for room in [name for name, sockets in self._rooms.items() if socket in sockets]:
            del self._rooms[room][socket]
            if not self._rooms[room]:
                del self._rooms[room]

    def surplus_of(self, opener: str, most: int) -> list[Socket]:
        """The oldest lines of the session or key `opener`, so many that `most` are left."""
        lines = [socket for socket in self._sockets() if socket.opener == opener]
        return lines[: max(0, len(lines) - most)]

    def doubt(self, socket: Socket) -> None:
        """Has `socket` looked at soon: whether it may still hear what it hears."""
        self._doubtful.put_nowait(socket)

    def _sockets(self) -> list[Socket]:
        """Each once, the oldest first within a room."""
        return list(dict.fromkeys(s for room in self._rooms.values() for s in room))

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
                    await layer.group_send(GROUP, await self._wrapped(messages))
            except Exception:
                logger.exception("The channel layer did not take %d events", len(messages))
                await asyncio.sleep(_AGAIN_SECONDS)
                outbox.put_nowait(MISSED)
            await asyncio.sleep(GATHER_SECONDS)

    async def _wrapped(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """A layer in this process's own memory loses nothing, so nobody need count."""
        if settings.REDIS_URL:
            return await asyncio.to_thread(numbered, messages)
        return parcel(messages)

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        layer, failed = get_channel_layer(), False
        while True:
            try:
                channel = await layer.new_channel()
                self._start(self._renew(layer, channel))
                await layer.group_add(GROUP, channel)
                if failed:
                    await self._miss()
                while True:
                    await self._open(await layer.receive(channel))
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.exception("The channel layer failed; trying again in a second")
                failed = True
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _renew(self, layer: Any, channel: str) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            await layer.group_add(GROUP, channel)

    async def _watch_arrivals(self) -> None:
        last = numbers.last
        while True:
            # Where the count cannot be reached the layer is out of reach, too, and says so.
            with contextlib.suppress(Exception):
                given_out = await asyncio.to_thread(last) if settings.REDIS_URL else last()
                if self._arrivals.are_lacking(given_out):
                    await self._miss()
            await asyncio.sleep(numbers.LOOK_SECONDS)

    async def _miss(self) -> None:
        """Something was lost: an event, or that somebody's rights have changed."""
        known_keys.forget()
        logger.info("Something was lost on its way to the live lines; pages ask for it")
        for socket in self._sockets():
            with contextlib.suppress(Exception):
                await socket.miss()
            self.doubt(socket)

    async def _ask_doubtful(self) -> None:
        while True:
            socket = await self._doubtful.get()
            try:
                if any(socket in room for room in self._rooms.values()):
                    await socket.ask_anew()
            except Exception:
                logger.exception("Whether a live line may stay could not be asked; it must connect")
                await self._drop(socket)

    async def _drop(self, socket: Socket) -> None:
        self.quit(socket)
        with contextlib.suppress(Exception):
            await socket.leave()

    async def _open(self, parcel: dict[str, Any]) -> None:
        if "number" in parcel:
            self._arrivals.note(parcel["number"])
        for message in parcel["messages"]:
            await self._take(message)

    async def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "live":
            self._announce(message["rooms"], message["event"])
        elif message["type"] == "close":
            await self._close(message.get("user_id"), message.get("opener"))
        else:
            await self._miss()

    async def _close(self, user_id: int | None, opener: str | None) -> None:
        """Ends the lines of a person, or of one session."""
        known_keys.forget()
        for socket in self._sockets():
            if user_id == socket.user_id or opener == socket.opener:
                await self._drop(socket)

    def _announce(self, rooms: list[str], event: dict[str, Any]) -> None:
        for room in rooms:
            if room not in self._rooms:
                continue
            self._pending.setdefault(room, []).append(event)
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
                        await self._drop(socket)
                        break
                if number % 50 == 49:
                    await asyncio.sleep(0)  # requests go first
            await asyncio.sleep(PAUSE_SECONDS)
        self._pausing.discard(room)


hub = Hub()
