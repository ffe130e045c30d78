"""Calls as columns of plain values, without an object a call: for long lists and files.

No driver makes an object of an instant or an id: they come as text and are cut to the API's form
here, a whole column at a time. So a list and a file cannot write the same call in two ways, and
the two engines cannot either.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import Func

from calls.models.readers import Reader, ReadRow
from common.instants import UTC

Cells = Sequence[Any]
_WHOLE: Final = len("2026-01-31 13:45:00.123456")
_DIGITS: Final = 32
PART: Final = 200  # rows
ALWAYS: Final = ("user_id", "start_time", "id")  # whose call it is, and where a list goes on


class AsStored(Func):
    """A column as text: an instant as SQLite stores it, `2026-01-31 13:45:00.123456` in UTC; an id
    as its digits."""

    template = "CAST(%(expressions)s AS text)"
    arity = 1

    def __init__(self, field: str):
        super().__init__(field, output_field=models.TextField())

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        if not isinstance(self.get_source_expressions()[0].output_field, models.DateTimeField):
            return self.as_sql(compiler, connection, **context)
        written = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return self.as_sql(compiler, connection, template=written, **context)


class Rows:
    """Some calls in their order: `rows["status"]` are the statuses of all of them.

    An instant is text as the API writes it (`common.instants.isoformat`), a UUID text with hyphens.
    """

    def __init__(self, model: type[ReadRow], fields: Iterable[str]):
        self._model = model
        self._cells: dict[str, list[Any]] = {field: [] for field in fields}
        self._writers = [_writer(model, field) for field in self._cells]
        self._last: dict[str, Any] = {}
        self._size = 0
        self.more = False  # whether others follow, where only so many were asked for

    def read(self, parts: Iterable[Sequence[Cells]], most: int | None) -> None:
        """Takes over at most `most` of the rows that come in `parts`; one more says that there are
        others."""
        for found in parts:
            part = found if most is None else found[: most - self._size]
            self.more = len(part) < len(found)
            if part:
                self._take(part)

    def _take(self, part: Sequence[Cells]) -> None:
        columns = zip(*part, strict=True)
        for kept, write, cells in zip(self._cells.values(), self._writers, columns, strict=True):
            kept += write(cells) if write else cells
        self._last = dict(zip(self._cells, part[-1], strict=True))
        self._size += len(part)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, field: str) -> Cells:
        return self._cells[field]

    def show_to(self, reader: Reader) -> None:
        """Blanks what `reader` may not read."""
        for field in reader.limits.keys() & self._cells.keys():
            agents, blank = reader.limits[field], self._model.blanks([field])[field]
            cells = zip(self["user_id"], self[field], strict=True)
            self._cells[field] = [cell if agent in agents else blank for agent, cell in cells]

    @property
    def last(self) -> tuple[dt.datetime, int]:
        """Start and key of the last of them, to the microsecond: older calls follow there."""
        start = dt.datetime.fromisoformat(self._last["start_time"])
        return start.replace(tzinfo=UTC), self._last["id"]


def names_of(fields: Iterable[str]) -> list[str]:
    """The columns that Rows with `fields` have."""
    return list(dict.fromkeys((*fields, *ALWAYS)))


def selected(model: type[models.Model], field: str) -> str | AsStored:
    """What the database is asked for, so that it answers `field` as Rows take it."""
    return AsStored(field) if _writer(model, field) else field


def in_parts(asked: models.QuerySet[Any, Any]) -> Iterator[list[tuple[Any, ...]]]:
    """What the driver gives for these values, past Django's loop over them. Parts are so small that
    the memory of one serves the next and nothing is left for the collector of garbage to walk."""
    try:
        sql, values = asked.query.get_compiler(using=asked.db).as_sql()
    except EmptyResultSet:
        return
    with connections[asked.db].cursor() as cursor:
        cursor.execute(sql, values)
        while part := cursor.fetchmany(PART):
            yield part


def _writer(model: type[models.Model], field: str) -> Callable[[Cells], Cells] | None:
    """What makes of a column of instants or ids what the API writes; None for all others."""
    return None if "__" in field else _WRITERS.get(type(model._meta.get_field(field)))


def _instants(cells: Cells) -> Cells:
    return [
        cell and (f"{cell[:10]}T{cell[11:23]}Z" if len(cell) == _WHOLE else _padded(cell))
        for cell in cells
    ]


def _padded(cell: str) -> str:
    """SQLite has no fraction where it is zero."""
    return f"{cell[:10]}T{cell[11:19]}.{cell[20:23]:0<3}Z"


def _ids(cells: Cells) -> Cells:
    if len(cells[0]) != _DIGITS:
        return cells  # PostgreSQL writes the hyphens itself
    return [f"{c[:8]}-{c[8:12]}-{c[12:16]}-{c[16:20]}-{c[20:]}" for c in cells]


_WRITERS: Final[dict[type, Callable[[Cells], Cells]]] = {
    models.DateTimeField: _instants,
    models.UUIDField: _ids,
}
