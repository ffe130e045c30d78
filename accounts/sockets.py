"""Who opens a live line: a program by its key, or the person's page by its session."""

from importlib import import_module
from typing import Any

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.authentication import usable_key
from accounts.models import User


class KeyOrSession:
    """Sets the `user` of a WebSocket: the owner of its `X-API-Key`, else the session's."""

    def __init__(self, inner: Any):
        self._by_key, self._by_session = inner, AuthMiddlewareStack(inner)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        key = _key_of(scope)
        if key is None:
            return await self._by_session(scope, receive, send)
        user = await database_sync_to_async(_owner)(key)
        return await self._by_key(scope | {"user": user}, receive, send)


async def asked_anew(scope: dict[str, Any]) -> User | AnonymousUser:
    """Who opened this line, as the database now says: session, key or rights may have changed."""
    key = _key_of(scope)
    if key is not None:
        return await database_sync_to_async(_owner)(key)
    sessions = import_module(settings.SESSION_ENGINE)
    session = sessions.SessionStore(scope["session"].session_key)
    user: User | AnonymousUser = await get_user({"session": session})
    return user


def _key_of(scope: dict[str, Any]) -> str | None:
    key = dict(scope["headers"]).get(b"x-api-key")
    return None if key is None else key.decode("latin-1")


def _owner(key: str) -> User | AnonymousUser:
    row = usable_key(key)
    return AnonymousUser() if row is None else row.owner
