"""The fixed addresses of the first system; `/metrics` itself is not among them."""

from django.urls import path, re_path

from compat import views

urlpatterns = [
    re_path(r"^metrics/personal/?$", views.PersonalView.as_view(), name="desktop-personal"),
    re_path(r"^metrics/team/?$", views.TeamView.as_view(), name="desktop-team"),
    re_path(r"^metrics/all/?$", views.AllView.as_view(), name="desktop-all"),
    re_path(r"^health/?$", views.HealthView.as_view(), name="desktop-health"),
    re_path(r"^config/?$", views.ConfigView.as_view(), name="desktop-config"),
    path("contacts", views.ContactsView.as_view(), name="desktop-contacts"),
]
