"""A file of contacts on its way in: looked at, taken in, and taken back as a whole."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Team


class ContactImportQuerySet(models.QuerySet["ContactImport"]):
    def let_go(self, kept: int, other: int) -> None:
        """Taking back the import that made the contact `kept` will leave it: it is about to become
        one with `other`, which that import did not make. Within a transaction."""
        done = self.filter(state=ContactImport.DONE, created__gt=0)
        for pk, changes in done.values_list("pk", "changes").iterator(chunk_size=20):
            if kept in changes["created"]:
                what = self.select_for_update().get(pk=pk)
                made = what.changes.get("created", [])
                if kept in made and other not in made:
                    made.remove(kept)
                    what.save(update_fields=["changes"])
                return


class ContactImport(models.Model):
    """One file. Its rows are kept until it is taken in; then what it changed, for taking it back.

    `mapping` is field -> column, and of a number also its kind (`phone_2_kind`) where somebody has
    said it; `changes` has `created` (keys of contacts) and `updated` (key -> field -> [before,
    after]); `errors` are the first [row, sentence] of rows that were left out, `remarks` those of
    rows that were taken, but not as they stand.
    """

    DRAFT, DONE, UNDONE = "draft", "done", "undone"
    STATES = [(DRAFT, _("looked at")), (DONE, _("taken in")), (UNDONE, _("taken back"))]
    SKIP, UPDATE, KEEP = "skip", "update", "keep"
    DUPLICATES = [
        (SKIP, _("Leave what is there as it is")),
        (UPDATE, _("Bring what is there up to date")),
        (KEEP, _("Keep both")),
    ]

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, related_name="contact_imports", on_delete=models.CASCADE
    )
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL)
    for_everybody = models.BooleanField(default=False)
    file_name = models.CharField(max_length=120)
    state = models.CharField(max_length=6, choices=STATES, default=DRAFT)
    duplicates = models.CharField(max_length=6, choices=DUPLICATES, default=SKIP)
    head = models.JSONField(default=list)
    rows = models.JSONField(default=list)
    first_row = models.PositiveIntegerField(default=1)  # the number of the first row in the file
    mapping = models.JSONField(default=dict)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list)
    remarks = models.JSONField(default=list)
    changes = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ContactImportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name
