"""Pages about what speaks up by itself."""

from django.urls import path

from notifications.views import bell

urlpatterns = [
    path("notifications/", bell.notifications, name="notifications"),
    path("notifications/bell/", bell.bell, name="bell"),
    path("notifications/read/", bell.read_all, name="notifications_read"),
    path("notifications/<int:alert>/read/", bell.read, name="notification_read"),
    path("notifications/<int:alert>/words/", bell.words, name="notification_words"),
]
