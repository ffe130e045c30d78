"""Tables of people or teams that are sorted by any column (in the URL) and compared fairly."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.functional import Promise

from common.text import name_key
from metrics.dashboard.comparison import Judgement, Sample, judge
from metrics.definitions import EXPLAINED, Sums
from metrics.entries import Figure

MOST_ROWS: Final = 50  # on one page; `rows=all` shows the rest


class ComparedRow(Protocol):
    """What a table compares: somebody with a name and sums."""

    @property
    def name(self) -> str: ...
    @property
    def sums(self) -> Sums: ...


ComparedRowT = TypeVar("ComparedRowT", bound=ComparedRow)


@dataclass(frozen=True)
class Column:
    """`name` is what the URL says: `sort=name` ascending, `sort=-name` descending."""

    name: str
    label: str | Promise
    title: str | Promise = ""
    is_number: bool = True


def _column_of(figure: Figure) -> Column:
    return Column(figure.name, figure.short_label, figure.sentence if figure.is_short else "")


SUM_COLUMNS: Final = tuple(map(_column_of, EXPLAINED))
_FIGURES: Final = {figure.name: figure for figure in EXPLAINED}


@dataclass(frozen=True)
class Heading:
    """A column's head: a link that sorts by it, or the other way round."""

    column: Column
    query: str
    order: str  # ascending, descending, or "" where the table is sorted by another column


@dataclass(frozen=True)
class JudgedRow:
    row: Any
    judgement: Judgement


@dataclass(frozen=True)
class Cut:
    """As many lines as a page shows at first."""

    lines: list[Any]
    hidden: int  # lines that are not shown
    all_query: str  # the page with all of them


@dataclass(frozen=True)
class Table(Cut):
    headings: list[Heading]


def cut(lines: list[Any], query: QueryDict) -> Cut:
    """The first of `lines`; all of them where `query` says so."""
    shown = lines if query.get("rows") == "all" else lines[:MOST_ROWS]
    return Cut(shown, len(lines) - len(shown), _with(query, rows="all"))


def table_of(rows: Iterable[ComparedRowT], columns: Iterable[Column], query: QueryDict) -> Table:
    """`rows` as `query` sorts them, by name at first. Raises BadRequest for an unknown column."""
    columns, rows = list(columns), list(rows)
    wanted = query.get("sort") or columns[0].name
    name = wanted.removeprefix("-")
    if name not in {column.name for column in columns}:
        raise BadRequest
    rows.sort(key=lambda row: name_key(row.name))
    if name != columns[0].name or wanted.startswith("-"):
        rows.sort(key=lambda row: _value(row, name), reverse=wanted.startswith("-"))
    judgements = judge(dict(enumerate(map(sample_of, rows))))
    lines = [JudgedRow(row, judgements[place]) for place, row in enumerate(rows)]
    headings = [_heading(column, wanted, query) for column in columns]
    return Table(**vars(cut(lines, query)), headings=headings)


def _value(row: ComparedRowT, name: str) -> Any:
    """What a column sorts by. Averages and the like over no calls go behind all others."""
    if name in _FIGURES:
        return (_FIGURES[name].has_value(row.sums), _FIGURES[name].of(row.sums))
    value = getattr(row, name)
    return name_key(value) if isinstance(value, str) else value


def _heading(column: Column, wanted: str, query: QueryDict) -> Heading:
    """The first click on a number sorts the highest to the top, as people expect."""
    orders = {column.name: "ascending", f"-{column.name}": "descending"}
    first = f"-{column.name}" if column.is_number else column.name
    second = column.name if column.is_number else f"-{column.name}"
    return Heading(
        column, _with(query, sort=second if wanted == first else first), orders.get(wanted, "")
    )


def _with(query: QueryDict, **parameters: str) -> str:
    changed = query.copy()
    for name, value in parameters.items():
        changed[name] = value
    return changed.urlencode()


def sample_of(row: ComparedRow) -> Sample:
    sums = row.sums
    return Sample(sums.calls_made, sums.calls_success, sums.total_talk_time, sums.talk_squares)
