"""The whole site under one ASGI server: pages and API on threads, live sockets on the loop.

HTTP goes through Django's WSGI handler on a small fixed thread pool: Django's own ASGI handler
makes a thread context and a database connection for every request, which costs three quarters of
the throughput. A streamed response stays on the thread that began it.
"""

import asyncio
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

from callmanager.wsgi import application as django_wsgi  # noqa: E402  (Django starts here)

from a2wsgi import WSGIMiddleware  # noqa: E402
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from metrics import live  # noqa: E402
from metrics.routing import websocket_urlpatterns  # noqa: E402

_router = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(django_wsgi, workers=settings.WEB_THREADS),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)


async def application(scope, receive, send):
    """Entry point of the server; tells the live hub which loop to publish on."""
    live.hub.attach(asyncio.get_running_loop())
    await _router(scope, receive, send)
