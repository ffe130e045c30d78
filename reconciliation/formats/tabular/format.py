"""What all formats that are tables have in common: look, read, and rows into records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.timeline.end_words import plain
from reconciliation.call_record import CEILING, EXACT, FLOOR, NEAREST, BadLine, CallRecord
from reconciliation.formats.base import (
    Context,
    Field,
    Format,
    Look,
    Reading,
    UnreadableFile,
    zone_of,
)
from reconciliation.formats.files import Peek, Row, Table
from reconciliation.formats.tabular.columns import LABELS, Layout, layout_of
from reconciliation.formats.tabular.folds import Settling, Timed, is_ascending
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.tabular.rows import Reader, Said
from reconciliation.formats.values import Unclear
from reconciliation.formats.values.times import DMY, MDY, ORDERS, YMD, order_of

SAMPLES: Final = 8  # rows that are shown
CHOICES: Final[Mapping[str, list[tuple[str, Any]]]] = {
    "encoding": [
        ("utf-8", "UTF-8"),
        ("cp1252", gettext_lazy("Windows (Western)")),
        ("utf-16", "UTF-16"),
    ],
    "separator": [
        (",", gettext_lazy("Comma")),
        (";", gettext_lazy("Semicolon")),
        ("\t", gettext_lazy("Tabulator")),
        ("|", gettext_lazy("Vertical line")),
    ],
    "date_order": [
        (DMY, gettext_lazy("Day, month, year")),
        (MDY, gettext_lazy("Month, day, year")),
        (YMD, gettext_lazy("Year, month, day")),
    ],
    "length_unit": [
        ("", gettext_lazy("As the column's name says, else seconds")),
        ("s", gettext_lazy("Seconds")),
        ("min", gettext_lazy("Minutes")),
        ("h", gettext_lazy("Hours")),
        ("ms", gettext_lazy("Milliseconds")),
    ],
    "rounding": [
        (FLOOR, gettext_lazy("Cut")),
        (NEAREST, gettext_lazy("Rounded to the nearest")),
        (CEILING, gettext_lazy("Rounded up")),
        (EXACT, gettext_lazy("Exact")),
    ],
}


class Tabular(Format):
    """A table. `heads` are the names that its columns have, by our fields; `signs` names that
    together make sure that a file is of this format."""

    heads: ClassVar[Mapping[str, Sequence[str]]] = {}
    signs: ClassVar[tuple[tuple[str, ...], ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ("start",)
    # How lengths are made whole; None where the reader is asked.
    rounding: ClassVar[str | None] = FLOOR
    draft: ClassVar[type[Drafted]] = Drafted
    zone_name: ClassVar[str] = ""  # of all times, where the system writes no other

    # --- What it is -------------------------------------------------------------------------------

    def fits(self, peek: Peek) -> int:
        table = peek.table
        if table is None:
            return 0
        heads = [set(map(plain, row.cells)) for row in table.sample[:40]]
        found = [len(sign) for sign in self.signs if any(set(map(plain, sign)) <= h for h in heads)]
        return min(60 + 5 * max(found), 99) if found else 0

    def look(self, path: Path, reading: Reading) -> Look:
        table = Table(path, reading)
        layout = layout_of(table, reading, self.heads, self.unnamed)
        rows = [row for row in table.sample if row.line > layout.line]
        order, is_proven = self._date_order(layout, rows, reading)
        completed = {
            **reading,
            "columns": layout.chosen(),
            "encoding": table.encoding,
            "separator": table.separator,
            "sheet": table.sheet,
            "date_order": order,
        }
        return Look(
            head=layout.head,
            samples=[row.cells for row in rows[:SAMPLES]],
            rows_guess=table.rows_guess(),
            fields=self._fields(layout),
            reading={name: value for name, value in completed.items() if value != ""},
            remarks=[*self._remarks(layout, rows, is_proven)],
            choices=self._choices(table),
        )

    def _fields(self, layout: Layout) -> tuple[Field, ...]:
        chosen = layout.chosen()
        return tuple(
            Field(name, LABELS[name], name in self.needs, chosen.get(name))
            for name in self.heads
            if name in LABELS
        )

    def _choices(self, table: Table) -> dict[str, list[tuple[str, Any]]]:
        asked = ["date_order", "length_unit", *([] if self.rounding else ["rounding"])]
        if table.kind == "csv":
            asked = ["encoding", "separator", *asked]
        choices = {name: CHOICES[name] for name in asked}
        return choices | ({"sheet": [(one, one) for one in table.sheets]} if table.sheets else {})

    def _date_order(
        self, layout: Layout, rows: Sequence[Row], reading: Reading
    ) -> tuple[str, bool]:
        """As given, else as the dates of the sample tell; and whether that is sure."""
        if (given := str(reading.get("date_order") or "")) in ORDERS:
            return given, True
        places = [
            layout.columns[one] for one in ("start", "end", "answered") if one in layout.columns
        ]
        cells = (row.cells[place] for row in rows for place in places if place < len(row.cells))
        return order_of(cells)

    def _remarks(self, layout: Layout, rows: Sequence[Row], is_proven: bool) -> Iterator[str]:
        if not layout.line and not layout.columns:
            yield _("No line names the columns: say what each of them holds.")
        if rows and not is_proven and "start" in layout.columns:
            yield _("The dates do not tell whether the day or the month comes first: check that.")
        if not rows:
            yield _("There is no call below the names of the columns.")

    def unnamed(self, rows: Sequence[Row]) -> Mapping[str, int]:
        """Which place holds what in a table whose columns have no names."""
        return {}

    # --- Its records ------------------------------------------------------------------------------

    def read(
        self, path: Path, reading: Reading, context: Context
    ) -> Iterator[CallRecord | BadLine]:
        table = Table(path, reading)
        layout = layout_of(table, reading, self.heads, self.unnamed)
        self._refuse(layout)
        rows = [row for row in table.sample if row.line > layout.line]
        order, _proven = self._date_order(layout, rows, reading)
        context = replace(context, zone=zone_of(reading, context, self.zone_name))
        reader = Reader(layout, {**reading, "date_order": order}, context)
        return self._records(table, reader, self._is_ascending(rows, reader))

    def _refuse(self, layout: Layout) -> None:
        missing = [str(LABELS[name]) for name in self.needs if name not in layout.columns]
        if missing:
            raise UnreadableFile(
                _("The file has no column for: %(names)s.") % {"names": ", ".join(missing)}
            )

    def _is_ascending(self, rows: Sequence[Row], reader: Reader) -> bool | None:
        timed = (self._timed(row, reader) for row in rows)
        return is_ascending(
            [one.instants for one in timed if isinstance(one, Timed) and one.instants]
        )

    def _records(
        self, table: Table, reader: Reader, ascending: bool | None
    ) -> Iterator[CallRecord | BadLine]:
        begin = reader.layout.line
        rows = (row for row in table.rows() if row.line > begin)
        timed = (self._timed(row, reader) for row in rows)
        for one in Settling(ascending).settled(timed):
            if isinstance(one.row, BadLine):
                yield one.row
                continue
            try:
                yield from self.records(one.row, one, reader)
            except Unclear as error:
                yield BadLine(one.line, str(error))

    def _timed(self, row: Row | BadLine, reader: Reader) -> Timed:
        """The row with the instants at which it may have begun; a line that is none has none."""
        if isinstance(row, BadLine):
            return Timed(row.line, row, ())
        try:
            said = reader.said(row.cells, is_cut=row.is_cut)
            told = reader.start(said)
            instants = told.instants
            if len(instants) == 2:
                instants = self._by_length(said, instants, reader)
            return Timed(row.line, said, instants, told.precision)
        except Unclear as error:
            return Timed(row.line, BadLine(row.line, str(error)), ())

    def _by_length(self, said: Said, starts: tuple[int, ...], reader: Reader) -> tuple[int, ...]:
        """Of the starts in an hour that comes twice those that fit the end and the length."""
        length, ended = reader.length(said, "duration"), reader.clock.read(said.get("end", ""))
        if length is None or ended is None or "end" not in said:
            return starts
        fit = [
            start
            for start in starts
            for end in ended.instants
            if abs(end - start - length.ms) <= 2 * length.unit + 1000
        ]
        return (fit[0],) if len(fit) == 1 else starts

    def records(self, said: Said, timed: Timed, reader: Reader) -> Iterator[CallRecord]:
        """What a row tells: mostly one record. Unclear where it cannot be read."""
        yield self.draft(said, timed, reader, self.rounding or reader.rounding).record()
