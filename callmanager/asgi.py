"""The whole site under one ASGI server: pages and API on threads, live sockets on the loop."""

import asyncio
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

# Django starts here, before anything that needs its models.
from callmanager.wsgi import application as django_wsgi

# isort: split
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

from accounts.sockets import KeyOrSession
from callmanager.bridge import Message, Receive, Send, WSGIBridge
from metrics.live import hub
from metrics.live.routing import websocket_urlpatterns

_router = ProtocolTypeRouter(
    {
        "http": WSGIBridge(django_wsgi, threads=settings.WEB_THREADS),
        "websocket": AllowedHostsOriginValidator(KeyOrSession(URLRouter(websocket_urlpatterns))),
    }
)


async def application(scope: Message, receive: Receive, send: Send) -> None:
    """Entry point of the server; tells the live hub which loop to publish on."""
    hub.hub.attach(asyncio.get_running_loop())
    await _router(scope, receive, send)
