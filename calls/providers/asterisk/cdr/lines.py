"""The lines of a file of call detail records, whatever its delimiter, encoding and columns."""

import csv
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext, gettext_noop

from calls.providers.asterisk.cdr.columns import ColumnNames, named_by, ordered_by
from calls.providers.asterisk.cdr.dispositions import DISPOSITIONS
from calls.providers.asterisk.cdr.times import day_comes_first

_DELIMITERS = ",;\t|"
_UNKNOWN = gettext_noop("%(found)d columns; 16 to 21 are known. Name them with --columns")
_OTHERS = gettext_noop("%(found)d columns instead of %(wanted)d")
_QUOTES = gettext_noop("a quotation mark in this line never ends")


class BadLine(ValueError):
    """A line that cannot be read; says why, in English."""

    def __init__(self, why: str, **values: Any):
        super().__init__(why % values if values else why)
        self._why, self._values = why, values

    def sentence(self) -> str:
        """The same in the reader's language."""
        said = gettext(self._why)
        return said % self._values if self._values else said


class Layout:
    """How the lines of a file are divided, as the first of them tell. `head` are the names in the
    file, `names` ours of the same columns; None before a line was read, or where nobody knows."""

    def __init__(self, first: Sequence[str], columns: ColumnNames = ()):
        sample = [line for line in first if line.strip()]
        self.columns = columns
        self.delimiter = _delimiter_of(sample)
        self.day_first = day_comes_first(
            cell for line in sample for cell in _loose_cells(line, self.delimiter)
        )
        self.head: Sequence[str] | None = None
        self.names: Sequence[str] | None = None
        self._is_first = True

    def cells(self, line: str) -> list[str]:
        """The cells of a line, whatever they hold."""
        return [cell.strip() for cell in _loose_cells(line, self.delimiter)]

    def said(self, line: str) -> dict[str, str] | None:
        """What a line says, by our names; None for the line that names the columns."""
        try:
            values = _cells(line, self.delimiter)
        except csv.Error:
            raise BadLine(_QUOTES) from None
        if self._is_first:
            self._is_first, named = False, named_by(values, self.columns)
            if named is not None:
                self.head, self.names = values, named
                return None
        names = self.names if self.head else ordered_by(values, self.columns, DISPOSITIONS)
        if self.head is None:
            self.names = names or self.names
        return _said(values, names)


def lines_in(raw: bytes) -> list[str]:
    """The lines as text: UTF-8 or, line by line, Windows' Western; or UTF-16, as Excel may save."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace").replace("\0", "").splitlines()
    return [_decoded(line) for line in raw.removeprefix(b"\xef\xbb\xbf").splitlines()]


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8").replace("\0", "")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace").replace("\0", "")


def _delimiter_of(lines: Sequence[str]) -> str:
    """What cuts these lines into the most cells."""
    counts = {
        delimiter: sum(len(_loose_cells(line, delimiter)) for line in lines)
        for delimiter in _DELIMITERS
    }
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _loose_cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return line.split(delimiter)


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line, with quotes as Asterisk doubles them or as MySQL escapes them, or with
    none: what a client of a database prints with tabs. csv.Error if it is none of these."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        if delimiter == "\t":
            return line.split(delimiter)
        if '\\"' not in line:
            raise
        escaped = csv.reader(
            [line], delimiter=delimiter, strict=True, doublequote=False, escapechar="\\"
        )
        return next(escaped)


def _said(values: Sequence[str], names: Sequence[str] | None) -> dict[str, str]:
    """What a line says, by our names; a database's NULL is nothing."""
    if names is None:
        raise BadLine(_UNKNOWN, found=len(values))
    if len(values) != len(names):
        raise BadLine(_OTHERS, found=len(values), wanted=len(names))
    pairs = ((name, value.strip()) for name, value in zip(names, values, strict=True) if name)
    return {name: "" if value in ("NULL", r"\N") else value for name, value in pairs}
