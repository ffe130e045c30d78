"""Pages about figures."""

from django.urls import path

from metrics.views import desk

urlpatterns = [
    path("", desk.desk, name="desk"),
    path("cards/", desk.cards, name="cards"),
    path("recent/", desk.recent, name="recent"),
]
