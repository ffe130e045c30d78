"""Rows of a file as contacts: whose name, which numbers, and what is wrong with a row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from calls.contacts import columns
from calls.contacts.number_kinds import is_preferred, kind_of
from calls.models import ContactImport, NumberKind
from calls.models.contact_number import Numbered
from common.phones import line_of_e164, to_e164
from common.text import folded

_LENGTHS: Final = {"name": 120, "company": 120, "external_id": 100}
_NAME_PARTS: Final = ("name", "middle_name", "surname", "second_surname", "suffix")
_FORMULA: Final = ("'=", "'+", "'-", "'@")  # how a spreadsheet's file defuses what begins so
_GOOGLE: Final = " ::: "  # stands between several values in one cell
_BETWEEN: Final = re.compile(r"[;,/|\n]| y | and | o | or ")  # numbers that people put in one cell
_LONGEST_CELL: Final = 400  # characters in which several numbers are looked for
_SHOWN_UNREADABLE: Final = 5  # of one row
_MOST_IN_A_CELL: Final = 50  # numbers that are looked at
_SHORTEST: Final = 7  # digits of a number beside another in one cell

Fault = tuple[int, str]  # row, sentence


@dataclass(frozen=True)
class Entry:
    """One row that makes sense."""

    row: int
    name: str
    numbers: tuple[Numbered, ...]  # in E.164, the preferred one first; no line twice
    company: str
    external_id: str

    @property
    def phone(self) -> str:
        """The preferred number."""
        return self.numbers[0][0]

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Its numbers, each with its kind for reading; "" where that is not known."""
        return [
            (number, "" if kind == NumberKind.OTHER else str(NumberKind(kind).label))
            for number, kind in self.numbers
        ]

    @cached_property
    def lines(self) -> list[str]:
        """What its numbers are compared by, the preferred one's first."""
        return [line_of_e164(number) for number, _kind in self.numbers]

    @cached_property
    def words(self) -> frozenset[str]:
        """Its name, for `is_alike`."""
        return name_words(self.name)


def name_words(name: str) -> frozenset[str]:
    """The words of a name, without capitals and accents."""
    return frozenset(re.findall(r"\w+", folded(name))) or frozenset([name])


def is_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two names (`name_words`) can be one person's: one says no more than the other."""
    return one <= other or other <= one


