"""Reports that are mailed: by the clock, or because somebody asks for one now."""

import datetime as dt

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.formats.dates import short_day


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
    # Of a paused one, too, so that it goes on where the clock is then.
    next_at = models.DateTimeField(_("next run"), db_index=True)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("report on a schedule")
        verbose_name_plural = _("reports on a schedule")
        ordering = ["name", "pk"]
        permissions = [("schedule_reports", "Have reports sent by the clock")]

    def __str__(self) -> str:
        return self.name


class ReportReceiver(models.Model):
    """A person who is sent a report, until they unsubscribe.

    `by_name`: chosen as a person; else the row only keeps that somebody of a chosen role has
    unsubscribed.
    """

    schedule = models.ForeignKey(ReportSchedule, related_name="receivers", on_delete=models.CASCADE)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="+", on_delete=models.CASCADE)
    by_name = models.BooleanField(default=True)
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


class ReportRunQuerySet(models.QuerySet["ReportRun"]):
    def waiting(self, present: dt.datetime) -> "ReportRunQuerySet":
        """Those whose turn it is."""
        return self.filter(sent_at=None, try_at__lte=present)


class ReportRun(models.Model):
    """A report of one due time for one person: sent once.

    `try_at`: when it is tried next, or, while a worker is at it, when that is given up; None once
    it is sent or will not be. Without a schedule somebody asked for the page at `path` with the
    filters `query`, which is forgotten once it is sent: it may name a number or a contact.
    """

    schedule = models.ForeignKey(
        ReportSchedule, related_name="runs", null=True, blank=True, on_delete=models.CASCADE
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="report_runs", on_delete=models.CASCADE
    )
    due = models.DateTimeField()
    path = models.CharField(max_length=200, blank=True)
    query = models.CharField(max_length=2000, blank=True)
    language = models.CharField(max_length=5, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField(null=True, blank=True, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    objects = ReportRunQuerySet.as_manager()

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
        return f"{self.schedule or self.path} {short_day(self.due)}"

    @property
    def state(self) -> str:
        """sent, waiting, or failed: it will not be sent."""
        if self.sent_at is not None:
            return "sent"
        return "failed" if self.try_at is None else "waiting"
