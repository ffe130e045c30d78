"""A table as CSV: UTF-8, streamed, in constant memory, and safe to open in a spreadsheet."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

from calls.models.rows import Cells
from common.instants import organisation_zone
from common.spreadsheets import all_harmless, harmless
from metrics.exports.document import INSTANT, TEXT, Document, Head, Sheet

SEPARATORS: Final = {"comma": ",", "semicolon": ";", "tab": "\t"}
DECIMALS: Final = {"point": ".", "comma": ","}
_FRACTIONS: Final = (float, Decimal)
INSTANTS: Final = ("utc", "local")  # `2026-01-31T13:45:00.000Z`, or `2026-01-31 07:45:00` there
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel does not read UTF-8


@dataclass(frozen=True)
class Style:
    """How the file is written. `labels`: heads and codes in the reader's words; `about`: who made
    it and what its figures mean, in lines after an empty one; `decimal`: what divides decimals;
    `local`: instants as the organisation's clocks show them, in the form that spreadsheets of all
    languages read, instead of the API's."""

    separator: str = ","
    mark: bool = True
    labels: bool = False
    about: bool = False
    decimal: str = "."
    local: bool = False

    @classmethod
    def of(cls, query: Any, *, for_people: bool = False) -> "Style":
        """As the URL says, with STYLE_NAMES. ValidationError for nonsense.

        `for_people`: a file whose separator is the reader's has the reader's decimals and local
        instants too, unless the URL says otherwise; a program's has what it asks for.
        """
        separator = _choice(query, "separator", (*SEPARATORS, "auto"), "comma")
        is_auto = separator == "auto"
        reader = for_people and is_auto
        decimals = _choice(query, "decimals", (*DECIMALS, "auto"), "auto" if reader else "point")
        return cls(
            separator_of_reader() if is_auto else SEPARATORS[separator],
            _flag(query, "bom", True),
            _flag(query, "labels", False),
            _flag(query, "about", False),
            decimal_of_reader() if decimals == "auto" else DECIMALS[decimals],
            _choice(query, "instants", INSTANTS, "local" if reader else "utc") == "local",
        )

    @classmethod
    def of_reader(cls) -> "Style":
        """What the reader's spreadsheet opens."""
        return cls(separator_of_reader(), decimal=decimal_of_reader(), local=True)


STYLE_NAMES: Final = ("separator", "decimals", "instants", "bom", "labels", "about")


def decimal_of_reader() -> str:
    return str(formats.get_format("DECIMAL_SEPARATOR"))


def separator_of_reader() -> str:
    """Where the comma divides decimals, spreadsheets divide cells by semicolons."""
    return ";" if decimal_of_reader() == "," else ","


def _choice(query: Any, name: str, known: Iterable[str], default: str) -> str:
    value = query.get(name) or default
    if value not in known:
        words = _("Use one of: %(known)s.") % {"known": ", ".join(sorted(known))}
        raise ValidationError({name: words})
    return str(value)


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
        if head.kind == TEXT:
            cells = _quoted(all_harmless(cells), marks)
        elif head.kind == INSTANT:
            cells = _local(cells) if style.local else [cell or "" for cell in cells]
        else:
            cells = _numbers(cells, style)
        return ['""' if cell == "" else cell for cell in cells] if alone else cells

    return write


def _numbers(cells: Cells, style: Style) -> Cells:
    """Numbers, rates with two decimals, amounts with all they have; days; nothing."""
    return [
        "" if cell is None else _fraction(cell, style) if cell.__class__ in _FRACTIONS else cell
        for cell in cells
    ]


def _fraction(cell: float | Decimal, style: Style) -> str:
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(round(cell, 2))
    text = text.replace(".", style.decimal)
    return _in_quotes(text) if style.decimal == style.separator else text


def _local(cells: Cells) -> Cells:
    """`2026-01-31 07:45:00` for `2026-01-31T13:45:00.000Z` in Costa Rica."""
    zone = organisation_zone()
    return [_local_minute(cell[:16], zone) + cell[16:19] if cell else "" for cell in cells]


@lru_cache(maxsize=4096)
def _local_minute(minute: str, zone: dt.tzinfo) -> str:
    """Clocks change at whole minutes, and calls of one minute stand together."""
    local = dt.datetime.fromisoformat(f"{minute}+00:00").astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}"


def _quoted(cells: Cells, marks: tuple[str, ...]) -> Cells:
    """With quotes around those that hold one of `marks`, most often none."""
    together = "".join(cells)
    if not any(mark in together for mark in marks):
        return cells
    return [_in_quotes(cell) if any(mark in cell for mark in marks) else cell for cell in cells]


def _in_quotes(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
