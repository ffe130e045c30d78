"""Reports that are sent by the clock."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Every(models.TextChoices):
    DAY = "day", _("every day")
    WEEK = "week", _("every week")
    MONTH = "month", _("every month")


class ReportSchedule(models.Model):
    """A saved view, or the executive report, at a local time."""

    name = models.CharField(_("name"), max_length=80)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("made by"),
        related_name="report_schedules",
        on_delete=models.CASCADE,
    )
    view = models.ForeignKey(
        "metrics.SavedView",
        verbose_name=_("saved view"),
        related_name="+",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text=_("Empty: the executive report."),
    )
    every = models.CharField(_("how often"), max_length=5, choices=Every)
    weekday = models.PositiveSmallIntegerField(_("weekday"), default=0)  # Monday is 0
    day = models.PositiveSmallIntegerField(_("day of the month"), default=1)
    at = models.TimeField(_("local time"))
    roles = models.JSONField(_("roles"), default=list)  # names of accounts.roles
    pdf = models.BooleanField(_("with a PDF"), default=True)
    excel = models.BooleanField(_("with an Excel file"), default=True)
    paused = models.BooleanField(pgettext_lazy("schedule", "paused"), default=False)
    next_at = models.DateTimeField(_("next run"), null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("report on a schedule")
        verbose_name_plural = _("reports on a schedule")
        ordering = ["name", "pk"]
        permissions = [("schedule_reports", "Have reports sent by the clock")]

    def __str__(self) -> str:
        return self.name


class ReportReceiver(models.Model):
    """A person who is sent a report, until they unsubscribe."""

    schedule = models.ForeignKey(ReportSchedule, related_name="receivers", on_delete=models.CASCADE)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE)
    unsubscribed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("receiver of a report")
        verbose_name_plural = _("receivers of a report")
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "person"], name="notifications_receiver_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}"


class ReportRun(models.Model):
    """A report of one due time for one person: sent once."""

    schedule = models.ForeignKey(ReportSchedule, related_name="runs", on_delete=models.CASCADE)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE)
    due = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("sent report")
        verbose_name_plural = _("sent reports")
        ordering = ["-due", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "person", "due"], name="notifications_report_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schedule} {self.due:%Y-%m-%d}"