@dataclass(frozen=True)
class Reading:
    """The rows of a file as its mapping reads them."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)  # of rows that make no sense
    remarks: list[Fault] = field(default_factory=list)  # what of the others cannot be taken


def read(what: ContactImport) -> Reading:
    """Reads the rows of an import; asks nothing of the database."""
    reader, made = _Reader(what), Reading()
    for row, cells in enumerate(what.rows, start=what.first_row):
        said = reader.said(cells)
        numbers, unreadable = reader.numbers(cells)
        wrong = _faults(said, numbers, unreadable)
        if wrong:
            made.faults.extend((row, sentence) for sentence in wrong)
            continue
        made.remarks.extend((row, sentence) for sentence in _remarks(numbers, unreadable))
        entry = Entry(
            row=row,
            name=_name(said),
            numbers=tuple(numbers[: columns.MAX_NUMBERS]),
            company=said["company"],
            external_id=said["external_id"],
        )
        made.entries.append(entry)
    return made


def _remarks(numbers: Sequence[Numbered], unreadable: Sequence[str]) -> Iterator[str]:
    for text in unreadable:
        yield _("Without “%(text)s”, which is not a phone number.") % {"text": text}
    if len(numbers) > columns.MAX_NUMBERS:
        yield _("Only the first %(most)d numbers are kept.") % {"most": columns.MAX_NUMBERS}


def _name(said: dict[str, str]) -> str:
    """The whole name, else its parts; a company without a person is called by its own name."""
    return said["whole_name"] or _joined(said) or said["company"] or said["nickname"]


def _joined(said: dict[str, str]) -> str:
    """The parts of a name. Some programs put the whole name beside the surname, which is not said
    twice then."""
    name = ""
    for part in filter(None, map(said.__getitem__, _NAME_PARTS)):
        if not name.casefold().endswith(f" {part.casefold()}"):
            name = f"{name} {part}".strip()
    return name


def _faults(
    said: dict[str, str], numbers: Sequence[Numbered], unreadable: Sequence[str]
) -> list[str]:
    """What is wrong with a row, in words."""
    name = _name(said)
    wrong = []
    if not name:
        wrong.append(_("The name is missing."))
    if not numbers and not unreadable:
        wrong.append(_("The phone number is missing."))
    elif not numbers:
        wrong += [_("“%(text)s” is not a phone number.") % {"text": text} for text in unreadable]
    for key, most in _LENGTHS.items():
        if len(name if key == "name" else said[key]) > most:
            wrong.append(
                _("%(field)s is too long: at most %(most)d characters.")
                % {"field": columns.FIELDS[key], "most": most}
            )
    return wrong


# --- Cells --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _NumberColumn:
    place: int
    kind: str  # of all its numbers, if its label does not tell
    label: int | None  # the column that tells it row by row
    is_numbered: bool


class _Reader:
    """Reads the cells of a row by the mapping of the import."""

    def __init__(self, what: ContactImport):
        mapping = what.mapping
        self._fields = {
            field: int(mapping[field]) if field in mapping else -1
            for field in columns.FIELDS
            if field != "phone"
        }
        self._numbers = [
            _number_column(what.head, int(mapping[field]), mapping.get(f"{field}_kind", ""))
            for field in columns.number_fields(columns.MAX_NUMBERS)
            if field in mapping
        ]

    def said(self, row: Sequence[str]) -> dict[str, str]:
        """Field -> what the row says, "" for nothing, for all fields but the numbers."""
        return {field: _one_line(_cell(row, place)) for field, place in self._fields.items()}

    def numbers(self, row: Sequence[str]) -> tuple[list[Numbered], list[str]]:
        """The numbers in E.164, the preferred one first; and the beginning of what stands in
        their place and is none. A fax comes first only if somebody has put it there."""
        found: list[_Found] = []
        unreadable = []
        for column in self._numbers:
            label = "" if column.label is None else _cell(row, column.label)
            kind = column.kind or kind_of(label)
            rank = 0 if is_preferred(label) else 2 if _is_stray_fax(column, kind) else 1
            for text in _several(_cell(row, column.place)):
                number = to_e164(text)
                if number:
                    found.append(_Found(rank, number, kind))
                else:
                    unreadable.append(text[:40])
        return _distinct(found), unreadable[:_SHOWN_UNREADABLE]


class _Found(NamedTuple):
    rank: int  # the least is the preferred one
    number: str  # E.164
    kind: str


def _distinct(found: Sequence[_Found]) -> list[Numbered]:
    """The numbers, the preferred one first, without those whose line came before; of two on a line
    that which knows its kind tells it."""
    first = min(found, key=lambda one: one.rank, default=None)
    kept: dict[str, Numbered] = {}
    for one in () if first is None else (first, *found):
        line = line_of_e164(one.number)
        number, kind = kept.setdefault(line, (one.number, one.kind))
        if kind == NumberKind.OTHER:
            kept[line] = (number, one.kind)
    return list(kept.values())


def _number_column(head: Sequence[str], place: int, kind: str) -> _NumberColumn:
    name = head[place] if place < len(head) else ""
    label = None if kind or not name else columns.label_of(head, place)
    told = kind_of(name)
    if not kind and (label is None or told != NumberKind.OTHER):
        kind = told
    return _NumberColumn(place, kind, label, columns.is_numbered(name))


def _is_stray_fax(column: _NumberColumn, kind: str) -> bool:
    return column.is_numbered and kind == NumberKind.FAX


def _cell(row: Sequence[str], place: int) -> str:
    cell = row[place] if 0 <= place < len(row) else ""
    return cell[1:] if cell.startswith(_FORMULA) else cell


def _one_line(cell: str) -> str:
    return " ".join(cell.split(_GOOGLE)[0].split())


def _several(cell: str) -> list[str]:
    """The numbers that stand in one cell: Google's separator, or what people put between."""
    found: list[str] = []
    parts = map(str.strip, cell.split(_GOOGLE.strip(), _MOST_IN_A_CELL)[:_MOST_IN_A_CELL])
    for part in filter(None, parts):
        pieces = _BETWEEN.split(part) if len(part) <= _LONGEST_CELL else []
        numbers = [piece.strip() for piece in pieces if piece.strip()]
        found += numbers if len(numbers) > 1 and all(map(_is_whole, numbers)) else [part]
    return found


def _is_whole(text: str) -> bool:
    """Whether text alone is a number, no extension of another."""
    return sum(map(str.isdigit, text)) >= _SHORTEST and bool(to_e164(text))
