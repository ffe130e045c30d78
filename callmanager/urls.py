from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from callmanager.styleguide import styleguide

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/", include("callmanager.api_urls")),
    path("", include("accounts.urls")),
    path("", include("metrics.urls")),
    path("", include("reconciliation.urls")),
    path("", include("webphone.urls")),
    path("", include("notifications.urls")),
    path("", include("calls.urls")),  # its last address takes any word for a step of a call
]

if settings.DESKTOP_COMPAT:  # before the pages: `/contacts` would lead to one of them
    urlpatterns.insert(0, path("", include("compat.urls")))

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))

handler400 = "callmanager.errors.bad_request"
handler403 = "callmanager.errors.permission_denied"
handler404 = "callmanager.errors.not_found"
handler500 = "callmanager.errors.server_error"
