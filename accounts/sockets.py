"""Who opens a live line: a program by its key, or the person's page by its session."""

import hashlib
from importlib import import_module
from typing import Any, Final

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session

from accounts.authentication import usable_key
from accounts.models import User
from common.instants import now

_AFTERWARDS_SECONDS: Final = 0.1


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


def opener_of(scope: dict[str, Any]) -> str:
    """What opened this line, as `opener_of_session` writes it: two lines of one session, or of one
    key, have the same."""
    key = _key_of(scope)
    return opener_of_session(scope["session"].session_key or "") if key is None else _digest(key)


def is_program(scope: dict[str, Any]) -> bool:
    """Whether a key has opened this line, not the session of a page."""
    return _key_of(scope) is not None


def opener_of_session(session_key: str) -> str:
    """A mark of the session that opens nothing, so that processes may name it to each other."""
    return _digest(session_key)


@database_sync_to_async
def seconds_until_look(scope: dict[str, Any]) -> float:
    """When to ask anew for the line that was opened so: a session ends by itself, and an SQL
    statement past our models tells nobody what it has changed."""
    if _key_of(scope) is not None:
        return settings.LIVE_LOOK_SECONDS
    sessions = Session.objects.filter(session_key=scope["session"].session_key)
    end = sessions.values_list("expire_date", flat=True).first()
    left = max(0.0, (end - now()).total_seconds()) if end is not None else 0.0
    return min(settings.LIVE_LOOK_SECONDS, left + _AFTERWARDS_SECONDS)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key_of(scope: dict[str, Any]) -> str | None:
    key = dict(scope["headers"]).get(b"x-api-key")
    return None if key is None else key.decode("latin-1")


def _owner(key: str) -> User | AnonymousUser:
    row = usable_key(key)
    return AnonymousUser() if row is None else row.owner
