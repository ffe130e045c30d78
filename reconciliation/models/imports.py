"""Records on their way in: one file, or one answer of a provider's interface."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from calls.models import ProviderAccount


class RecordImport(models.Model):
    """One file of records. While it is a draft nothing has been written; then the worker runs it.

    `reading` says how the file is read: `columns` (field -> column), `time_zone`, `encoding`,
    `separator`, `sheet`, and whatever else its format asks for. `plan` is what the last look at it
    found (the same counts as below, made without writing). `faults` are the first [line, sentence]
    of lines that could not be read. `since` and `until` are the period that its records cover.
    """

    DRAFT, WAITING, RUNNING, DONE, FAILED, UNDOING, UNDONE = (
        *("draft", "waiting", "running", "done"),
        *("failed", "undoing", "undone"),
    )
    STATES = [
        (DRAFT, _("looked at")),
        (WAITING, _("waiting")),
        (RUNNING, _("running")),
        (DONE, _("taken in")),
        (FAILED, _("failed")),
        (UNDOING, _("being taken back")),
        (UNDONE, _("taken back")),
    ]
    FILE, COMMAND, FETCH = "file", "command", "fetch"
    ORIGINS = [(FILE, _("file")), (COMMAND, _("command")), (FETCH, _("fetched"))]

    account = models.ForeignKey(
        ProviderAccount,
        verbose_name=_("phone system account"),
        related_name="record_imports",
        on_delete=models.CASCADE,
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        related_name="record_imports",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    origin = models.CharField(_("origin"), max_length=7, choices=ORIGINS, default=FILE)
    state = models.CharField(_("state"), max_length=8, choices=STATES, default=DRAFT)
    message = models.CharField(_("message"), max_length=300, blank=True)
    file_name = models.CharField(_("file"), max_length=200)
    token = models.CharField(max_length=64, blank=True, editable=False)  # names it in DATA_DIR
    runner = models.CharField(max_length=32, blank=True, editable=False)  # who runs it now
    digest = models.CharField(max_length=64, blank=True, editable=False)  # SHA-256 of the file
    size = models.PositiveBigIntegerField(default=0)
    format = models.CharField(_("format"), max_length=40)
    reading = models.JSONField(default=dict, blank=True)
    plan = models.JSONField(default=dict, blank=True)
    faults = models.JSONField(default=list, blank=True)

    created_at = models.DateTimeField(_("created"), default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(default=timezone.now)  # a worker's last sign of life
    ended_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)

    rows = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(default=0)  # records that are dealt with: the progress
    records = models.PositiveIntegerField(_("records"), default=0)
    confirmed = models.PositiveIntegerField(_("confirmed"), default=0)
    completed = models.PositiveIntegerField(_("completed"), default=0)
    different = models.PositiveIntegerField(_("different"), default=0)
    created = models.PositiveIntegerField(_("created"), default=0)
    repeated = models.PositiveIntegerField(_("known already"), default=0)
    left_out = models.PositiveIntegerField(_("left out"), default=0)
    unreadable = models.PositiveIntegerField(_("not readable"), default=0)
    skew_ms = models.IntegerField(_("clock skew (ms)"), null=True, blank=True)
    skew_spread_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = _("import of records")
        verbose_name_plural = _("imports of records")
        ordering = ["-created_at", "-pk"]
        permissions = [("reconcile_records", "Can bring in the phone systems' own records")]
        default_permissions = ()
        indexes = [models.Index(fields=["account", "until"], name="record_import_until")]
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=models.Q(state__in=("running", "undoing")),
                name="one_import_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return self.file_name
