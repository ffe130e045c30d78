"""Master.csv of 16 to 21 columns, with or without names, and FreePBX's table `cdr` as CSV."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.providers.asterisk import cdr
from calls.providers.asterisk.dialplan import Dialplan
from calls.providers.reading import joined
from common.tables import ZIPPED
from reconciliation.call_record import FLOOR, BadLine, CallRecord
from reconciliation.formats.asterisk.windows import in_windows
from reconciliation.formats.base import (
    Context,
    Field,
    Format,
    Look,
    Reading,
    UnreadableFile,
    zone_of,
)
from reconciliation.formats.files import Peek, Table, lines_of
from reconciliation.formats.files.text import beginning_of, refuse_what_is_no_text
from reconciliation.formats.values.lengths import LONGEST
from reconciliation.formats.values.times import EARLIEST

_LABELS: Final[Mapping[str, Any]] = {
    "start": gettext_lazy("Start (date and time)"),
    "answer": gettext_lazy("Answered"),
    "end": gettext_lazy("End"),
    "duration": gettext_lazy("Duration, ring included"),
    "billsec": gettext_lazy("Talk time"),
    "disposition": gettext_lazy("Outcome"),
    "src": gettext_lazy("From"),
    "dst": gettext_lazy("To"),
    "channel": gettext_lazy("Channel"),
    "dstchannel": gettext_lazy("Channel called"),
    "lastapp": gettext_lazy("Application"),
    "lastdata": gettext_lazy("Data of the application"),
    "uniqueid": gettext_lazy("ID of the call"),
    "linkedid": gettext_lazy("ID of the whole call, if it has several parts"),
}
_NEEDED = frozenset({"start"})
_SAMPLES = 8
_LOOKED_AT = 200
_AHEAD = 3_600_000


class AsteriskCsv(Format):
    code = "asterisk_csv"
    title: ClassVar[Any] = gettext_lazy("Asterisk: call detail records (Master.csv)")
    account_kinds = ("asterisk",)
    has_names: ClassVar[bool] = False  # of its columns, in the first line

    def fits(self, peek: Peek) -> int:
        first = _first_lines(peek.path, "") if peek.table and peek.table.kind == "csv" else []
        layout, read, _bad = _tried(first, ())
        if not read or layout.names is None or "channel" not in layout.names:
            return 0
        is_table = layout.names[0] in ("start", "time") or "dcontext" not in layout.names
        return 80 if (is_table and bool(layout.head)) == self.has_names else 70

    def look(self, path: Path, reading: Reading) -> Look:
        first = _first_lines(path, str(reading.get("encoding") or ""))
        layout, read, bad = _tried(first, _columns(reading, {}))
        head = list(layout.head or ())
        names = list(layout.names or ())
        width = max((len(cells) for cells in read + bad), default=0)
        shown = head or [_("Column %(n)d") % {"n": n} for n in range(1, width + 1)]
        columns = {
            name: (head[place] if head else place)
            for place, name in enumerate(names)
            if name in _LABELS
        }
        table = Table(path, reading)
        return Look(
            head=shown,
            samples=list((read or bad)[:_SAMPLES]),
            rows_guess=table.rows_guess(),
            fields=tuple(
                Field(name, label, name in _NEEDED, columns.get(name))
                for name, label in _LABELS.items()
            ),
            reading={**reading, "columns": columns, "encoding": table.encoding},
            remarks=list(_remarks(names)),
            choices={},
        )

    def read(
        self, path: Path, reading: Reading, context: Context
    ) -> Iterator[CallRecord | BadLine]:
        encoding = str(reading.get("encoding") or "")
        columns = _columns(reading, context.account_settings)
        zone = zone_of(reading, context)
        first = list(cdr.read_lines(_first_lines(path, encoding), zone, columns))
        if first and not any(isinstance(one, cdr.CdrRow) for one in first):
            raise UnreadableFile(
                _("No line of this file looks like one of Asterisk's call detail records.")
            )
        return _Reading(path, encoding, context).records(zone, columns)


class FreePbxCsv(AsteriskCsv):
    code = "freepbx_csv"
    title = gettext_lazy("FreePBX: call detail records (table cdr, as CSV)")
    has_names = True


class _Known:
    """The names of our agents, as the dialplan asks for them."""

    def __init__(self, context: Context):
        self._knows = context.knows

    def __contains__(self, name: object) -> bool:
        return self._knows(str(name))


@dataclass
class _Reading:
    """A file on its way: rows that cannot be read wait until the calls before them are whole."""

    path: Path
    encoding: str
    context: Context

    def records(self, zone: Any, columns: cdr.ColumnNames) -> Iterator[CallRecord | BadLine]:
        dialplan = Dialplan.of_settings(self.context.account_settings)
        dialplan.known = _Known(self.context)
        bad: list[BadLine] = []
        rows = self._rows(cdr.read_lines(self._lines(bad), zone, columns), bad)
        for conversation in in_windows(rows):
            yield from _taken(bad)
            for part in cdr.parts_of(conversation, dialplan):
                yield record_of(part)
        yield from _taken(bad)

    def _lines(self, bad: list[BadLine]) -> Iterator[str]:
        """The lines; the last is none where the file was cut off in it."""
        commas = 0
        for number, line in enumerate(lines_of(self.path, self.encoding), start=1):
            if isinstance(line, BadLine):
                bad.append(line)
            elif line[-1:] in "\r\n" or line.count(",") >= commas:
                commas = line.count(",") if commas == 0 else min(commas, line.count(","))
                yield line.rstrip("\r\n")
            else:
                bad.append(BadLine(number, _("The file ends in the middle of this line.")))

    def _rows(
        self, found: Iterable[cdr.CdrRow | tuple[int, Any]], bad: list[BadLine]
    ) -> Iterator[cdr.CdrRow]:
        latest = self.context.now + _AHEAD
        for one in found:
            if not isinstance(one, cdr.CdrRow):
                bad.append(BadLine(one[0], _sentence(one[1].sentence())))
            elif one.start > latest:
                bad.append(BadLine(one.line, _("This call is in the future.")))
            elif one.end < one.start:
                bad.append(BadLine(one.line, _("The call ends before it begins.")))
            elif one.start < EARLIEST:  # a machine without a battery starts in 1970
                bad.append(BadLine(one.line, _("This is no time of a call.")))
            elif one.end - one.start > LONGEST:
                bad.append(BadLine(one.line, _("The call is longer than a day.")))
            else:
                yield one


def _taken(bad: list[BadLine]) -> list[BadLine]:
    """Those that have waited, in the order of the file."""
    found = sorted(bad, key=lambda one: one.line)
    bad.clear()
    return found


def record_of(part: cdr.CdrPart) -> CallRecord:
    """What the rows say of an agent's part. Asterisk cuts its lengths."""
    return CallRecord(
        key=joined(part.call or part.conversation, part.channel),
        start=part.start,
        end=part.end,
        answered=part.answered if part.knows_answer else None,
        knows_answer=part.knows_answer,
        duration=part.duration,
        talk=part.talk,
        status=part.status,
        reason=part.reason,
        call=part.call or joined(part.conversation, part.channel),
        conversation=part.conversation,
        agents=(part.agent,) if part.agent else (),
        number=part.number,
        direction=part.direction,
        rounding=FLOOR,
        doubtful=_doubt(part),
        lines=part.lines,
    )


