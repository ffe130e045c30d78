"""What the commands about records share: they run an import themselves, and tell of it in plain
English."""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from calls.models import ProviderAccount
from common.instants import from_ms
from reconciliation import imports
from reconciliation.matching.reasons import differences_of
from reconciliation.models import ProviderRecord, RecordImport

MOST_TOLD: Final = 50  # lines that are named one by one
_GOES_ON: Final = (RecordImport.WAITING, RecordImport.RUNNING, RecordImport.UNDOING)
_PAUSE: Final = 1.0  # s; between two looks at an import that a worker has taken up


class Refused(CommandError):
    """A file that no format can read, or not as it was asked for."""


def begun(
    account: ProviderAccount,
    file: Path,
    code: str,
    reading: Mapping[str, Any],
    columns: Mapping[str, str | int],
) -> RecordImport:
    """A draft of the file, read as `reading` says, with these `columns` if any are given.
    CommandError where it cannot be; Refused where that is the file's fault."""
    try:
        what = imports.start(
            account, None, file.name, file, origin=RecordImport.COMMAND, format=code
        )
        whole = {**what.reading, **reading}
        if columns:
            whole["columns"] = dict(columns)
        try:
            imports.set_reading(what, what.format, whole)
        except ValidationError:
            imports.remove_draft(what)
            raise
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise Refused(f"{file}: {' '.join(error.messages)}") from None
    return what


def looked_at(what: RecordImport) -> RecordImport:
    """The draft with what would come of it; the draft itself is gone. CommandError."""
    try:
        imports.look(what)
        what.refresh_from_db()
    finally:
        imports.remove_draft(what)
    if what.plan.get("state") != "done":
        raise Refused(str(what.plan.get("message", "")))
    return what


def taken_in(what: RecordImport, *, keep_mapping: bool = False) -> RecordImport:
    """The import when it is done. CommandError where it failed: then nothing was changed."""
    imports.take_in(what, keep_mapping=keep_mapping, queue=False)
    finished(what)
    if what.state != RecordImport.DONE:
        raise Refused(what.message or "The import was cancelled.")
    return what


def finished(what: RecordImport) -> None:
    """Runs the import, or waits for the worker that does, or for the one before it."""
    while True:
        imports.run(what.pk)
        what.refresh_from_db()
        if what.state not in _GOES_ON:
            return
        time.sleep(_PAUSE)


def faults(what: RecordImport) -> Iterator[str]:
    """Sentences about the lines that cannot be read, the first of them."""
    for line, why in sorted(what.faults)[:MOST_TOLD]:
        yield f"line {line} is not readable: {why}"
    if what.unreadable > MOST_TOLD:
        yield f"... and {what.unreadable - MOST_TOLD} lines more"


def notes(what: RecordImport) -> Iterator[str]:
    """Sentences about the records that were left out or are in doubt, the first of them."""
    for some in what.plan.get("examples", {}).values():
        yield from (f"line {one['line']}: {one['note']}" for one in some if one["note"])
    kept = what.held.exclude(note="").order_by("line", "pk")
    for record in kept[:MOST_TOLD]:
        yield f"line {record.line}: {record.note}"
    more = kept.count() - MOST_TOLD
    if more > 0:
        yield f"... and {more} lines more"


def differences(records: Iterable[ProviderRecord]) -> Iterator[str]:
    """Sentences about the records that contradict their calls."""
    for record in records:
        said = [(one.field, one.ours, one.theirs) for one in differences_of(record)]
        yield difference(record.line, said)


def difference(line: int, said: list[tuple[str, Any, Any]]) -> str:
    words = ", ".join(_words(*one) for one in said)
    return f"line {line}: {words}; left as recorded"


def _words(field: str, ours: Any, theirs: Any) -> str:
    if field == "status":
        answered = "answered" if theirs in ("COMPLETED", "DROPPED") else "not answered"
        return f"{answered}, recorded as {ours}"
    if field == "talk":
        return f"talk {theirs / 1000:g} s, recorded {ours / 1000:g} s"
    verb = {"start": "starts", "answered": "answered", "end": "ends"}[field]
    told, own = (from_ms(at) if isinstance(at, int) else at for at in (theirs, ours))
    return f"{verb} {told:%H:%M:%S}, recorded {own:%H:%M:%S}"
