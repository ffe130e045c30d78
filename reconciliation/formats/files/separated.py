"""Rows of separated text. A quote that never ends spoils its line, not the rest of the file."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from common.tables import separator_of
from reconciliation.call_record import BadLine

SEPARATORS: Final = (",", ";", "\t", "|")
_HINT = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # Excel's own, in the first line
# A cell that goes over several lines has at most so many.
_MOST_LINES: Final = 30


class Row(NamedTuple):
    """The cells of a row, and the line where it begins (the first is 1). `is_cut`: the file ended
    before the line did."""

    line: int
    cells: list[str]
    is_cut: bool = False


def guess_separator(lines: Sequence[str]) -> str:
    """Excel's hint, or what divides the lines."""
    hint = _HINT.fullmatch(lines[0]) if lines else None
    if hint:
        return hint[1]
    try:
        return separator_of([line for line in lines if line.strip()], SEPARATORS)
    except csv.Error:
        return ","


def rows_of(lines: Iterable[str | BadLine], separator: str) -> Iterator[Row | BadLine]:
    """The rows that have anything in them."""
    for number, text in _records(lines):
        if isinstance(text, BadLine):
            yield text
            continue
        if not text.strip() or (number == 1 and _HINT.fullmatch(text)):
            continue
        cells = _cells(text, separator)
        if cells is None:
            yield BadLine(number, _("A quotation mark in this line never ends."))
        elif any(cells):
            yield Row(number, cells, is_cut=text[-1] not in "\r\n")


def _records(lines: Iterable[str | BadLine]) -> Iterator[tuple[int, str | BadLine]]:
    """Whole records with the line where they begin; mostly a line each."""
    held: list[str] = []  # lines of a cell that has not ended
    for number, line in enumerate(lines, start=1):
        if isinstance(line, BadLine):
            yield from _let_go(held, number)
            held = []
            yield number, line
        elif not held and line.count('"') % 2 == 0:
            yield number, line
        else:
            held.append(line)
            if line.count('"') % 2 and len(held) > 1:
                yield number - len(held) + 1, "".join(held)
                held = []
            elif len(held) == _MOST_LINES or _stands_alone(held):
                yield from _let_go(held, number + 1)
                held = []
    yield from _let_go(held, number + 1 if held else 0)


def _stands_alone(held: list[str]) -> bool:
    """Whether an odd quotation mark is but a sign in a cell, such as inches."""
    return len(held) == 1 and not re.search(r'(?:^|[,;\t|])\s*"', held[0])


def _let_go(held: list[str], end: int) -> Iterator[tuple[int, str]]:
    """Lines for themselves, of which the last is that before `end`."""
    for place, line in enumerate(held):
        yield end - len(held) + place, line


def _cells(text: str, separator: str) -> list[str] | None:
    """None where a quotation mark never ends."""
    if '"' not in text:
        return [cell.strip() for cell in text.split(separator)]
    found: list[str] | None
    try:
        found = next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error:
        found = _otherwise(text, separator)
    return None if found is None else [cell.strip() for cell in found]


def _otherwise(text: str, separator: str) -> list[str] | None:
    """Quotes as MySQL escapes them, or loose ones within a cell."""
    if text.count('"') % 2 and not _stands_alone([text]):
        return None
    try:
        if '\\"' in text:
            return next(csv.reader([text], delimiter=separator, doublequote=False, escapechar="\\"))
        return next(csv.reader([text], delimiter=separator))
    except (csv.Error, StopIteration):
        return None
