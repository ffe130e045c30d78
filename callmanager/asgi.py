"""The whole site under one ASGI server: pages and API on threads, live sockets on the loop.

HTTP goes through Django's WSGI handler on a small fixed thread pool: Django's own ASGI handler
makes a thread context and a database connection for every request, which costs three quarters of
the throughput. A streamed response stays on the thread that began it.
"""

import asyncio
import os
import string
from urllib.parse import quote_from_bytes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

# Django starts here, before anything that needs its models.
from callmanager.wsgi import application as django_wsgi

# isort: split
from a2wsgi import WSGIMiddleware
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings

from metrics import live
from metrics.routing import websocket_urlpatterns

_router = ProtocolTypeRouter(
    {
        "http": WSGIMiddleware(django_wsgi, workers=settings.WEB_THREADS),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
        ),
    }
)


async def as_wsgi_expects(scope, receive):
    """The request with an ASCII query string, and a length for a body sent in chunks.

    WSGI knows no body without a length. What is beyond the largest body Django reads is dropped:
    one byte more is enough for it to be refused.
    """
    query = quote_from_bytes(scope["query_string"], safe=string.punctuation)
    scope = scope | {"query_string": query.encode()}
    names = {name for name, _value in scope["headers"]}
    if b"transfer-encoding" not in names or b"content-length" in names:
        return scope, receive
    body = bytearray()
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        if len(body) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            body += message.get("body", b"")
    length = (b"content-length", str(len(body)).encode())

    async def replay():
        return {"type": "http.request", "body": bytes(body)}

    return scope | {"headers": [*scope["headers"], length]}, replay


async def application(scope, receive, send):
    """Entry point of the server; tells the live hub which loop to publish on."""
    live.hub.attach(asyncio.get_running_loop())
    if scope["type"] == "http":
        scope, receive = await as_wsgi_expects(scope, receive)
    await _router(scope, receive, send)