def _doubt(part: cdr.CdrPart) -> str:
    if part.is_doubtful:
        return _("One of its lines has no linkedid and fits another call as well.")
    if part.is_unsure:
        return _("The clocks were put back in that night: it may be an hour later.")
    return ""


def _first_lines(path: Path, encoding: str) -> list[str]:
    beginning = beginning_of(path)
    if beginning.startswith(ZIPPED):
        raise UnreadableFile(_("This is an Excel file. Save it as CSV and try again."))
    refuse_what_is_no_text(beginning)
    lines = (one for one in lines_of(path, encoding) if isinstance(one, str))
    return [line.rstrip("\r\n") for line in islice(lines, _LOOKED_AT)]


def _tried(
    lines: Sequence[str], columns: cdr.ColumnNames
) -> tuple[cdr.Layout, list[list[str]], list[list[str]]]:
    """How the first lines are laid out, the cells of those that can be read, and of the others."""
    layout = cdr.Layout(lines, columns)
    read: list[list[str]] = []
    bad: list[list[str]] = []
    for line in lines:
        if not line.strip() or line.lower().startswith("sep="):
            continue
        cells = layout.cells(line)
        try:
            said = layout.said(line)
        except ValueError:
            bad.append(cells)
            continue
        if said is not None:
            (read if said.get("start") or said.get("time") else bad).append(cells)
    return layout, read, bad


def _columns(reading: Reading, settings: Mapping[str, Any]) -> cdr.ColumnNames:
    """As given for this file, else as the account says."""
    given = reading.get("columns")
    if isinstance(given, Mapping) and given:
        places = {ours: one + 1 if isinstance(one, int) else one for ours, one in given.items()}
        return cdr.column_names({ours: str(one) for ours, one in places.items() if one != ""})
    return cdr.column_names(settings.get("cdr_columns"))


def _remarks(names: Sequence[str]) -> Iterator[str]:
    if names and "linkedid" not in names:
        yield _(
            "The records have no linkedid: the rows of one call are put together by the names of "
            "its channels."
        )


def _sentence(why: str) -> str:
    return f"{why[:1].upper()}{why[1:]}."
