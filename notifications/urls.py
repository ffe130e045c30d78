"""Pages about what speaks up by itself."""

from django.urls import path

from notifications.views import alerts, bell, rules

urlpatterns = [
    path("rules/", rules.rules, name="rules"),
    path("rules/new/<slug:kind>/", rules.rule_new, name="rule_new"),
    path("rules/new/<slug:kind>/preview/", rules.rule_preview, name="rule_preview"),
    path("rules/<int:pk>/", rules.rule, name="rule"),
    path("rules/<int:pk>/edit/", rules.rule_edit, name="rule_edit"),
    path("rules/<int:pk>/switch/", rules.rule_switch, name="rule_switch"),
    path("rules/<int:pk>/snooze/", rules.rule_snooze, name="rule_snooze"),
    path("rules/<int:pk>/delete/", rules.rule_delete, name="rule_delete"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/<int:pk>/acknowledge/", alerts.alert_acknowledge, name="alert_acknowledge"),
    path("notifications/", bell.notifications, name="notifications"),
    path("notifications/bell/", bell.bell, name="bell"),
    path("notifications/read/", bell.read_all, name="notifications_read"),
    path("notifications/<int:alert>/read/", bell.read, name="notification_read"),
    path("notifications/<int:alert>/words/", bell.words, name="notification_words"),
]
