"""The routes of /api/, each with and without a slash at its end."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from api.calls import CallViewSet
from api.contacts import ContactViewSet
from api.events import EventsView
from api.metrics import MetricsViewSet
from api.reports import ReportViewSet
from callmanager.schema import DocsView, SchemaView

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("calls", CallViewSet, basename="api-call")
router.register("contacts", ContactViewSet, basename="api-contact")
router.register("metrics", MetricsViewSet, basename="api-metrics")
router.register("reports", ReportViewSet, basename="api-report")

urlpatterns = [
    *router.urls,
    re_path(r"^events/?$", EventsView.as_view(), name="api-events"),
    re_path(r"^schema/?$", SchemaView.as_view(), name="api-schema"),
    re_path(r"^docs/?$", DocsView.as_view(), name="api-docs"),
]
