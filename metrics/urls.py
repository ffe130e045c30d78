"""Pages about figures."""

from django.urls import path

from metrics.views import desk, export, organization, team

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("cards/", desk.cards, name="cards"),
    path("recent/", desk.recent, name="recent"),
    path("team/", team.team, name="team"),
    path("organization/", organization.organization, name="organization"),
    path("calls/export.csv", export.call_export, name="call_export"),
]
