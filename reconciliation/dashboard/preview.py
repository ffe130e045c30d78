"""What the page of a draft shows of its file: how it is read, and what comes of its first lines."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from django.core.exceptions import ValidationError

from calls.models import CallLog
from common.instants import from_ms
from reconciliation.call_record import BadLine, CallRecord
from reconciliation.formats.catalogue import FORMATS, Context, Look, UnreadableFile
from reconciliation.imports.files import path_of
from reconciliation.imports.reading import zone_of
from reconciliation.matching.people import People
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
    """Empty where nothing of the file can be read: its plan says why."""

    look: Look = field(default_factory=Look)
    rows: list[PreviewRow] = field(default_factory=list)


def preview_of(what: RecordImport) -> Preview:
    """The beginning of the draft's file, read as it says."""
    found, path = FORMATS[what.format], path_of(what)
    try:
        look = found.look(path, what.reading)
    except (UnreadableFile, OSError):
        return Preview()
    try:
        return Preview(look, list(_rows(what)))
    except (UnreadableFile, ValidationError, OSError):
        return Preview(look)


def _rows(what: RecordImport) -> Iterator[PreviewRow]:
    account = what.account
    context = Context(zone_of(what), account.region, account.settings, People(account).knows)
    records = FORMATS[what.format].read(path_of(what), what.reading, context)
    for one in islice(records, SHOWN_RECORDS):
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
