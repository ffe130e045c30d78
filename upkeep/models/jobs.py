"""Runs of periodic jobs, and signs of life of workers."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    """One run of a periodic job. `due` makes it one, however many workers there are."""

    name = models.CharField(_("job"), max_length=120)
    due = models.DateTimeField(_("due"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    failed = models.BooleanField(_("failed"), default=False)
    result = models.CharField(_("result"), max_length=500, blank=True)
    worker = models.CharField(_("worker"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("run of a job")
        verbose_name_plural = _("runs of jobs")
        ordering = ["-due", "-pk"]
        permissions = [("manage_upkeep", "Look after the worker and backups")]
        constraints = [
            models.UniqueConstraint(fields=["name", "due"], name="upkeep_job_runs_once"),
        ]

    def __str__(self) -> str:
        return self.name


class WorkerBeat(models.Model):
    """A worker's sign of life, and what it says of itself with it."""

    worker = models.CharField(_("worker"), max_length=120, unique=True)
    begun_at = models.DateTimeField(_("running since"))
    seen_at = models.DateTimeField(_("seen"))
    leads = models.BooleanField(_("leads"), default=False)
    # Of the one that leads: `upkeep.jobs.ticker.TickState` by the tick's name.
    ticks = models.JSONField(_("ticks"), default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("worker and its jobs")

    def __str__(self) -> str:
        return self.worker
