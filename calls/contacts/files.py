"""Files of contacts, as rows of text: CSV, Excel and vCard; bounded, and refused in words."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from django.utils.translation import gettext as _

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 60
_MAX_UNPACKED: Final = 80 * 1024 * 1024  # of an Excel file, which is a compressed one
_SEPARATORS: Final = (",", ";", "\t")
_CARD: Final = re.compile(r"^BEGIN:VCARD\s*?$.*?^END:VCARD\s*?$", re.I | re.M | re.S)


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
    if not found:
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
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile(_("This is an old Excel file. Save it as .xlsx and try again."))
    text = _decoded(data)
    if text.lstrip()[:11].upper() == "BEGIN:VCARD":
        return "vcf", _card_rows(text)
    return "csv", _csv_rows(text)


def _clean(value: Any) -> str:
    return str(value).replace("\x00", "").strip()


# --- CSV ----------------------------------------------------------------------------------------


def _decoded(data: bytes) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else Windows-1252, as Excel writes."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise UnreadableFile(_("This is no CSV, Excel or vCard file, or it is damaged."))


def _csv_rows(text: str) -> Iterator[list[str]]:
    named = re.match(r"sep=(.)\r?\n", text)  # Excel's own hint
    separator = named[1] if named else _separator_of(text)
    lines = io.StringIO(text[named.end() :] if named else text, newline="")
    try:
        for row in csv.reader(lines, delimiter=separator):
            yield [_clean(cell) for cell in row]
    except csv.Error as error:
        raise UnreadableFile(_("This is no CSV, Excel or vCard file, or it is damaged.")) from error


def _separator_of(text: str) -> str:
    """The one that divides the first lines into most columns, in as many lines as can be."""
    lines = text[:20_000].splitlines()[:20]

    def yield_of(separator: str) -> int:
        return sum(len(row) - 1 for row in csv.reader(lines, delimiter=separator))

    return max(_SEPARATORS, key=yield_of)


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
            rows = ([_cell(value) for value in row] for row in sheet.iter_rows(values_only=True))
            found = list(islice(rows, MAX_ROWS + 2))
            if any(map(any, found)):
                yield from found
                return
    except UnreadableFile:
        raise
    except Exception as error:  # openpyxl raises whatever a damaged part of the file provokes
        raise UnreadableFile(_("This Excel file is damaged or protected.")) from error


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a telephone number that Excel took for one
    return _clean(value)


# --- vCard --------------------------------------------------------------------------------------


def _card_rows(text: str) -> Iterator[list[str]]:
    """A head of our own, then name, number, company and id of each card."""
    yield ["name", "phone", "company", "reference"]
    for card in _CARD.finditer(text):
        yield _card_row(card[0])


def _card_row(text: str) -> list[str]:
    import vobject

    try:
        card = vobject.readOne(text, allowQP=True)
    except Exception:  # vobject raises many kinds; the row then fails for want of a name
        return ["", "", "", text[:60].strip()]
    return [
        _name_of(card),
        _number_of(card.contents.get("tel", ())),
        _organisation_of(card),
        _clean(card.contents["uid"][0].value) if "uid" in card.contents else "",
    ]


def _name_of(card: Any) -> str:
    if "fn" in card.contents and _clean(card.fn.value):
        return _clean(card.fn.value)
    if "n" in card.contents:
        return " ".join(filter(None, (_clean(card.n.value.given), _clean(card.n.value.family))))
    return ""


def _number_of(numbers: Iterable[Any]) -> str:
    """The number the card prefers, else a mobile, else the first."""

    def rank(number: Any) -> int:
        kinds = {kind.upper() for kind in number.params.get("TYPE", ())} | set(number.params)
        return 0 if "PREF" in kinds else 1 if "CELL" in kinds else 3 if "FAX" in kinds else 2

    best = min(numbers, key=rank, default=None)
    return "" if best is None else _clean(best.value).removeprefix("tel:")


def _organisation_of(card: Any) -> str:
    value = card.org.value if "org" in card.contents else ""
    return _clean(value if isinstance(value, str) else next(iter(value), ""))
