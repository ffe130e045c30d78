"""Tables in files, as text: what exports and spreadsheet programs write."""

import csv
from collections.abc import Iterable, Sequence
from typing import Any, Final

SEPARATORS: Final = (",", ";", "\t")
ZIPPED: Final = b"PK\x03\x04"  # an Excel file is a compressed one
OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"


def wide_encoding(data: bytes) -> str:
    """UTF-16, if it has its mark or if every other byte of its beginning is zero; "" for others."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = data[start:200:2]
        if len(half) > 3 and half.count(0) > 0.8 * len(half):
            return encoding
    return ""


def decoded_line(line: bytes) -> str:
    """A line as UTF-8, even a damaged one; one without any of it is Windows-1252, which Excel
    and Outlook write."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if line.decode("utf-8", "ignore").isascii():
        return line.decode("cp1252", "replace")
    return line.decode("utf-8", "replace")


def separator_of(lines: Sequence[str], separators: Iterable[str] = SEPARATORS) -> str:
    """The one that divides the first line into most columns; if that does not tell, the first
    lines. (In notes, commas are frequent.)"""

    def yield_of(separator: str) -> tuple[int, int]:
        widths = [len(row) - 1 for row in csv.reader(lines, delimiter=separator)]
        return next(filter(None, widths), 0), sum(widths)

    return max(separators, key=yield_of)


def clean(value: Any) -> str:
    return str(value).replace("\x00", "").strip()


def cell_of(value: Any) -> str:
    """A cell of a spreadsheet as text; instants as ISO 8601 writes them."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a telephone number that Excel took for one
    return clean(value)
