"""Contacts as a file that a spreadsheet, an address book or this site's own import reads."""

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import IO, Any, Final

from django.db.models import Max
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from calls.contacts.columns import FIELDS
from calls.models import Contact, ContactNumber, NumberKind
from calls.models.contact import ContactQuerySet
from calls.models.contact_number import Numbered
from common.spreadsheets import harmless

_CHUNK: Final = 2000
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it, Excel does not read UTF-8
_WIDTHS: Final = (32, 20, 28, 20, 16)
_WIDTH_OF_NUMBERS: Final = 16
_CARD_TYPES: Final = {
    NumberKind.MOBILE: ["CELL"],
    NumberKind.WORK: ["WORK", "VOICE"],
    NumberKind.HOME: ["HOME", "VOICE"],
    NumberKind.MAIN: ["MAIN"],
    NumberKind.FAX: ["FAX"],
}


class _Table:
    """Contacts as rows of text: the preferred number among the first columns, the kinds and the
    other numbers after them, in as many columns as the contacts need."""

    def __init__(self, contacts: ContactQuerySet):
        self._contacts = contacts
        numbers = ContactNumber.objects.filter(contact__in=contacts.order_by())
        self._numbers = (numbers.aggregate(last=Max("position"))["last"] or 0) + 1
        self._has_kinds = (
            self._numbers > 1 or numbers.exclude(kind=NumberKind.OTHER).order_by().exists()
        )

    @property
    def head(self) -> list[str]:
        named = [str(FIELDS[name]) for name in ("name", "phone", "company", "external_id")]
        head = [*named, _("Team")]
        if self._has_kinds:
            head.append(_("Phone type"))
        for place in range(2, self._numbers + 1):
            head += [_("Phone {n}").format(n=place), _("Phone {n} type").format(n=place)]
        return head

    @property
    def rows(self) -> Iterator[list[str]]:
        width = 5 + 2 * self._numbers - 1 if self._has_kinds else 5
        for contact in _read(self._contacts.select_related("team")):
            (phone, kind), *others = _numbers_of(contact)
            team = contact.team.name if contact.team else ""
            row = [contact.name, phone, contact.company, contact.external_id, team, _label(kind)]
            row += [cell for number, kind in others for cell in (number, _label(kind))]
            yield (row + [""] * (width - len(row)))[:width]


def _read(contacts: ContactQuerySet) -> Iterator[Contact]:
    found = contacts.prefetch_related("numbers").order_by("name_key", "pk")
    return found.iterator(chunk_size=_CHUNK)


def _numbers_of(contact: Contact) -> list[Numbered]:
    return contact.numbered or [(contact.phone, NumberKind.OTHER)]


def _label(kind: str) -> str:
    return "" if kind == NumberKind.OTHER else str(NumberKind(kind).label)


def csv_of(contacts: ContactQuerySet) -> Iterator[str]:
    """The file in parts; the separator is the one that the reader's Excel expects."""
    separator = ";" if (get_language() or "").startswith("es") else ","
    yield _BYTE_ORDER_MARK
    part = io.StringIO()
    writer = csv.writer(part, delimiter=separator)
    table = _Table(contacts)
    writer.writerow(table.head)
    for number, row in enumerate(table.rows, start=1):
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
    table = _Table(contacts)
    for column in range(len(table.head)):
        width = _WIDTHS[column] if column < len(_WIDTHS) else _WIDTH_OF_NUMBERS
        sheet.set_column(column, column, width)
    _write(sheet, 0, table.head, book.add_format({"bold": True}))
    last = 0
    for row in table.rows:
        last += 1
        _write(sheet, last, row)
    sheet.autofilter(0, 0, last, len(table.head) - 1)
    book.close()
    file.seek(0)
    return file


def _write(sheet: Any, number: int, cells: list[str], style: Any = None) -> None:
    for column, cell in enumerate(cells):
        sheet.write_string(number, column, cell, style)


def cards_of(contacts: ContactQuerySet) -> Iterator[str]:
    """vCard 3.0 (RFC 2426), one card a contact."""
    for contact in _read(contacts):
        yield "".join(f"{_folded_line(line)}\r\n" for line in _card(contact))


def _card(contact: Contact) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:3.0"
    yield f"FN:{_escaped(contact.name)}"
    if contact.name == contact.company:  # nobody is called so
        yield "N:;;;;"
        yield "X-ABSHOWAS:COMPANY"
    else:
        yield f"N:{_escaped(contact.name)};;;;"
    yield from _telephones(contact)
    if contact.company:
        yield f"ORG:{_escaped(contact.company)}"
    if contact.external_id:
        yield f"UID:{_escaped(contact.external_id)}"
    yield "END:VCARD"


def _telephones(contact: Contact) -> Iterator[str]:
    numbers = _numbers_of(contact)
    for place, (number, kind) in enumerate(numbers):
        types = list(_CARD_TYPES.get(NumberKind(kind), ()))
        if place == 0 and len(numbers) > 1:
            types.append("PREF")
        yield f"TEL{';TYPE=' if types else ''}{','.join(types)}:{_escaped(number)}"


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
