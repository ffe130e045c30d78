"""Pages about what speaks up by itself."""

from django.urls import path

from notifications.views import channels

urlpatterns = [
    path("channels/", channels.channels, name="channels"),
    path("channels/new/<str:scope>/<str:kind>/", channels.channel_new, name="channel_new"),
    path("channels/<int:pk>/", channels.channel, name="channel"),
    path("channels/<int:pk>/test/", channels.channel_test, name="channel_test"),
    path("channels/<int:pk>/switch/", channels.channel_switch, name="channel_switch"),
    path("channels/<int:pk>/delete/", channels.channel_delete, name="channel_delete"),
    path("channels/deliveries/", channels.deliveries, name="deliveries"),
    path("channels/deliveries/<int:pk>/again/", channels.delivery_again, name="delivery_again"),
]
