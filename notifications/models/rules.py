"""When to speak up."""

import datetime as dt
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts import roles
from accounts.models import User
from common.instants import organisation_zone


class Kind(models.TextChoices):
    """What a rule watches. The last ones are about the installation, not about calls."""

    LONG_CALL = "long_call", _("long call")
    LONG_HOLD = "long_hold", _("long hold")
    LONG_PAUSE = "long_pause", _("long pause")
    LONG_WRAP_UP = "long_wrap_up", _("long wrap-up")
    LOW_SUCCESS = "low_success", _("low success rate")
    UNUSUAL_AHT = "unusual_aht", _("unusual AHT")
    NO_CALLS = "no_calls", _("no calls")
    MISSED_CALL = "missed_call", _("missed call not called back")
    PROVIDER_SILENT = "provider_silent", _("phone system silent")
    LISTENER_DOWN = "listener_down", _("listener down")
    BACKUP_FAILED = "backup_failed", _("backup failed")
    DISK_FULL = "disk_full", _("disk nearly full")
    JOB_FAILED = "job_failed", _("job failed")
    WEBHOOK_OFF = "webhook_off", _("webhook switched off")


OF_INSTALLATION: Final = (
    *(Kind.PROVIDER_SILENT, Kind.LISTENER_DOWN),
    *(Kind.BACKUP_FAILED, Kind.DISK_FULL, Kind.JOB_FAILED, Kind.WEBHOOK_OFF),
)


class RuleQuerySet(models.QuerySet["Rule"]):
    def visible_to(self, viewer: User) -> "RuleQuerySet":
        """The rules `viewer` may read: about whom one may see, and the organisation's about calls,
        which speak up about them, too."""
        if not viewer.has_perm(roles.MANAGE_RULES):
            return self.none()
        whole = self.filter(team=None, agent=None).exclude(kind__in=OF_INSTALLATION)
        return self.managed_by(viewer) | whole

    def managed_by(self, viewer: User) -> "RuleQuerySet":
        """The rules `viewer` may change: about the teams and people one may see; with the right to
        see everybody the organisation's, and with the administration the installation's."""
        if not viewer.has_perm(roles.MANAGE_RULES):
            return self.none()
        return self.filter(_managed(viewer))

    def with_scope(self) -> "RuleQuerySet":
        """With the agent or team that each is about."""
        return self.select_related("agent__team", "team")


def _managed(viewer: User) -> Q:
    scope = viewer.scope
    if not scope.everyone:
        teams = scope.team_ids
        return Q(agent=None, team__in=teams) | Q(agent__team__in=teams)
    if viewer.has_perm(roles.USE_ADMIN):
        return Q()
    return ~Q(kind__in=OF_INSTALLATION)


class Rule(models.Model):
    """A sentence: when something lasts, falls or fails, who is told, and where.

    Its scope is an agent, else a team, else the organisation. What `parameters` holds is said by
    the rule's kind, in notifications.rules.kinds.
    """

    kind = models.CharField(_("when"), max_length=20, choices=Kind)
    parameters = models.JSONField(_("limits"), default=dict)
    team = models.ForeignKey(
        "accounts.Team", verbose_name=_("team"), null=True, blank=True, on_delete=models.CASCADE
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="rules_about",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
    )
    tell_agent = models.BooleanField(_("tell the agent"), default=False)
    tell_supervisors = models.BooleanField(_("tell the supervisors"), default=False)
    tell_administrators = models.BooleanField(_("tell the administrators"), default=False)
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("tell too"), related_name="+", blank=True
    )
    channels = models.ManyToManyField(
        "notifications.Channel", verbose_name=_("channels"), related_name="rules", blank=True
    )
    cool_down_seconds = models.PositiveIntegerField(_("not again for (seconds)"), default=0)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    enabled = models.BooleanField(pgettext_lazy("rule", "on"), default=True)
    # The rules of a new installation: laid after migrations, and once only.
    standard = models.CharField(max_length=40, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("made by"),
        related_name="+",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    # What was over before is no longer told: when it was made, changed or switched on again.
    watching_since = models.DateTimeField(_("watching since"), default=timezone.now, editable=False)

    objects = RuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["pk"]
        permissions = [("manage_rules", "Make rules for the people one may see")]
        constraints = [
            models.UniqueConstraint(
                fields=["standard"],
                condition=~models.Q(standard=""),
                name="notifications_standard_rule_once",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_of_installation(self) -> bool:
        """Whether it is about the installation, and so about no calls."""
        return self.kind in OF_INSTALLATION

    def is_quiet(self, at: dt.datetime) -> bool:
        """Whether nobody is told of what fires at the instant `at`: snoozed, or in the quiet hours
        by the organisation's clocks, which may span midnight."""
        if self.snoozed_until is not None and at < self.snoozed_until:
            return True
        begin, end = self.quiet_from, self.quiet_until
        if begin is None or end is None:
            return False
        clock = at.astimezone(organisation_zone()).time()
        return begin <= clock < end if begin <= end else clock >= begin or clock < end
