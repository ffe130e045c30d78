"""The live socket: joins the person's rooms, hands on what the hub sends."""

import json
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import channel_layers

from accounts.sockets import asked_anew
from metrics.live.hub import hub
from metrics.live.rooms import rooms_of

# The hub listens to the channel layer for all sockets of the process; a socket of its own does not.
channel_layers.set("no layer", None)


class DashboardConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "no layer"
    user_id: int

    async def connect(self) -> None:
        user = self.scope["user"]
        if not user.is_authenticated:
            await self.close()
            return
        self.user_id = user.pk
        rooms = await database_sync_to_async(rooms_of)(user)
        hub.join(self, rooms)
        await self.accept()
        # A change between the two may have been told before this line sat anywhere to hear of it.
        user = await asked_anew(self.scope)
        if not user.is_authenticated or await database_sync_to_async(rooms_of)(user) != rooms:
            await self.leave()

    async def disconnect(self, code: int) -> None:
        hub.quit(self)

    async def receive(self, text_data: str | None = None, bytes_data: Any = None) -> None:
        """A page asks now and then whether the line still works."""
        if text_data == "ping":
            await self.push(json.dumps({"type": "pong"}))

    async def push(self, text: str) -> None:
        await self.send(text_data=text)

    async def leave(self) -> None:
        hub.quit(self)
        await self.close(code=4401)


class RefusingConsumer(AsyncWebsocketConsumer):
    """Any other socket address: refused, without a trace in the log."""

    channel_layer_alias = "no layer"

    async def connect(self) -> None:
        await self.close()
