"""Sums of ended calls, kept so that no figure has to read history. Derived: safe to rebuild."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.formats.dates import moment
from metrics.definitions import COLUMNS, STORED, Sums
from metrics.entries import CALLS
from metrics.shapes import SHAPE_FIELDS


class SumsModel(models.Model):
    """The columns of definitions.STORED."""

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
        return Sums(**{name: getattr(self, name) for name in COLUMNS})


_NUMBERS = {CALLS: models.PositiveIntegerField}
for _figure in STORED:  # before the models that take them over
    _number = _NUMBERS.get(_figure.unit, models.PositiveBigIntegerField)
    _noun: Any = _figure.noun or _figure.label
    SumsModel.add_to_class(_figure.name, _number(_noun, default=0))


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


class WeeklyMetrics(SumsModel):
    """The sums of one person's week: of the daily rows from the Monday `week` to the Sunday.

    A long period, and a person's total, is a seventh of the rows.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="weekly_metrics",
        on_delete=models.CASCADE,
        db_index=False,  # the unique constraint serves it
    )
    week = models.DateField(_("week"))

    class Meta(SumsModel.Meta):
        verbose_name = _("weekly figures")
        verbose_name_plural = _("weekly figures")
        constraints = [
            *SumsModel.Meta.constraints,
            models.UniqueConstraint(fields=["user", "week"], name="weekly_metrics_once"),
        ]
        indexes = [models.Index(fields=["week"], name="weekly_metrics_week")]

    def __str__(self) -> str:
        return f"{self.user} {self.week}"


class SavedView(models.Model):
    """A page with its filters under a name of its owner's."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        related_name="saved_views",
        on_delete=models.CASCADE,
        db_index=False,  # the unique constraint serves it
    )
    name = models.CharField(_("name"), max_length=80)
    path = models.CharField(max_length=200)
    query = models.CharField(max_length=2000, blank=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="saved_view_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


class DailyShape(models.Model):
    """How one person's calls of one local day lie in the day, and how long they were.

    `hour_00`..`hour_23`: calls by the local hour of their start. `length_0`..: calls by talk time,
    in the classes of shapes.LENGTHS. Both count the calls made, so both add up to them.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="daily_shapes",
        on_delete=models.CASCADE,
        db_index=False,  # the unique constraint serves it
    )
    day = models.DateField(_("day"))

    class Meta:
        verbose_name = _("hours and lengths of a day")
        verbose_name_plural = _("hours and lengths of days")
        constraints = [
            models.UniqueConstraint(fields=["user", "day"], name="daily_shape_once"),
        ]
        indexes = [models.Index(fields=["day"], name="daily_shape_day")]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"


for _name in SHAPE_FIELDS:
    DailyShape.add_to_class(_name, models.PositiveIntegerField(default=0))


class UserMetrics(SumsModel):
    """The sums of all of one person's calls: the sum of the person's weekly rows."""

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


class ExportQuerySet(models.QuerySet["Export"]):
    def going_on(self) -> "ExportQuerySet":
        return self.filter(state__in=(Export.WAITING, Export.RUNNING))


class Export(models.Model):
    """A large file that the worker writes for one person; it goes away by itself."""

    WAITING, RUNNING, DONE, FAILED, CANCELLED = (
        *("waiting", "running", "done", "failed", "cancelled"),
    )
    STATES = [
        (WAITING, _("Waiting")),
        (RUNNING, _("Being written")),
        (DONE, _("Ready")),
        (FAILED, pgettext_lazy("export", "Failed")),
        (CANCELLED, _("Cancelled")),
    ]

    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        related_name="exports",
        on_delete=models.CASCADE,
    )
    form = models.CharField(_("format"), max_length=4)  # csv or xlsx
    query = models.TextField(_("filter"), blank=True)  # as the page's address had it
    language = models.CharField(max_length=5)
    state = models.CharField(_("state"), max_length=9, choices=STATES, default=WAITING)
    message = models.TextField(_("message"), blank=True)
    rows_total = models.PositiveBigIntegerField(default=0)
    rows_done = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(_("size (bytes)"), default=0)
    created_at = models.DateTimeField(_("created"))
    touched_at = models.DateTimeField()  # the worker's last sign of life
    expires_at = models.DateTimeField(_("expires"))

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.owner} {self.form} {moment(self.created_at)}"

    @property
    def is_going_on(self) -> bool:
        return self.state in (self.WAITING, self.RUNNING)

    @property
    def percent_done(self) -> int:
        return min(99, self.rows_done * 100 // self.rows_total) if self.rows_total else 0
