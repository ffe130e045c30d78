"""Which files people may have made, and the large ones that the worker writes.

An export waits, is written, and is ready, failed or cancelled; its file lies in DATA_DIR/exports
under a name that nobody can guess, for its owner alone, and goes away by itself.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import roles
from accounts.models import User
from calls.history.columns import IN_FILES, Column, columns_of
from calls.history.filters import CallFilter
from calls.models.rows import Cells
from common.databases.query_timeout import TookTooLong, patience
from common.instants import now
from metrics.exports.calls import document_of_calls
from metrics.exports.csv_file import Style, csv_of
from metrics.exports.document import Document, Sheet
from metrics.exports.xlsx_file import write_xlsx
from metrics.models import Export

logger = logging.getLogger(__name__)

CSV, XLSX = "csv", "xlsx"
# Files of more rows than these are the worker's: a workbook takes ten times as long as a CSV.
AT_ONCE: Final[dict[str, int]] = {CSV: 100_000, XLSX: 20_000}
KEPT: Final = dt.timedelta(hours=24)
SILENT: Final = dt.timedelta(minutes=10)  # a worker that says nothing for so long is gone
_COUNT_SECONDS: Final = 2


@dataclass(frozen=True)
class Wanted:
    """A file of calls as a URL asks for it."""

    maker: User
    found: CallFilter
    columns: list[Column]
    style: Style

    @classmethod
    def of(
        cls,
        maker: User,
        query: QueryDict,
        default: Iterable[str] = IN_FILES,
        *,
        for_people: bool = True,
    ) -> "Wanted":
        """`default`: the columns where the query names none; `for_people`: no program asks.
        ValidationError for a filter, a column or a style that cannot be read."""
        found = CallFilter(query, viewer=maker)
        if not found.is_valid():
            raise ValidationError(dict(found.errors))
        try:
            columns = columns_of(query.getlist("columns"), default)
        except ValidationError as error:
            raise ValidationError({"columns": error.messages}) from error
        return cls(maker, found, columns, Style.of(query, for_people=for_people))

    def document(self, *, figures: bool = True) -> Document:
        """`figures`: with the sums of the calls, for the forms that show them."""
        return document_of_calls(self.found, self.columns, self.maker, figures=figures)


def is_large(wanted: Wanted, form: str) -> bool:
    """Whether the file has more rows than are written while somebody waits."""
    most = AT_ONCE[form]
    try:
        with patience(_COUNT_SECONDS):
            rows = wanted.found.qs.newest_first().values("pk")
            return bool(rows[most : most + 1])
    except TookTooLong:
        return True


# --- What the worker writes -----------------------------------------------------------------------
def request_export(owner: User, form: str, query: QueryDict) -> Export:
    """Has the worker write the file; ValidationError for what cannot be read."""
    Wanted.of(owner, query)
    present = now()
    return Export.objects.create(
        owner=owner,
        form=form,
        query=query.urlencode(),
        language=translation.get_language() or settings.LANGUAGE_CODE,
        created_at=present,
        touched_at=present,
        expires_at=present + KEPT,
    )


def cancel(export: Export) -> bool:
    """Stops the export, before or while it is written; whether there was something to stop."""
    mine = Export.objects.filter(pk=export.pk).going_on()
    return bool(mine.update(state=Export.CANCELLED, touched_at=now()))


def path_of(export: Export) -> Path:
    return folder() / f"{export.token}.{export.form}"


def folder() -> Path:
    """Where the files lie; readable by the owner of the process alone."""
    place = Path(settings.DATA_DIR) / "exports"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


class Cancelled(Exception):
    """Somebody no longer wants the file."""


def write(pk: int) -> None:
    """Writes the file of a waiting export, unless it was cancelled or somebody else has begun."""
    begun = Export.objects.filter(pk=pk, state=Export.WAITING)
    if not begun.update(state=Export.RUNNING, touched_at=now()):
        return
    export = Export.objects.select_related("owner").get(pk=pk)
    part = path_of(export).with_suffix(".part")
    try:
        with translation.override(export.language):
            _write_file(export, part)
        _finish(export, part)
    except Cancelled:
        logger.info("export %s was cancelled", export.token)
    except Exception as error:
        logger.exception("export %s failed", export.token)
        _fail(export, error)
    finally:
        part.unlink(missing_ok=True)


def _write_file(export: Export, part: Path) -> None:
    owner = export.owner
    if not (owner.is_active and owner.has_perm(roles.EXPORT_CALLS)):
        raise PermissionDenied(_("You may not export calls. Ask an administrator."))
    wanted = Wanted.of(owner, QueryDict(export.query))
    rows = wanted.found.qs.order_by().count()
    Export.objects.filter(pk=export.pk).update(rows_total=rows, touched_at=now())
    document = wanted.document(figures=export.form != CSV)
    document = replace(document, sheets=[_watched(s, export) for s in document.sheets])
    part.touch(mode=0o600)
    if export.form == CSV:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(csv_of(document.sheets[0], wanted.style, document))
    else:
        write_xlsx(document, str(part))


def _watched(sheet: Sheet, export: Export) -> Sheet:
    """The same table; each chunk is noted as progress, and stops where it was cancelled."""

    def chunks() -> Iterator[list[Cells]]:
        done = 0
        for chunk in sheet.chunks():
            yield chunk
            done += len(chunk[0])
            running = Export.objects.filter(pk=export.pk, state=Export.RUNNING)
            if not running.update(rows_done=done, touched_at=now()):
                raise Cancelled

    return replace(sheet, chunks=chunks)


def _finish(export: Export, part: Path) -> None:
    size = part.stat().st_size
    part.rename(path_of(export))
    present = now()
    running = Export.objects.filter(pk=export.pk, state=Export.RUNNING)
    if not running.update(
        state=Export.DONE, size=size, touched_at=present, expires_at=present + KEPT
    ):
        path_of(export).unlink(missing_ok=True)
        raise Cancelled


def _fail(export: Export, error: Exception) -> None:
    known = isinstance(error, PermissionDenied | ValidationError)
    with translation.override(export.language):
        message = str(error) if known else _("Something went wrong on our side. Try again.")
    running = Export.objects.filter(pk=export.pk, state=Export.RUNNING)
    running.update(state=Export.FAILED, message=message, touched_at=now())


def tidy(present: dt.datetime | None = None) -> int:
    """Removes what has expired, with its file, and gives up what no worker writes any more."""
    present = present or now()
    lost = Export.objects.filter(state=Export.RUNNING, touched_at__lt=present - SILENT)
    lost.update(state=Export.FAILED, message=_("The worker stopped. Try again."))
    with transaction.atomic():
        expired = list(Export.objects.filter(expires_at__lte=present))
        Export.objects.filter(pk__in=[export.pk for export in expired]).delete()
    _remove_files_but({path_of(export).name for export in Export.objects.all()}, present)
    return len(expired)


def _remove_files_but(known: Iterable[str], present: dt.datetime) -> None:
    """Files of exports that are no more; one that is being written has a fresh time."""
    for path in folder().iterdir():
        age = present.timestamp() - path.stat().st_mtime
        if path.name not in known and (path.suffix != ".part" or age > SILENT.total_seconds()):
            path.unlink(missing_ok=True)
