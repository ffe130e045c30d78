"""Removals of personal data."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.formats.dates import short_day


class Removal(models.Model):
    """That personal data was removed: who asked for it, when, and how much; never what it was."""

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        related_name="+",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    asked_at = models.DateTimeField(_("asked"))
    # Of all calls that began before that day; None: of one person.
    before = models.DateField(_("calls before"), null=True, blank=True)
    ended_at = models.DateTimeField(_("done"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    counts = models.JSONField(_("what was removed"), default=dict)

    class Meta:
        verbose_name = _("removal of personal data")
        verbose_name_plural = _("removals of personal data")
        ordering = ["-asked_at", "-pk"]
        permissions = [("forget_people", "Remove and take out personal data")]

    def __str__(self) -> str:
        return short_day(self.asked_at)
