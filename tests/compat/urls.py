"""The site's addresses as they are where the first system's are switched on."""

from django.urls import include, path

from callmanager.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500"]

urlpatterns = [path("", include("compat.urls")), *urlpatterns]
