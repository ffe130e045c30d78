"""What nobody needs any more: old drafts, and files whose records were taken in long ago."""

import datetime as dt
from typing import Final

from django.db import transaction

from common.instants import now
from reconciliation.imports import files
from reconciliation.models import RecordImport

# Drafts that nobody has taken in for so long are removed, with their files.
KEPT: Final = dt.timedelta(days=7)
_NEEDED: Final = (RecordImport.DRAFT, RecordImport.WAITING, RecordImport.RUNNING)


def tidy(present: dt.datetime | None = None) -> int:
    """Removes old drafts, and the files that no import needs; how many drafts."""
    cutoff = (present or now()) - KEPT
    with transaction.atomic():
        old = RecordImport.objects.filter(state=RecordImport.DRAFT, created_at__lt=cutoff)
        gone = list(old.select_for_update())
        RecordImport.objects.filter(pk__in=[what.pk for what in gone]).delete()
    needed = RecordImport.objects.filter(state__in=_NEEDED)
    files.remove_all_but(needed.values_list("token", flat=True))
    return len(gone)
