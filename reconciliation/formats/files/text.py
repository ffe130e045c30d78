"""Lines of a file as text, whatever its encoding; refused in words where it is no text at all."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from common.tables import OLD_EXCEL, decoded_line, wide_encoding
from reconciliation.call_record import BadLine
from reconciliation.formats.base import UnreadableFile

LOOKED_AT: Final = 65_536  # bytes from which a file is known
LONGEST: Final = 1_000_000  # bytes of a line
ENCODINGS: Final = ("utf-8", "cp1252", "utf-16")
_MARK: Final = "\ufeff"
# What a file begins with that people take for a table, and what it is.
_HTML = re.compile(rb"\s*<(?:!doctype html|html|table)", re.IGNORECASE)


def beginning_of(path: Path) -> bytes:
    """The first bytes. UnreadableFile where there are none, or where they are of no text."""
    try:
        with path.open("rb") as file:
            found = file.read(LOOKED_AT)
    except OSError as error:
        raise UnreadableFile(_("The file cannot be opened.")) from error
    if not found.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile(_("There is nothing in this file."))
    return found


def refuse_what_is_no_text(beginning: bytes) -> None:
    if beginning.startswith(OLD_EXCEL):
        raise UnreadableFile(_("This is an old Excel file. Save it as .xlsx and try again."))
    if beginning.startswith((b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"Rar!", b"\xfd7zXZ")):
        raise UnreadableFile(_("This is a compressed file. Unpack it and try again."))
    if beginning.startswith(b"%PDF"):
        raise UnreadableFile(_("This is a PDF. Export the calls as CSV or Excel instead."))
    if _HTML.match(beginning):
        raise UnreadableFile(
            _("This is a web page, even if its name says Excel. Save it as CSV or .xlsx.")
        )
    if not wide_encoding(beginning) and _is_binary(beginning):
        raise UnreadableFile(_("This is no text, or it is damaged."))


def _is_binary(beginning: bytes) -> bool:
    """A few stray bytes are no reason; every tenth is."""
    signs = sum(beginning.count(bytes([sign])) for sign in (*range(9), *range(14, 32)))
    return signs * 10 > len(beginning)


def encoding_of(beginning: bytes) -> str:
    """One of ENCODINGS; "utf-8" is also what is ASCII."""
    if wide_encoding(beginning):
        return "utf-16"
    whole = beginning.rpartition(b"\n")[0] or beginning
    try:
        whole.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def lines_of(path: Path, encoding: str = "") -> Iterator[str | BadLine]:
    """The lines with their ends, one for each in the file. A line that is too long to be one ends
    them, as a BadLine."""
    wide = wide_encoding(beginning_of(path))
    if wide or encoding.startswith("utf-16"):
        yield from _wide_lines(path, wide or "utf-16")
        return
    with path.open("rb") as file:
        for number in _from_one():
            raw = file.readline(LONGEST)
            if not raw:
                return
            if len(raw) >= LONGEST:
                yield too_long(number)
                return
            line = raw.decode("cp1252", "replace") if encoding == "cp1252" else decoded_line(raw)
            if number == 1:
                line = line.removeprefix(_MARK).removeprefix("ï»¿")
            yield line.replace("\0", "") if "\0" in line else line


def _wide_lines(path: Path, encoding: str) -> Iterator[str | BadLine]:
    """A file with two bytes a sign."""
    reader = codecs.getreader(encoding)
    with path.open("rb") as file:
        text = reader(file, "replace")
        for number in _from_one():
            try:
                line = text.readline(LONGEST)
            except UnicodeError:
                yield BadLine(number, _("The file is damaged from here on."))
                return
            if not line:
                return
            if len(line) >= LONGEST:
                yield too_long(number)
                return
            yield line.removeprefix(_MARK).replace("\0", "")


def _from_one() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


def too_long(line: int) -> BadLine:
    return BadLine(line, _("This line is too long to be one; nothing after it was read."))
