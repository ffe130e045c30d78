"""Backups that were made, or tried."""

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _


class BackupQuerySet(models.QuerySet["Backup"]):
    def kept(self) -> "BackupQuerySet":
        """Those that have a file, whatever the checks of what is in it said."""
        return self.filter(ended_at__isnull=False, error="")

    def good(self) -> "BackupQuerySet":
        """Those that were made and passed all checks."""
        return self.kept().filter(doubts="")

    def under_way(self) -> "BackupQuerySet":
        return self.filter(ended_at__isnull=True)


class Backup(models.Model):
    """A backup that was tried: its file, and what the checks said."""

    name = models.CharField(_("file"), max_length=120, unique=True)
    begun_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    size = models.BigIntegerField(_("size (bytes)"), null=True, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64, blank=True)
    calls = models.BigIntegerField(_("calls"), null=True, blank=True)
    events = models.BigIntegerField(_("events"), null=True, blank=True)
    # Why there is no file.
    error = models.TextField(_("error"), blank=True)
    # The file is whole, but what was copied does not add up: a matter of the data, not of the copy.
    doubts = models.TextField(_("doubts"), blank=True)
    copied_to = models.CharField(_("copied to"), max_length=500, blank=True)
    copy_error = models.TextField(_("error of the copy"), blank=True)

    objects = BackupQuerySet.as_manager()

    class Meta:
        verbose_name = _("backup")
        verbose_name_plural = _("backups")
        ordering = ["-begun_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def took(self) -> dt.timedelta | None:
        return None if self.ended_at is None else self.ended_at - self.begun_at
