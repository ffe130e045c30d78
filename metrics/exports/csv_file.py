"""A table as CSV: UTF-8, streamed, in constant memory, and safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

from calls.models.rows import Cells
from common.spreadsheets import all_harmless, harmless
from metrics.exports.document import TEXT, Document, Head, Sheet

SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t"}
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel does not read UTF-8


@dataclass(frozen=True)
class Style:
    """How the file is written. `labels`: heads and codes in the reader's words; `about`: who made
    it and what its figures mean, in lines after an empty one."""

    separator: str = ","
    mark: bool = True
    labels: bool = False
    about: bool = False

    @classmethod
    def of(cls, query: Any) -> "Style":
        """As the URL says: `separator`, `bom`, `labels`, `about`. ValidationError for nonsense."""
        separator = query.get("separator") or "comma"
        if separator not in {*SEPARATORS, "auto"}:
            raise ValidationError(
                {
                    "separator": _("Use one of: %(known)s.")
                    % {"known": "auto, comma, semicolon, tab"}
                }
            )
        return cls(
            separator_of_reader() if separator == "auto" else SEPARATORS[separator],
            _flag(query, "bom", True),
            _flag(query, "labels", False),
            _flag(query, "about", False),
        )


STYLE_NAMES: Final = ("separator", "bom", "labels", "about")


def separator_of_reader() -> str:
    """Where the comma divides decimals, spreadsheets divide cells by semicolons."""
    return ";" if formats.get_format("DECIMAL_SEPARATOR") == "," else ","


def _flag(query: Any, name: str, default: bool) -> bool:
    value = query.get(name) or ("1" if default else "0")
    if value not in {"0", "1"}:
        raise ValidationError({name: _("Write 1 or 0.")})
    return value == "1"


def csv_of(sheet: Sheet, style: Style, document: Document | None = None) -> Iterator[str]:
    """The file, some hundred kilobytes at a time. `document` is what `style.about` tells of."""
    heads = [str(head.label) if style.labels else head.name for head in sheet.heads]
    yield (_BYTE_ORDER_MARK if style.mark else "") + _lines([heads], style)
    writers = [_writer(head, style, alone=len(heads) == 1) for head in sheet.heads]
    line = style.separator.join(["%s"] * len(heads)) + "\r\n"
    for chunk in sheet.chunks():
        columns = [write(cells) for write, cells in zip(writers, chunk, strict=True)]
        yield "".join(map(line.__mod__, zip(*columns, strict=True)))
    if style.about and document is not None:
        yield _lines([[], *_about(document)], style)


def _lines(rows: Iterable[list[Any]], style: Style) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=style.separator).writerows(rows)
    return text.getvalue()


def _about(document: Document) -> Iterable[list[Any]]:
    yield [document.title]
    yield from ([label, harmless(words)] for label, words in document.about)
    yield from ([note] for note in document.notes)
    yield from ([label, sentence] for label, sentence in document.definitions)


# --- Cells as a line holds them: the module csv writes the same, one by one ----------------------
def _writer(head: Head, style: Style, *, alone: bool) -> Callable[[Cells], Cells]:
    """What writes the cells under `head`; `alone`: there is no other column."""
    words = {code: str(word) for code, word in (head.words or {}).items()} if style.labels else {}
    marks = (style.separator, '"', "\r", "\n")

    def write(cells: Cells) -> Cells:
        if words:
            cells = [words.get(cell, cell) for cell in cells]
        cells = _quoted(all_harmless(cells), marks) if head.kind == TEXT else _unquoted(cells)
        return ['""' if cell == "" else cell for cell in cells] if alone else cells

    return write


def _unquoted(cells: Cells) -> Cells:
    """Numbers, rates with two decimals; instants and days; nothing."""
    return [
        "" if cell is None else round(cell, 2) if cell.__class__ is float else cell
        for cell in cells
    ]


def _quoted(cells: Cells, marks: tuple[str, ...]) -> Cells:
    """With quotes around those that hold one of `marks`, most often none."""
    together = "".join(cells)
    if not any(mark in together for mark in marks):
        return cells
    return [_in_quotes(cell) if any(mark in cell for mark in marks) else cell for cell in cells]


def _in_quotes(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
