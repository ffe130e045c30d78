"""The records in a file that holds one or many: JSON objects in a list, in lines or one after the
other, and XML elements `cdr`. One at a time, however long the file is.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from common.tables import wide_encoding
from reconciliation.call_record import BadLine
from reconciliation.formats.files import beginning_of

_CHUNK: Final = 262_144
_LONGEST: Final = 4_000_000  # signs of one record
_TOKENS: Final = re.compile(r'[{}"\\\n]')
_BETWEEN: Final = re.compile(r"[\s,\[\]\ufeff]*")
_ELEMENT: Final = re.compile(r"<cdr[\s>]")
_END: Final = "</cdr>"


@dataclass(frozen=True)
class Piece:
    """The text of one record, and the line where it begins."""

    line: int
    text: str


def text_of(path: Path) -> Iterator[str]:
    encoding = wide_encoding(beginning_of(path)) or "utf-8-sig"
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            try:
                yield decoder.decode(chunk)
            except UnicodeError:
                return
    yield decoder.decode(b"", final=True)


def elements(chunks: Iterator[str]) -> Iterator[Piece | BadLine]:
    """The XML elements `cdr`."""
    held, line = "", 1
    for chunk in chunks:
        held += chunk
        while (end := held.find(_END)) >= 0:
            found = _ELEMENT.search(held, 0, end)
            if found:
                begin = line + held.count("\n", 0, found.start())
                yield Piece(begin, held[found.start() : end + len(_END)])
            line += held.count("\n", 0, end + len(_END))
            held = held[end + len(_END) :]
        if len(held) > _LONGEST:
            yield BadLine(line, _("This record is too long to be one; nothing after it was read."))
            return
    if begun := _ELEMENT.search(held):
        yield BadLine(
            line + held.count("\n", 0, begun.start()),
            _("The file ends in the middle of this record."),
        )


def objects(chunks: Iterator[str]) -> Iterator[Piece | BadLine]:
    """The JSON objects of the outermost level."""
    scan = _Scan()
    for chunk in chunks:
        yield from scan.more(chunk)
        if len(scan.held) > _LONGEST:
            yield BadLine(
                scan.begun, _("This record is too long to be one; nothing after it was read.")
            )
            return
    yield from scan.end()


class _Scan:
    """Where in the text the scanner is: how deep in braces, and whether in a string."""

    def __init__(self) -> None:
        self.held, self.line, self.begun = "", 1, 1
        self._depth, self._in_string, self._at = 0, False, 0

    def more(self, chunk: str) -> Iterator[Piece | BadLine]:
        self.held += chunk
        place, start = self._at, 0
        while found := _TOKENS.search(self.held, place):
            place, token = found.end(), found[0]
            if token == "\n":
                self.line += 1
                if self._depth and self.held[place : place + 1] == "{":
                    yield BadLine(self.begun, _("This record is cut off."))
                    start, self._depth, self._in_string = place, 0, False
            elif self._in_string:
                place += token == "\\"
                self._in_string = token != '"'
            elif token == '"':
                self._in_string = self._depth > 0
            elif token == "{":
                if not self._depth:
                    yield from self._between(self.held[start : found.start()])
                    start, self.begun = found.start(), self.line
                self._depth += 1
            elif token == "}" and self._depth:
                self._depth -= 1
                if not self._depth:
                    yield Piece(self.begun, self.held[start:place])
                    start = place
        self.held = self.held[start:]
        self._at = max(0, max(place - start, len(self.held)))

    def _between(self, text: str) -> Iterator[BadLine]:
        """What stands between two records and is no comma."""
        if not _BETWEEN.fullmatch(text):
            yield BadLine(self.line, _("There is something here that is no record."))

    def end(self) -> Iterator[BadLine]:
        if self._depth:
            yield BadLine(self.begun, _("The file ends in the middle of this record."))
        else:
            yield from self._between(self.held)
