"""Contacts as a file that a spreadsheet, an address book or this site's own import reads."""

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import IO, Any, Final

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from calls.contacts.columns import FIELDS
from calls.models import Contact
from calls.models.contact import ContactQuerySet
from common.spreadsheets import harmless

_CHUNK: Final = 2000
_COLUMNS: Final = ("name", "phone", "company", "external_id")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel does not read UTF-8
_WIDTHS: Final = (32, 20, 28, 20, 16)


def _head() -> list[str]:
    return [str(FIELDS[name]) for name in _COLUMNS] + [_("Team")]


def _rows(contacts: ContactQuerySet) -> Iterator[list[str]]:
    found = contacts.order_by("name_key", "pk").values_list(*_COLUMNS, "team__name")
    for row in found.iterator(chunk_size=_CHUNK):
        yield [cell or "" for cell in row]


def csv_of(contacts: ContactQuerySet) -> Iterator[str]:
    """The file in parts; the separator is the one that the reader's Excel expects."""
    separator = ";" if (get_language() or "").startswith("es") else ","
    yield _BYTE_ORDER_MARK
    part = io.StringIO()
    writer = csv.writer(part, delimiter=separator)
    writer.writerow(_head())
    for number, row in enumerate(_rows(contacts), start=1):
        writer.writerow(map(harmless, row))
        if number % _CHUNK == 0:
            yield part.getvalue()
            part.seek(0)
            part.truncate()
    yield part.getvalue()


def excel_of(contacts: ContactQuerySet) -> IO[bytes]:
    """A workbook in constant memory; every cell is text, so that none is a formula."""
    import xlsxwriter  # large, and seldom needed

    file = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
    book = xlsxwriter.Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet(_("Contacts"))
    sheet.freeze_panes(1, 0)
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    _write(sheet, 0, _head(), book.add_format({"bold": True}))
    last = 0
    for row in _rows(contacts):
        last += 1
        _write(sheet, last, row)
    sheet.autofilter(0, 0, last, len(_WIDTHS) - 1)
    book.close()
    file.seek(0)
    return file


def _write(sheet: Any, number: int, cells: list[str], style: Any = None) -> None:
    for column, cell in enumerate(cells):
        sheet.write_string(number, column, cell, style)


def cards_of(contacts: ContactQuerySet) -> Iterator[str]:
    """vCard 3.0 (RFC 2426), one card a contact."""
    for contact in contacts.order_by("name_key", "pk").iterator(chunk_size=_CHUNK):
        yield "".join(f"{_folded_line(line)}\r\n" for line in _card(contact))


def _card(contact: Contact) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:3.0"
    yield f"FN:{_escaped(contact.name)}"
    yield f"N:{_escaped(contact.name)};;;;"
    yield f"TEL:{_escaped(contact.phone)}"
    if contact.company:
        yield f"ORG:{_escaped(contact.company)}"
    if contact.external_id:
        yield f"UID:{_escaped(contact.external_id)}"
    yield "END:VCARD"


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def _folded_line(line: str) -> str:
    """Lines of at most 75 octets, going on after a space; no character is cut."""
    parts, part = [], ""
    for char in line:
        if len((part + char).encode()) > 74:
            parts.append(part)
            part = ""
        part += char
    return "\r\n ".join([*parts, part])
