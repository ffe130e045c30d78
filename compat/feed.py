"""The Socket.IO feed of the first system's program: ends of calls, and contacts that change.

Who hears what is the hub's affair, as on the pages' own line: a program sits in the rooms of its
person. A change of rights has its rooms asked for anew; a key or person that is gone ends it.
"""

import asyncio
import json
import logging
from typing import Any, Final

import socketio
from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from socketio.exceptions import ConnectionRefusedError as Refused

from accounts.models import User
from accounts.sockets import asked_anew, opener_of, seconds_until_look
from accounts.throttling import TooManyRequests
from compat import opening
from compat.opening import Scope, Send
from compat.rooms import rooms_of
from metrics.live.consumers import ASK_ANEW, TOO_MANY
from metrics.live.hub import hub

logger = logging.getLogger(__name__)

PATH: Final = "/socket.io/"
EVENTS: Final = frozenset({"call_ended", "contact_updated", "contact_deleted"})
_SIGN_IN_SECONDS: Final = 10
_LARGEST: Final = 64 * 1024


class Server(socketio.AsyncServer):
    """Hangs up on whoever connects and does not say who they are."""

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self.start_background_task(self._expect_sign_in, eio_sid)

    async def _expect_sign_in(self, eio_sid: str) -> None:
        await self.sleep(_SIGN_IN_SECONDS)
        if self.manager.sid_from_eio_sid(eio_sid, "/") is None:
            await self.hang_up(eio_sid)

    async def hang_up(self, eio_sid: str | None) -> None:
        """Ends the connection itself; by the library's own way the other side may stay on it."""
        socket = self.eio.sockets.pop(eio_sid, None)
        if socket is not None:
            await socket.close(wait=False)
            await socket.queue.put(None)


# An empty list: no answer lets pages of other sites read it. Who may ask we say ourselves.
server = Server(async_mode="asgi", cors_allowed_origins=[], max_http_buffer_size=_LARGEST)


async def application(scope: Scope, receive: Any, send: Send) -> None:
    """What answers under PATH, over HTTP and WebSocket."""
    if sentence := opening.refusal(scope):
        await opening.refuse(scope, send, sentence)
    else:
        await server.handle_request(scope, receive, send)


class Line:
    """A program's connection, as the hub knows lines."""

    def __init__(self, sid: str, opened_by: Scope, user_id: int):
        self.user_id, self.opener = user_id, opener_of(opened_by)
        self._sid, self._opened_by = sid, opened_by
        self._rooms: list[str] = []
        self._is_open = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._look: asyncio.TimerHandle | None = None

    async def settle(self) -> bool:
        """Sits in the rooms of its person, asked until they are what they were the moment before;
        False if the key, the session or the person is gone."""
        while self._is_open:
            user = await asked_anew(self._opened_by)
            if not isinstance(user, User):
                return False
            rooms = await database_sync_to_async(rooms_of)(user)
            if rooms == self._rooms:
                break
            if self._is_open:
                hub.quit(self)
                hub.join(self, rooms)
                self._rooms = rooms
        await self._look_again()
        return True

    async def _look_again(self) -> None:
        """Later: not of every end somebody tells."""
        seconds = await seconds_until_look(self._opened_by)
        if self._is_open:
            self._cancel_look()
            self._look = asyncio.get_running_loop().call_later(seconds, hub.doubt, self)

    def _cancel_look(self) -> None:
        if self._look is not None:
            self._look.cancel()

    async def push(self, text: str) -> None:
        said = json.loads(text)
        for event in said.get("events", [said]):
            if event["type"] in EVENTS and event.get("besides") != self.user_id:
                await server.emit(event["type"], _as_windows_read(event), to=self._sid)

    async def miss(self) -> None:
        """The windows know no word for what was lost on the way; they ask again by themselves."""

    async def ask_anew(self) -> None:
        """Stays, moves to other rooms, or ends."""
        try:
            if not await self.settle():
                await self._cut()
        except Exception:
            logger.exception("Whether a desktop program may stay could not be asked; it is cut off")
            await self._cut()

    async def leave(self, code: int = ASK_ANEW) -> None:
        """Hears nothing more, but after it has been asked who may hear what. The hub does not wait
        for that."""
        self._quit()
        task = asyncio.ensure_future(self._cut() if code == TOO_MANY else self.ask_anew())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _cut(self) -> None:
        connection = server.manager.eio_sid_from_sid(self._sid, "/")
        await server.disconnect(self._sid)
        await server.hang_up(connection)

    def close(self) -> None:
        self._is_open = False
        self._cancel_look()
        self._quit()

    def _quit(self) -> None:
        hub.quit(self)
        self._rooms = []


_lines: dict[str, Line] = {}


def _as_windows_read(event: dict[str, Any]) -> dict[str, Any]:
    """Ids are text, as everywhere in the windows."""
    said = {name: value for name, value in event.items() if name not in ("type", "besides")}
    if "user_id" in said:
        said["user_id"] = "" if said["user_id"] is None else str(said["user_id"])
    return said


@server.event
async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> None:
    scope = environ["asgi.scope"]
    with translation.override(opening.language_of(scope)):
        try:
            await _connect(sid, opening.opener(scope, auth))
        except Refused:
            _forget(sid)
            raise
        except Exception as error:
            _forget(sid)
            logger.exception("A desktop program could not be let in")
            raise _refused(503, _("The site cannot be reached just now. Try again.")) from error


async def _connect(sid: str, opened_by: Scope) -> None:
    user = await asked_anew(opened_by)
    if not isinstance(user, User):
        raise _stranger(opened_by)
    wait = await opening.wait_for_limit(user, opened_by)
    if wait is not None:
        raise _refused(429, str(TooManyRequests(wait).detail))
    line = _lines[sid] = Line(sid, opened_by, user.pk)
    if not await line.settle():
        raise _stranger(opened_by)
    for surplus in hub.surplus_of(line.opener, settings.LIVE_LINES_PER_SESSION):
        await surplus.leave(TOO_MANY)


def _stranger(opened_by: Scope) -> Refused:
    if not opened_by["headers"]:
        return _refused(401, _("Send your API key in the header X-API-Key, or sign in."))
    return _refused(
        401, _("This API key is unknown or was revoked. Ask an administrator for a new one.")
    )


def _refused(status: int, sentence: str) -> Refused:
    return Refused(sentence, {"error": sentence, "status": status})


@server.event
async def disconnect(sid: str, reason: Any = None) -> None:
    _forget(sid)


def _forget(sid: str) -> None:
    line = _lines.pop(sid, None)
    if line is not None:
        line.close()


@server.on("*")
async def refuse_change(event: str, sid: str, *said: Any) -> None:
    """The first system changed contacts over this line: who tries it is told where it is done."""
    sentence = _("Nothing can be changed over this line: use the site or the API.")
    await server.emit("error", {"message": sentence, "error": sentence}, to=sid)
