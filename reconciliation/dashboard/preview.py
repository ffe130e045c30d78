"""What the page of a draft shows of its file: how it is read, and what comes of its first lines."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from calls.models import CallLog
from common.instants import from_ms
from reconciliation.call_record import BadLine, CallRecord
from reconciliation.formats.base import Look, UnreadableFile
from reconciliation.formats.catalogue import FORMATS
from reconciliation.imports.files import context_of, path_of
from reconciliation.models import RecordImport

SHOWN_RECORDS: Final = 8
_STATUSES: Final = dict(CallLog.STATUSES)
_DIRECTIONS: Final = dict(CallLog.DIRECTIONS)


@dataclass(frozen=True)
class PreviewRow:
    """One of the first records as it is understood, or why a line is not."""

    line: int
    fault: str = ""
    start: dt.datetime | None = None
    answered: dt.datetime | None = None
    end: dt.datetime | None = None
    agent: str = ""
    number: str = ""
    direction: object = ""
    status: object = ""


@dataclass(frozen=True)
class Preview:
    """`fault` says why nothing of the file can be shown."""

    look: Look = field(default_factory=Look)
    rows: list[PreviewRow] = field(default_factory=list)
    fault: str = ""


def preview_of(what: RecordImport) -> Preview:
    """The beginning of the draft's file, read as it says."""
    look = Look()
    try:
        shape = FORMATS[what.format]
        look = shape.look(path_of(what), what.reading)
        return Preview(look, list(_rows(what, look)))
    except UnreadableFile as error:
        return Preview(look, fault=str(error))


def _rows(what: RecordImport, look: Look) -> Iterator[PreviewRow]:
    reading = {**look.reading, **what.reading}
    found = FORMATS[what.format].read(path_of(what), reading, context_of(what))
    for one in islice(found, SHOWN_RECORDS):
        yield PreviewRow(one.line, one.why) if isinstance(one, BadLine) else _row(one)


def _row(record: CallRecord) -> PreviewRow:
    return PreviewRow(
        line=record.lines[0] if record.lines else 0,
        start=from_ms(record.start),
        answered=_instant(record.answered),
        end=_instant(record.end),
        agent=", ".join(record.agents),
        number=record.number,
        direction=_DIRECTIONS.get(record.direction, record.direction),
        status=_STATUSES.get(record.status, record.status),
    )


def _instant(milliseconds: int | None) -> dt.datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
