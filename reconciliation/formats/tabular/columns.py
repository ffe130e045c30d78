"""Which column of a table holds what: by its name, in English and Spanish, or by its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.timeline.end_words import plain
from reconciliation.formats.base import Reading
from reconciliation.formats.files import Row, Table

# What a column can be, and what people read.
LABELS: Final[Mapping[str, Any]] = {
    "start": gettext_lazy("Start (date and time)"),
    "time": gettext_lazy("Time of day, if it has a column of its own"),
    "answered": gettext_lazy("Answered"),
    "end": gettext_lazy("End"),
    "duration": gettext_lazy("Duration, ring included"),
    "talk": gettext_lazy("Talk time"),
    "ring": gettext_lazy("Ring time"),
    "hold": gettext_lazy("Hold time"),
    "status": gettext_lazy("Outcome"),
    "reason": gettext_lazy("Reason"),
    "direction": gettext_lazy("Direction"),
    "agent": gettext_lazy("Agent"),
    "extension": gettext_lazy("Extension"),
    "email": gettext_lazy("Email"),
    "number": gettext_lazy("Number of the other side"),
    "from": gettext_lazy("From"),
    "to": gettext_lazy("To"),
    "call": gettext_lazy("ID of the call"),
    "conversation": gettext_lazy("ID of the whole call, if it has several parts"),
    "price": gettext_lazy("Price"),
    "currency": gettext_lazy("Currency"),
}
LENGTHS: Final = ("duration", "talk", "ring", "hold")
_HEAD_AMONG: Final = 40  # rows; above a head there may be a title


@dataclass(frozen=True)
class Layout:
    """How a table is laid out: the names of its columns, in which line they stand (0: nowhere), and
    which place holds what."""

    head: list[str]
    line: int
    columns: Mapping[str, int]

    @property
    def width(self) -> int:
        return len(self.head)

    def chosen(self) -> dict[str, str | int]:
        """What holds what, by its name where that is the only one, else by its place."""
        return {
            field: self.head[place] if self.line and self._is_unique(place) else place
            for field, place in self.columns.items()
        }

    def _is_unique(self, place: int) -> bool:
        name = self.head[place]
        return bool(name) and self.head.count(name) == 1


def layout_of(
    table: Table,
    reading: Reading,
    heads: Mapping[str, Sequence[str]],
    unnamed: Callable[[Sequence[Row]], Mapping[str, int]],
) -> Layout:
    """By what `reading` says, and for what it does not say by what the columns are called; where
    they have no names, by `unnamed`."""
    given = reading.get("columns")
    columns: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    known = {plain(name) for names in heads.values() for name in names}
    named = {plain(str(one)) for one in columns.values() if isinstance(one, str)}
    row = _head_row(table.sample, named or known)
    if row is None:
        width = max(len(one.cells) for one in table.sample[:_HEAD_AMONG])
        head = [_("Column %(n)d") % {"n": n} for n in range(1, width + 1)]
        return Layout(head, 0, _placed(columns, head) if given else unnamed(table.sample))
    if given:
        return Layout(row.cells, row.line, _placed(columns, row.cells))
    return Layout(row.cells, row.line, guess(row.cells, heads))


def _head_row(rows: Sequence[Row], names: set[str]) -> Row | None:
    """The first row of those that have most of the names; a head has no digits alone."""
    counts = [
        (len(names & {plain(cell) for cell in row.cells}), -place)
        for place, row in enumerate(rows[:_HEAD_AMONG])
    ]
    found, place = max(counts)
    if not found and not _is_head(rows[0].cells):
        return None
    return rows[-place] if found else rows[0]


def _is_head(cells: Sequence[str]) -> bool:
    """Whether a row of which nothing is known names columns: nobody does with digits."""
    return len(cells) > 1 and not any(any(map(str.isdigit, cell)) for cell in cells)


def guess(head: Sequence[str], heads: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Field -> place, for those that are called just so, the likelier names first; then for those
    whose name has such a word in it."""
    called = [plain(cell) for cell in head]
    found: dict[str, int] = {}
    for fits in (str.__eq__, _begins):
        for field, names in heads.items():
            if field not in found:
                taken = set(found.values())
                hits = (
                    place
                    for name in names
                    for place, cell in enumerate(called)
                    if place not in taken and fits(cell, plain(name))
                )
                place = next(hits, None)
                if place is not None:
                    found[field] = place
    return found


def _begins(cell: str, name: str) -> bool:
    """`Duration (seconds)` is a duration; a short name is none of a longer one's."""
    return len(name) > 4 and cell.startswith(name)


def _placed(columns: Mapping[str, Any], head: Sequence[str]) -> dict[str, int]:
    """Field -> place, of those columns that are there."""
    called = [plain(cell) for cell in head]
    found = {field: _place(one, head, called) for field, one in columns.items() if one != ""}
    return {field: place for field, place in found.items() if place is not None}


def _place(column: Any, head: Sequence[str], called: Sequence[str]) -> int | None:
    if isinstance(column, str) and column in head:
        return list(head).index(column)
    if isinstance(column, str) and plain(column) in called:
        return called.index(plain(column))
    if isinstance(column, int) or (isinstance(column, str) and column.isdecimal()):
        return int(column) if 0 <= int(column) < len(head) else None
    return None
