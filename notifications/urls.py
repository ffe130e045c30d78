"""Pages about what speaks up by itself."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
