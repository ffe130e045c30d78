"""Pages about what speaks up by itself."""

from django.urls import path

from notifications.views import webhooks

urlpatterns = [
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:pk>/test/", webhooks.test, name="webhook_test"),
    path("webhooks/<int:pk>/switch/", webhooks.switch, name="webhook_switch"),
    path("webhooks/<int:pk>/secret/", webhooks.new_secret, name="webhook_secret"),
    path("webhooks/<int:pk>/old-secret/", webhooks.end_old_secret, name="webhook_old_secret"),
    path("webhooks/<int:pk>/again/", webhooks.send_again, name="webhook_again"),
    path("webhooks/<int:pk>/delete/", webhooks.delete, name="webhook_delete"),
]
