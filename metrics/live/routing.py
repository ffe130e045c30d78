from django.urls import path, re_path

from metrics.live.consumers import DashboardConsumer, RefusingConsumer

websocket_urlpatterns = [
    path("ws/dashboard/", DashboardConsumer.as_asgi()),
    re_path(r"", RefusingConsumer.as_asgi()),
]
