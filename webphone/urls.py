"""Addresses of the phone in the page."""

from django.urls import path

from webphone import views

urlpatterns = [
    path("phone/", views.phone, name="phone"),
    path("phone/config/", views.config, name="phone_config"),
    path("phone/events/", views.events, name="phone_events"),
    path("phone/who/", views.who, name="phone_who"),
]
