"""Pages about what speaks up by itself."""

from django.urls import path

from notifications.views import schedules, unsubscribe

urlpatterns = [
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
