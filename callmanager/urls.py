from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("callmanager.api_urls")),
    path("", include("accounts.urls")),
    path("", include("calls.urls")),
    path("", include("metrics.urls")),
]

handler400 = "callmanager.errors.bad_request"
handler403 = "callmanager.errors.permission_denied"
handler404 = "callmanager.errors.not_found"
handler500 = "callmanager.errors.server_error"
