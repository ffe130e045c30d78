"""Statements that every call needs, compiled once and then only filled in.

Django builds the text of a query anew each time, which costs more than the database needs to answer
it. The queries are Django's own: a `Prepared` keeps the text that Django made of a query set.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Field, Model, QuerySet
from django.db.models.query import get_related_populators

# Values that stand for a parameter while the text is made; no real query has them.
A_NUMBER = -9_223_372_036_854_775_807
A_TEXT = "\N{REPLACEMENT CHARACTER} a text"
A_UUID = uuid.UUID(int=1)
A_DAY = dt.date(1, 1, 1)
AN_INSTANT = dt.datetime(1, 1, 1, 0, 0, 1, tzinfo=dt.UTC)
ANOTHER_INSTANT = dt.datetime(1, 1, 1, 0, 0, 2, tzinfo=dt.UTC)

ModelT = TypeVar("ModelT", bound=Model)


def _adapted(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, dt.date):
        return connection.ops.adapt_datefield_value(value)
    if isinstance(value, uuid.UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


class Prepared:
    """A SELECT whose text is kept; `make` gives the query with the marks in place of values."""

    def __init__(self, make: Callable[[], QuerySet[Any]], *marks: Any):
        self._make = make
        self._marks = marks
        self._compiled: _Compiled | None = None

    def _statement(self) -> "_Compiled":
        if self._compiled is None:
            self._compiled = _Compiled(self._make(), self._marks)
        return self._compiled

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """The rows for `values`, one for each mark in order; as the driver gives them."""
        return self._statement().rows(values)

    def values(self, *values: Any) -> list[Sequence[Any]]:
        """The same, each column as its field has it in Python."""
        statement = self._statement()
        return statement.converted(statement.rows(values))

    def found(self, *values: Any) -> list[Any]:
        """The rows as instances of the query's model, with what it selects beside it."""
        statement = self._statement()
        return [statement.instance(row) for row in statement.converted(statement.rows(values))]


class _Compiled:
    def __init__(self, query: QuerySet[Any], marks: Sequence[Any]):
        compiler = query.query.get_compiler(connection=connection)
        self._sql, params = compiler.as_sql()
        adapted = [_adapted(mark) for mark in marks]
        # A parameter is a number of `values`, or a constant in a list of one.
        self._template = [adapted.index(p) if p in adapted else [p] for p in params]
        assert {t for t in self._template if isinstance(t, int)} == set(range(len(marks)))
        self._compiler = compiler
        self._converters = compiler.get_converters([column[0] for column in compiler.select])
        if (model := compiler.klass_info) is not None:
            first, last = model["select_fields"][0], model["select_fields"][-1] + 1
            self._model = model["model"]
            self._columns = slice(first, last)
            # By name and in this order: a row that is read in another is somebody else.
            self._names = [column[0].target.attname for column in compiler.select[first:last]]
            # The stubs are of a later Django.
            self._related = get_related_populators(  # type: ignore[call-arg]
                model, compiler.select, connection.alias
            )

    def rows(self, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        given = [_adapted(value) for value in values]
        params = [given[t] if isinstance(t, int) else t[0] for t in self._template]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def converted(self, rows: list[tuple[Any, ...]]) -> list[Sequence[Any]]:
        if not (rows and self._converters):
            return list(rows)
        return list(self._compiler.apply_converters(rows, self._converters))

    def instance(self, row: Sequence[Any]) -> Model:
        instance: Model = self._model.from_db(connection.alias, self._names, row[self._columns])
        for populator in self._related:
            populator.populate(row, instance)
        return instance


class PreparedWrites:
    """A model whose rows are inserted and updated by statements that are made once.

    `save`, its guards and its signals are Django's; only the last step is ours.
    """

    _meta: Any

    def _do_insert(
        self, manager: Any, using: Any, fields: Any, returning_fields: Any, raw: bool
    ) -> list[tuple[Any, ...]]:
        columns = tuple(field.column for field in fields)
        given = [
            _saved(f, getattr(self, f.attname) if raw else f.pre_save(self, True)) for f in fields
        ]
        sql = _insertion(
            self._meta.db_table, columns, tuple(field.column for field in returning_fields)
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, given)
            return cursor.fetchall() if returning_fields else []

    def _do_update(
        self, base_qs: Any, using: Any, pk_val: Any, values: list[Any], *forced: Any
    ) -> Any:
        columns = tuple(field.column for field, _model, _value in values)
        sql = _change(self._meta.db_table, columns, self._meta.pk.column)
        given = [_saved(field, value) for field, _model, value in values]
        with connection.cursor() as cursor:
            cursor.execute(sql, [*given, pk_val])
            return cursor.rowcount > 0


def _saved(field: "Field[Any, Any]", value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


@cache
def _insertion(table: str, columns: tuple[str, ...], returned: tuple[str, ...]) -> str:
    sql = _insert(table, columns)
    return f"{sql} RETURNING {_names(returned)}" if returned else sql


@cache
def _change(table: str, columns: tuple[str, ...], key: str) -> str:
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(column)} = %s" for column in columns)
    return f"UPDATE {quote(table)} SET {changes} WHERE {quote(key)} = %s"


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {connection.ops.quote_name(table)} ({_names(columns)}) VALUES ({marks})"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(map(connection.ops.quote_name, columns))


class Upsert:
    """Inserts a row of `model`, or replaces the one with the same `keys`."""

    def __init__(self, model: type[Model], keys: list[str], columns: list[str]):
        quote = connection.ops.quote_name
        changes = ", ".join(f"{quote(name)} = EXCLUDED.{quote(name)}" for name in columns)
        self._sql = (
            f"{_insert(model._meta.db_table, keys + columns)} "
            f"ON CONFLICT ({_names(keys)}) DO UPDATE SET {changes}"
        )

    def write(self, *values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [_adapted(value) for value in values])
