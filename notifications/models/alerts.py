"""What rules fired, and whom that was told."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.models import User
from notifications.models.rules import OF_INSTALLATION, Kind


class Happening(models.TextChoices):
    """What is told without a rule, because somebody waits for it."""

    DISPUTE_OPENED = "dispute_opened", _("call disputed")
    DISPUTE_DECIDED = "dispute_decided", _("dispute decided")


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, viewer: User) -> "AlertQuerySet":
        """The alerts `viewer` may read: about the people and teams one may see; of one's own, those
        that one was told; with the administration those about the installation."""
        scope = viewer.scope
        if scope.everyone:
            if viewer.has_perm(roles.USE_ADMIN):
                return self.all()
            return self.exclude(kind__in=OF_INSTALLATION)
        told = Exists(Notification.objects.filter(alert=OuterRef("pk"), person=viewer))
        rule = Q(told, agent=viewer)
        if scope.team_ids:
            teams = scope.team_ids
            rule |= Q(agent__team__in=teams) | Q(agent=None, team__in=teams)
        return self.filter(rule)

    def open(self) -> "AlertQuerySet":
        """Those whose reason has not ended."""
        return self.filter(over_at__isnull=True)

    def with_words(self) -> "AlertQuerySet":
        """With all that their sentences and links are made of, in one query."""
        return self.select_related("rule", "call", "agent", "team")


class Alert(models.Model):
    """A rule that fired, or what is told without one. `occasion` names the rule and what it fired
    for, so it fires once."""

    rule = models.ForeignKey(
        "notifications.Rule",
        verbose_name=_("rule"),
        related_name="alerts",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        db_index=False,  # notifications_alert_of_rule serves it
    )
    kind = models.CharField(_("what"), max_length=20, choices=[*Kind.choices, *Happening.choices])
    occasion = models.CharField(max_length=160, unique=True)
    call = models.ForeignKey(
        "calls.CallLog",
        verbose_name=_("call"),
        related_name="alerts",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("agent"),
        related_name="alerts_about",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    team = models.ForeignKey(
        "accounts.Team",
        verbose_name=_("team"),
        related_name="+",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    # Of an alert about the installation: the account, the listener, the job.
    subject = models.CharField(_("about"), max_length=120, blank=True)
    facts = models.JSONField(_("figures"), default=dict)
    reached_at = models.DateTimeField(_("reached"))  # when the limit was
    fired_at = models.DateTimeField(_("fired"), auto_now_add=True, db_index=True)
    quiet = models.BooleanField(_("in quiet hours"), default=False)  # stored, told to nobody
    over_at = models.DateTimeField(_("over"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("acknowledged by"),
        related_name="+",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-fired_at", "-pk"]
        indexes = [
            models.Index(fields=["rule", "fired_at"], name="notifications_alert_of_rule"),
            models.Index(
                fields=["rule"], condition=Q(over_at__isnull=True), name="notifications_alert_open"
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Notification(models.Model):
    """An alert in a person's bell."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        related_name="bell",
        on_delete=models.CASCADE,
        db_index=False,  # notifications_of_person serves it
    )
    alert = models.ForeignKey(
        Alert, verbose_name=_("alert"), related_name="notifications", on_delete=models.CASCADE
    )
    created_at = models.DateTimeField(_("told"), auto_now_add=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["person", "-id"], name="notifications_of_person"),
            models.Index(
                fields=["person", "-id"],
                condition=models.Q(read_at__isnull=True),
                name="notifications_unread",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "alert"], name="notifications_told_once_a_person"
            ),
        ]

    def __str__(self) -> str:
        return str(self.alert)
