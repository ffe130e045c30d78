"""Who opens a live line: a program by its key, or the person's page by its session."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser

from accounts.authentication import usable_key
from accounts.models import User


class KeyOrSession:
    """Sets the `user` of a WebSocket: the owner of its `X-API-Key`, else the session's."""

    def __init__(self, inner: Any):
        self._by_key, self._by_session = inner, AuthMiddlewareStack(inner)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        key = dict(scope["headers"]).get(b"x-api-key")
        if key is None:
            return await self._by_session(scope, receive, send)
        user = await database_sync_to_async(_owner)(key.decode("latin-1"))
        return await self._by_key(scope | {"user": user}, receive, send)


def _owner(key: str) -> User | AnonymousUser:
    row = usable_key(key)
    return AnonymousUser() if row is None else row.owner
