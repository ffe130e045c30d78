"""Pages about what speaks up by itself."""

from django.urls import path

from notifications.views import alerts, bell, channels, rules, schedules, unsubscribe, webhooks

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
    path("channels/", channels.channels, name="channels"),
    path("channels/new/<str:scope>/<str:kind>/", channels.channel_new, name="channel_new"),
    path("channels/<int:pk>/", channels.channel, name="channel"),
    path("channels/<int:pk>/test/", channels.channel_test, name="channel_test"),
    path("channels/<int:pk>/switch/", channels.channel_switch, name="channel_switch"),
    path("channels/<int:pk>/delete/", channels.channel_delete, name="channel_delete"),
    path("channels/deliveries/", channels.deliveries, name="deliveries"),
    path("channels/deliveries/<int:pk>/again/", channels.delivery_again, name="delivery_again"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:pk>/test/", webhooks.test, name="webhook_test"),
    path("webhooks/<int:pk>/switch/", webhooks.switch, name="webhook_switch"),
    path("webhooks/<int:pk>/secret/", webhooks.new_secret, name="webhook_secret"),
    path("webhooks/<int:pk>/old-secret/", webhooks.end_old_secret, name="webhook_old_secret"),
    path("webhooks/<int:pk>/again/", webhooks.send_again, name="webhook_again"),
    path("webhooks/<int:pk>/delete/", webhooks.delete, name="webhook_delete"),
    path("reports/send/", schedules.send_page, name="report_send"),
    path("reports/schedules/", schedules.schedules, name="report_schedules"),
    path("reports/schedules/new/", schedules.schedule_new, name="report_schedule_new"),
    path("reports/schedules/<int:pk>/", schedules.schedule, name="report_schedule"),
    path("reports/schedules/<int:pk>/edit/", schedules.schedule_edit, name="report_schedule_edit"),
    path("reports/schedules/<int:pk>/mail/", schedules.schedule_mail, name="report_schedule_mail"),
    path(
        "reports/schedules/<int:pk>/pause/", schedules.schedule_pause, name="report_schedule_pause"
    ),
    path("reports/schedules/<int:pk>/send/", schedules.schedule_send, name="report_schedule_send"),
    path(
        "reports/schedules/<int:pk>/delete/",
        schedules.schedule_delete,
        name="report_schedule_delete",
    ),
    path(
        "reports/unsubscribe/<str:token>/",
        unsubscribe.report_unsubscribe,
        name="report_unsubscribe",
    ),
]
