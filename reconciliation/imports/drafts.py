"""A file of records before anything is written: kept, read, looked at."""

import datetime as dt
import logging
import secrets
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from calls.models import ProviderAccount
from common.instants import now
from reconciliation.formats.catalogue import UnreadableFile, detect
from reconciliation.imports import files
from reconciliation.imports.reading import format_of, staged
from reconciliation.imports.taking import Taking
from reconciliation.models import RecordImport
from reconciliation.signals import import_waits

logger = logging.getLogger(__name__)

RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
_AT_ONCE: Final = 500_000  # bytes; larger files are the worker's
# Drafts that nobody has taken in for so long are removed, with their files.
KEPT: Final = dt.timedelta(days=7)
_NEEDED: Final = (RecordImport.DRAFT, RecordImport.WAITING, RecordImport.RUNNING)
# Where an account keeps how its next files are read.
KEPT_READING: Final = "records"


def start(
    account: ProviderAccount,
    person: User | None,
    file_name: str,
    source: BinaryIO | Path,
    *,
    origin: str = RecordImport.FILE,
    format: str = "",
) -> RecordImport:
    """A draft of the file, whose format is guessed where none is given. ValidationError, with a
    sentence for the person, for a file that cannot be read at all."""
    what = RecordImport(account=account, person=person, origin=origin, file_name=file_name[-200:])
    files.keep(what, source)
    try:
        what.format, what.reading = _guessed(what, format)
        what.save()
    except UnreadableFile as error:
        files.remove(what)
        raise ValidationError(str(error)) from error
    except Exception:
        files.remove(what)
        raise
    return what


def _guessed(what: RecordImport, code: str) -> tuple[str, dict[str, Any]]:
    """The format and how it is read: as the account's last file of it was, if that fits."""
    path = files.path_of(what)
    reading: Mapping[str, Any] = {}
    if not code:
        code, reading = detect(path, what.account.kind)
    found = format_of(code)
    kept = what.account.settings.get(KEPT_READING, {}).get(code, {})
    return code, dict(found.look(path, {**reading, **kept}).reading)


def set_reading(what: RecordImport, format: str, reading: Mapping[str, Any]) -> None:
    """Says how the draft's file is read. ValidationError where it cannot be read so."""
    found = format_of(format)
    _check_draft(what)
    try:
        whole = found.look(files.path_of(what), reading).reading
    except UnreadableFile as error:
        raise ValidationError(str(error)) from error
    what.format, what.reading, what.plan, what.faults = format, {**whole, **reading}, {}, []
    what.runner = ""  # whoever looks at it in the way before stops
    what.save(update_fields=["format", "reading", "plan", "faults", "runner"])


def examine(what: RecordImport) -> None:
    """Looks at the draft as if it were taken in, and writes nothing but its `plan`: `state`
    (RUNNING, DONE or FAILED, then with `message`), the counts of the import by their names,
    `skew_ms`, `examples` (at most some of each outcome). The worker does it for a large file."""
    _check_draft(what)
    what.plan, what.done, what.runner = {"state": RUNNING}, 0, ""
    what.touched_at = now()
    what.save(update_fields=["plan", "done", "runner", "touched_at"])
    if what.size > _AT_ONCE:
        import_waits.send(RecordImport, pk=what.pk)
    else:
        look(what)


def look(what: RecordImport) -> None:
    """The look itself; another that begins later takes its place."""
    what.runner = secrets.token_hex(8)
    mine = RecordImport.objects.filter(pk=what.pk, state=RecordImport.DRAFT)
    if not mine.update(runner=what.runner, touched_at=now()):
        return
    try:
        _fill_plan(what)
    except Replaced:
        return
    except (UnreadableFile, ValidationError) as error:
        message = " ".join(getattr(error, "messages", [str(error)]))
        what.plan = {"state": FAILED, "message": message}
    except Exception:
        logger.exception("the look at import %s failed", what.pk)
        what.plan = {"state": FAILED, "message": _("Something went wrong on our side. Try again.")}
    fields = (
        "plan",
        "faults",
        "records",
        "done",
        "rows",
        "unreadable",
        "skew_ms",
        "since",
        "until",
    )
    mine.filter(runner=what.runner).update(**{name: getattr(what, name) for name in fields})


class Replaced(Exception):
    """Somebody has begun another look, taken the draft in, or removed it."""


def _fill_plan(what: RecordImport) -> None:
    def beat(done: int) -> None:
        mine = RecordImport.objects.filter(pk=what.pk, state=RecordImport.DRAFT)
        if not mine.filter(runner=what.runner).update(done=done, touched_at=now()):
            raise Replaced

    with closing(staged(what, beat)) as staging:
        taking = Taking(what, staging, beat, dry=True)
        taking.take()
        what.plan = {"state": DONE, **taking.plan()}


def remove_draft(what: RecordImport) -> None:
    """Deletes a draft, or an import that failed or was taken back, with its file."""
    with transaction.atomic():
        what = RecordImport.objects.select_for_update().get(pk=what.pk)
        _check_draft(what, also=(RecordImport.FAILED,))
        if what.held.exists():
            raise ValidationError(_("This import has written something: take it back first."))
        RecordImport.objects.filter(pk=what.pk).delete()
    files.remove(what)


def _check_draft(what: RecordImport, also: tuple[str, ...] = ()) -> None:
    if what.state not in (RecordImport.DRAFT, *also):
        raise ValidationError(_("This import is no longer a draft."))


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
