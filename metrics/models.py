"""Sums of ended calls, kept so that no figure has to read history. Derived: safe to rebuild."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from metrics.definitions import SUM_FIELDS, Sums


class SumsModel(models.Model):
    """The columns of definitions.Sums, and `calls_made`/`calls_failed` for whoever asks in SQL."""

    calls_made = models.PositiveIntegerField(_("calls made"), default=0)
    calls_success = models.PositiveIntegerField(_("successful"), default=0)
    calls_failed = models.PositiveIntegerField(_("failed"), default=0)
    calls_dropped = models.PositiveIntegerField(_("dropped"), default=0)
    calls_error = models.PositiveIntegerField(_("with the status failed"), default=0)
    calls_no_answer = models.PositiveIntegerField(_("not answered"), default=0)
    calls_answered = models.PositiveIntegerField(pgettext_lazy("calls", "answered"), default=0)
    total_talk_time = models.PositiveBigIntegerField(_("total time (s)"), default=0)
    answered_time = models.PositiveBigIntegerField(_("time of answered calls (s)"), default=0)
    total_duration = models.PositiveBigIntegerField(_("tracked time (s)"), default=0)
    ring_time = models.PositiveBigIntegerField(_("ring time (s)"), default=0)
    hold_time = models.PositiveBigIntegerField(_("hold time (s)"), default=0)
    calls_unconfirmed = models.PositiveIntegerField(_("unconfirmed"), default=0)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(calls_made=models.F("calls_success") + models.F("calls_failed"))
                & models.Q(
                    calls_failed=models.F("calls_dropped")
                    + models.F("calls_error")
                    + models.F("calls_no_answer")
                ),
                name="%(app_label)s_%(class)s_adds_up",
            )
        ]

    @property
    def sums(self) -> Sums:
        return Sums(**{name: getattr(self, name) for name in SUM_FIELDS})

    @property
    def avg_call_duration(self) -> int:
        return self.sums.avg_call_duration

    @property
    def success_rate(self) -> float:
        return self.sums.success_rate


class DailyMetrics(SumsModel):
    """The sums of one person's calls that began on one local day."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="daily_metrics",
        on_delete=models.CASCADE,
        db_index=False,  # the unique constraint serves it
    )
    day = models.DateField(_("day"))

    class Meta(SumsModel.Meta):
        verbose_name = _("daily figures")
        verbose_name_plural = _("daily figures")
        ordering = ["-day"]
        constraints = [
            *SumsModel.Meta.constraints,
            models.UniqueConstraint(fields=["user", "day"], name="daily_metrics_once"),
        ]
        indexes = [models.Index(fields=["day"], name="daily_metrics_day")]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"


class UserMetrics(SumsModel):
    """The sums of all of one person's calls: the sum of the person's daily rows."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="metrics",
        on_delete=models.CASCADE,
        primary_key=True,
    )

    class Meta(SumsModel.Meta):
        verbose_name = _("figures of an agent")
        verbose_name_plural = _("figures of agents")

    def __str__(self) -> str:
        return str(self.user)
