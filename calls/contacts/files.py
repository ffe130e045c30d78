"""Files of contacts, as rows of text: CSV, Excel and vCard; bounded, and refused in words."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.utils.translation import gettext as _

from calls.contacts import vcard
from calls.contacts.columns import has_head
from common.tables import OLD_EXCEL, cell_of, clean, decoded_line, separator_of, wide_encoding

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 300  # Google writes more than 90
_MAX_UNPACKED: Final = 80 * 1024 * 1024  # of an Excel file, which is a compressed one


class UnreadableFile(Exception):
    """A file that cannot be taken; the message is for whoever sent it."""


@dataclass(frozen=True)
class Sheet:
    """What a file holds: all cells as text, every row as long as the longest. Without a head, the
    first row is one of the others."""

    kind: str  # csv, xlsx or vcf
    rows: list[list[str]]


def read(data: bytes) -> Sheet:
    """The rows of `data`, whatever its kind. UnreadableFile says what is wrong with it."""
    if len(data) > MAX_BYTES:
        raise UnreadableFile(
            _("The file is too large: at most %(mib)d MiB.") % {"mib": MAX_BYTES // 1024 // 1024}
        )
    kind, rows = _rows_of(data)
    found = [row[:MAX_COLUMNS] for row in islice(rows, MAX_ROWS + 2) if any(row)]
    if not found or (len(found) == 1 and has_head(found)):
        raise UnreadableFile(_("There is nothing in this file."))
    if len(found) > MAX_ROWS + 1:  # a head, and so many below it
        raise UnreadableFile(
            _("The file has too many rows: at most %(rows)d. Divide it.") % {"rows": MAX_ROWS}
        )
    width = max(map(len, found))
    return Sheet(kind, [row + [""] * (width - len(row)) for row in found])


def _rows_of(data: bytes) -> tuple[str, Iterator[list[str]]]:
    if data.startswith(b"PK"):
        return "xlsx", _excel_rows(data)
    if data.startswith(OLD_EXCEL):
        raise UnreadableFile(_("This is an old Excel file. Save it as .xlsx and try again."))
    text = _decoded(data)
    if text.lstrip()[:11].upper() == "BEGIN:VCARD":
        return "vcf", ([clean(cell) for cell in row] for row in vcard.rows_of(text, MAX_ROWS + 1))
    return "csv", _csv_rows(text)


# --- CSV ----------------------------------------------------------------------------------------


def _decoded(data: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16, else line by line: files that were put together, cut
    off or damaged at one place are not spoiled as a whole."""
    encoding = wide_encoding(data)
    if encoding:
        text = data.decode(encoding, "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "".join(map(decoded_line, data.splitlines(keepends=True)))
    if "\x00" in text:
        raise UnreadableFile(_("This is no CSV, Excel or vCard file, or it is damaged."))
    return text.removeprefix("\ufeff")


def _csv_rows(text: str) -> Iterator[list[str]]:
    named = re.match(r"sep=(.)\r?\n", text)  # Excel's own hint
    separator = named[1] if named else separator_of(text[:20_000].splitlines()[:20])
    lines = io.StringIO(text[named.end() :] if named else text, newline="")
    try:
        for row in csv.reader(lines, delimiter=separator):
            yield [clean(cell) for cell in row]
    except csv.Error as error:
        raise UnreadableFile(
            _("A cell of this file is much too long, or the file is damaged.")
        ) from error


# --- Excel --------------------------------------------------------------------------------------


def _excel_rows(data: bytes) -> Iterator[list[str]]:
    """The first sheet that has anything in it; formulas as what they last came to."""
    import openpyxl  # large, and seldom needed

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(member.file_size for member in packed.infolist()) > _MAX_UNPACKED:
                raise UnreadableFile(_("The file is too large once it is unpacked."))
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = ([cell_of(value) for value in row] for row in sheet.iter_rows(values_only=True))
            found = list(islice(rows, MAX_ROWS + 2))
            if any(map(any, found)):
                yield from found
                return
    except UnreadableFile:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part of the file provokes
        raise UnreadableFile(_("This Excel file is damaged or protected.")) from error
