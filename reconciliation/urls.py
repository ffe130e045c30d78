"""Pages about the phone systems' own records."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
