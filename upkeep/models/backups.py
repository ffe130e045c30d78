"""Backups that were made."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Backup(models.Model):
    """A backup that was tried: its file, and what the checks said."""

    name = models.CharField(_("file"), max_length=120, unique=True)
    begun_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    size = models.BigIntegerField(_("size (bytes)"), null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    calls = models.BigIntegerField(_("calls"), null=True, blank=True)
    events = models.BigIntegerField(_("events"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    copied_to = models.CharField(_("copied to"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-begun_at", "-pk"]

    def __str__(self) -> str:
        return self.name
