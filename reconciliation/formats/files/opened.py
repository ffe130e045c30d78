"""A file of rows, opened: what it is, how it is divided, and its rows."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from common.tables import ZIPPED
from reconciliation.call_record import BadLine
from reconciliation.formats.base import Reading, UnreadableFile
from reconciliation.formats.files.excel import Book
from reconciliation.formats.files.separated import SEPARATORS, Row, guess_separator, rows_of
from reconciliation.formats.files.text import (
    ENCODINGS,
    beginning_of,
    encoding_of,
    lines_of,
    refuse_what_is_no_text,
)

SAMPLE: Final = 400  # rows from which a file is known


class Table:
    """`kind` is csv or xlsx; `sheets` the names of an Excel file's. UnreadableFile says what is
    wrong with it."""

    def __init__(self, path: Path, reading: Reading):
        self.path, self.size = path, path.stat().st_size
        beginning = beginning_of(path)
        self.encoding = self.separator = self.sheet = ""
        self.sheets: list[str] = []
        if beginning.startswith(ZIPPED[:2]):
            self.kind = "xlsx"
            self._open_book(str(reading.get("sheet") or ""))
        else:
            self.kind = "csv"
            refuse_what_is_no_text(beginning)
            self._open_text(beginning, reading)
        self.sample = [one for one in islice(self.rows(), SAMPLE) if isinstance(one, Row)]
        if not self.sample:
            raise UnreadableFile(_("There is nothing in this file."))

    def _open_book(self, sheet: str) -> None:
        with closing(Book(self.path)) as book:
            self.sheets = [*book.sheets]
            self.sheet = sheet if sheet in book.sheets else self._first_with_rows(book)

    def _first_with_rows(self, book: Book) -> str:
        filled = (name for name in book.sheets if len(list(islice(book.rows(name), 2))) == 2)
        return next(filled, book.sheets[0])

    def _open_text(self, beginning: bytes, reading: Reading) -> None:
        given = str(reading.get("encoding") or "")
        self.encoding = given if given in ENCODINGS else encoding_of(beginning)
        some = islice(lines_of(self.path, self.encoding), 40)
        lines = [line for line in some if isinstance(line, str)]
        separator = str(reading.get("separator") or "")
        self.separator = separator if separator in SEPARATORS else guess_separator(lines)

    def rows(self) -> Iterator[Row | BadLine]:
        """From the beginning, each time."""
        if self.kind == "csv":
            yield from rows_of(lines_of(self.path, self.encoding), self.separator)
            return
        with closing(Book(self.path)) as book:
            yield from book.rows(self.sheet)

    def rows_guess(self) -> int | None:
        """How many rows there may be, by the length of the first; None where that tells nothing."""
        if self.kind != "csv":
            return None
        read = beginning_of(self.path)
        return max(len(self.sample), round(self.size * read.count(b"\n") / len(read)))
