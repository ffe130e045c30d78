"""Addresses of the phone in the page."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
