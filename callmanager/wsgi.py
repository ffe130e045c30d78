"""The HTTP half of the site, for ASGI's thread pool or any WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callmanager.settings")

application = get_wsgi_application()
