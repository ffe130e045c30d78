"""The whole site under one ASGI server: pages and API on threads, live sockets on the loop."""

import asyncio
import gc
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

# Django starts here, before anything that needs its models.
from callmanager.wsgi import application as django_wsgi

# isort: split
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.db import connection

from accounts.key_usage import key_usage
from accounts.sockets import KeyOrSession
from callmanager.serving.bridge import Message, Receive, Send, WSGIBridge
from metrics.live import hub
from metrics.live.routing import websocket_urlpatterns
from upkeep.backups import locks

if "daphne.server" in sys.modules:
    from callmanager.serving import daphne

    daphne.install()


def _writes_for_a_program(scope: Message) -> bool:
    """Short, and on SQLite one after another in any case."""
    return (
        connection.vendor == "sqlite"
        and scope["method"] == "POST"
        and scope["path"].startswith(("/api/calls/", "/hooks/"))
    )


def _may_write(scope: Message) -> bool:
    """On SQLite whoever writes may have to wait for another process; who looks never does."""
    return connection.vendor == "sqlite" and scope["method"] not in ("GET", "HEAD", "OPTIONS")


_site = WSGIBridge(
    django_wsgi, settings.WEB_THREADS, in_turn=_writes_for_a_program, may_wait=_may_write
)
_router = ProtocolTypeRouter(
    {
        "http": _site,
        "websocket": AllowedHostsOriginValidator(KeyOrSession(URLRouter(websocket_urlpatterns))),
    }
)


if settings.DESKTOP_COMPAT:
    from compat import feed as desktop_feed

locks.stand_by()

# What stands here now stays until the end: the collector need not look at it again and again.
gc.collect()
gc.freeze()


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Entry point of the server; tells the live hub which loop to publish on."""
    key_usage.start()
    hub.hub.attach(asyncio.get_running_loop())
    if settings.DESKTOP_COMPAT and scope.get("path", "").startswith(desktop_feed.PATH):
        await desktop_feed.application(scope, receive, send)
    else:
        await _router(scope, receive, send)
