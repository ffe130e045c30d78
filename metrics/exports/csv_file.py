"""A table as CSV: UTF-8, streamed, in constant memory, and safe to open in a spreadsheet."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

from common.instants import isoformat
from common.spreadsheets import harmless
from metrics.exports.document import Document, Sheet

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


class _Echo:
    """A file that hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def csv_of(sheet: Sheet, style: Style, document: Document | None = None) -> Iterator[str]:
    """The file, some hundred kilobytes at a time. `document` is what `style.about` tells of."""
    write = csv.writer(_Echo(), delimiter=style.separator).writerow
    heads = [str(head.label) if style.labels else head.name for head in sheet.heads]
    yield (_BYTE_ORDER_MARK if style.mark else "") + write(heads)
    worded = [head.in_words if style.labels else _as_it_is for head in sheet.heads]
    for chunk in sheet.chunks():
        yield "".join(
            write([harmless(cell(say(value))) for say, value in zip(worded, row, strict=True)])
            for row in chunk
        )
    if style.about and document is not None:
        yield "".join(map(write, [[], *_about(document)]))


def _about(document: Document) -> Iterable[list[Any]]:
    yield [document.title]
    yield from ([label, harmless(words)] for label, words in document.about)
    yield from ([note] for note in document.notes)
    yield from ([label, sentence] for label, sentence in document.definitions)


def _as_it_is(value: Any) -> Any:
    return value


def cell(value: Any) -> Any:
    """Instants in UTC as the API writes them; rates with two decimals; the rest as it stands."""
    if isinstance(value, dt.datetime):
        return isoformat(value)
    if isinstance(value, float):
        return round(value, 2)
    return value
