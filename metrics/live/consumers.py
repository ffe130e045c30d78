"""The live socket: joins the person's rooms, hands on what the hub sends."""

import asyncio
import json
from typing import Any, Final

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import channel_layers
from django.conf import settings

from accounts.models import User
from accounts.sockets import asked_anew, is_program, opener_of, seconds_until_look
from metrics.live.hub import hub
from metrics.live.rooms import rooms_of, rooms_of_pages

# The hub listens to the channel layer for all sockets of the process; a socket of its own does not.
channel_layers.set("no layer", None)

# Who may hear what must be asked anew: the page does so by connecting. Where nobody is signed in,
# the first part of itself that it asks for leads it to sign-in.
ASK_ANEW: Final = 4401
# The same session, or key, has opened more lines since than one may have.
TOO_MANY: Final = 4429


class DashboardConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "no layer"
    user_id: int
    opener: str
    _rooms: list[str]
    _look: asyncio.TimerHandle | None = None
    _frames = 0

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close()
            return
        self.user_id, self.opener = user.pk, opener_of(self.scope)
        self._rooms = await self._rooms_of(user)
        hub.join(self, self._rooms)
        await self.accept()
        # A change between the two may have been told before this line sat anywhere to hear of it.
        await self.ask_anew()
        for surplus in hub.surplus_of(self.opener, settings.LIVE_LINES_PER_SESSION):
            await surplus.leave(TOO_MANY)

    async def disconnect(self, code: int) -> None:
        self._forget()

    async def receive(self, text_data: str | None = None, bytes_data: Any = None) -> None:
        """A page asks now and then whether the line still works."""
        if text_data == "ping":
            await self.send(json.dumps({"type": "pong"}))

    async def push(self, text: str) -> None:
        """Sends the frame `text`, a JSON object, with its number on this line."""
        self._frames += 1
        await self.send(f'{text[:-1]}, "seq": {self._frames}}}')

    async def miss(self) -> None:
        """Something was lost that may have been for this line: a number nobody gets says so."""
        self._frames += 1
        await self.push(json.dumps({"type": "batch", "events": []}))

    async def ask_anew(self) -> None:
        """Ends the line unless its session or key, and what its person may see, are as they were;
        looks again later."""
        user = await asked_anew(self.scope)
        if not user.is_authenticated or await self._rooms_of(user) != self._rooms:
            await self.leave()
            return
        self._look_again_in(await seconds_until_look(self.scope))

    async def _rooms_of(self, user: User) -> list[str]:
        ask = rooms_of if is_program(self.scope) else rooms_of_pages
        return await database_sync_to_async(ask)(user)

    def _look_again_in(self, seconds: float) -> None:
        self._cancel_look()
        self._look = asyncio.get_running_loop().call_later(seconds, hub.doubt, self)

    def _cancel_look(self) -> None:
        if self._look is not None:
            self._look.cancel()

    async def leave(self, code: int = ASK_ANEW) -> None:
        self._forget()
        await self.close(code=code)

    def _forget(self) -> None:
        hub.quit(self)
        self._cancel_look()


class RefusingConsumer(AsyncWebsocketConsumer):
    """Any other socket address: refused, without a trace in the log."""

    channel_layer_alias = "no layer"

    async def connect(self) -> None:
        await self.close()
