"""Statements that every call needs, compiled once and then only filled in.

Django builds the text of a query anew each time, which costs more than the database needs to answer
it. The queries are Django's own: a `Prepared` keeps the text that Django made of a query set.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import (
    BooleanField,
    CharField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    QuerySet,
    TextField,
)
from django.db.models.expressions import Combinable
from django.db.models.query import get_related_populators

# Values that stand for a parameter while the text is made; no real query has them.
A_NUMBER = -9_223_372_036_854_775_807
A_TEXT = "\N{REPLACEMENT CHARACTER} a text"
A_UUID = uuid.UUID(int=1)
A_DAY, ANOTHER_DAY = dt.date(1, 1, 1), dt.date(1, 1, 2)
AN_INSTANT = dt.datetime(1, 1, 1, 0, 0, 1, tzinfo=dt.UTC)
ANOTHER_INSTANT = dt.datetime(1, 1, 1, 0, 0, 2, tzinfo=dt.UTC)


def _database() -> Any:
    """This thread's connection itself: `django.db.connection` looks it up at every use."""
    return connections[DEFAULT_DB_ALIAS]


def _adapted(values: Iterable[Any], database: Any) -> list[Any]:
    return [
        value if type(value) in _AS_THEY_ARE else _adapted_one(value, database) for value in values
    ]


_AS_THEY_ARE: Final = {int, str, bool}


def _adapted_one(value: Any, database: Any) -> Any:
    if isinstance(value, dt.datetime):
        return database.ops.adapt_datetimefield_value(value)
    if isinstance(value, dt.date):
        return database.ops.adapt_datefield_value(value)
    if isinstance(value, uuid.UUID) and not database.features.has_native_uuid_field:
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

    def parts(self, *values: Any, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The same, `size` rows at a time."""
        return self._statement().parts(values, size)

    def values(self, *values: Any) -> list[Sequence[Any]]:
        """The same, each column as its field has it in Python."""
        statement = self._statement()
        return statement.converted(statement.rows(values))

    def found(self, *values: Any) -> list[Any]:
        """The rows as instances of the query's model, with what it selects beside it."""
        return [self.instance(row) for row in self.values(*values)]

    def instance(self, row: Sequence[Any]) -> Any:
        """The instance of one row that `values` gave; a new one each time."""
        return self._statement().instance(row)


class _Compiled:
    def __init__(
        self, query: QuerySet[Any], marks: Sequence[Any], before: str = "", after: str = ""
    ):
        database = _database()
        compiler = query.query.get_compiler(connection=database)
        sql, params = compiler.as_sql()
        adapted = _adapted(marks, database)
        # A parameter is a number of `values`, or a constant in a list of one.
        template: list[Any] = [adapted.index(p) if p in adapted else [p] for p in params]
        assert {t for t in template if isinstance(t, int)} == set(range(len(marks)))
        self._sql, self._template = database.with_constants(before + sql + after, template)
        self._compiler = compiler
        self._converters = compiler.get_converters([column[0] for column in compiler.select])

    def parts(self, values: Sequence[Any], size: int) -> Iterator[list[tuple[Any, ...]]]:
        with self._executed(values) as cursor:
            while part := cursor.fetchmany(size):
                yield part

    def rows(self, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._executed(values) as cursor:
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _executed(self, values: Sequence[Any]) -> Any:
        """A cursor that has run the statement; whoever asks closes it."""
        database = _database()
        given = _adapted(values, database)
        cursor = database.prepared_cursor()
        cursor.execute(self._sql, [given[t] if type(t) is int else t[0] for t in self._template])
        return cursor

    def converted(self, rows: list[tuple[Any, ...]]) -> list[Sequence[Any]]:
        if not (rows and self._converters):
            return list(rows)
        return list(self._compiler.apply_converters(rows, self._converters))

    def instance(self, row: Sequence[Any]) -> Model:
        model, columns, names, related = self._shape
        instance: Model = model.from_db(DEFAULT_DB_ALIAS, names, row[columns])
        for populator in related:
            populator.populate(row, instance)
        return instance

    @cached_property
    def _shape(self) -> tuple[type[Model], slice, list[str], list[Any]]:
        """How a row is a model: which, its columns, their names, and what comes with it."""
        select, info = self._compiler.select, self._compiler.klass_info
        columns = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        # By name and in this order: a row that is read in another is somebody else.
        names = [column[0].target.attname for column in select[columns]]
        # The stubs are of a later Django.
        related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        return info["model"], columns, names, related


class PreparedWrites:
    """A model whose rows are inserted and updated by statements that are made once.

    `save`, its guards and its signals are Django's; only the last step is ours.
    """

    _meta: Any
    _state: Any

    @classmethod
    def insert(cls, rows: Iterable[Any]) -> None:
        """Inserts new rows as `bulk_create` does: without signals, and without their keys."""
        fields = cls._meta.concrete_fields[1:]
        for row in rows:
            assert row.pk is None
            row._prepare_related_fields_for_save(operation_name="insert")
            row._do_insert(None, None, fields, (), False)
            row._state.adding = False

    @classmethod
    def rewrite(cls, rows: Iterable[Any], names: Iterable[str]) -> None:
        """Updates these fields of stored rows as `bulk_update` does: without signals. A statement
        a row that is made once costs far less than one for all with a case a row."""
        fields = [cls._meta.get_field(name) for name in names]
        for row in rows:
            values = [(field, None, getattr(row, field.attname)) for field in fields]
            row._do_update(None, None, row.pk, values)

    def _do_insert(
        self, manager: Any, using: Any, fields: Any, returning_fields: Any, raw: bool
    ) -> list[tuple[Any, ...]]:
        database = _database()
        values = [
            getattr(self, field.attname) if raw else field.pre_save(self, True) for field in fields
        ]
        if _has_expression(values):
            super_insert = super()._do_insert  # type: ignore[misc]
            return super_insert(manager, using, fields, returning_fields, raw)  # type: ignore[no-any-return]
        given = _saved(fields, values, database)
        with database.prepared_cursor() as cursor:
            cursor.execute(_insertion(self._meta, tuple(fields), tuple(returning_fields)), given)
            return cursor.fetchall() if returning_fields else []

    def _do_update(
        self, base_qs: Any, using: Any, pk_val: Any, values: list[Any], *forced: Any
    ) -> Any:
        if _has_expression(value[2] for value in values):
            return super()._do_update(base_qs, using, pk_val, values, *forced)  # type: ignore[misc]
        database = _database()
        fields = tuple(value[0] for value in values)
        given = _saved(fields, [value[2] for value in values], database)
        with database.prepared_cursor() as cursor:
            cursor.execute(_change(self._meta, fields), [*given, pk_val])
            return cursor.rowcount > 0


Fields = tuple["Field[Any, Any]", ...]


def _has_expression(values: Iterable[Any]) -> bool:
    """Whether the database is to work one of them out; then Django writes the statement."""
    return any(isinstance(value, Combinable) for value in values)


# Whose values the database takes as they are. Others have a form of their own: a UUID, JSON.
_PLAIN: Final = (CharField, TextField, IntegerField, BooleanField, ForeignKey)


def _saved(fields: Iterable[Any], values: Iterable[Any], database: Any) -> list[Any]:
    """`values` as the database takes them; most are taken as they are."""
    return [
        value
        if value is None or (type(value) in _AS_THEY_ARE and isinstance(field, _PLAIN))
        else field.get_db_prep_save(value, database)
        for field, value in zip(fields, values, strict=True)
    ]


@cache
def _insertion(meta: Any, fields: Fields, returned: Fields) -> str:
    marks = ", ".join(["%s"] * len(fields))
    sql = f"{_insert_into(meta.db_table, [field.column for field in fields])} VALUES ({marks})"
    return f"{sql} RETURNING {_names(field.column for field in returned)}" if returned else sql


@cache
def _change(meta: Any, fields: Fields) -> str:
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(field.column or '')} = %s" for field in fields)
    return f"UPDATE {quote(meta.db_table)} SET {changes} WHERE {quote(meta.pk.column)} = %s"


def _insert_into(table: str, columns: Iterable[str | None]) -> str:
    return f"INSERT INTO {connection.ops.quote_name(table)} ({_names(columns)})"


def _or_replace(keys: Iterable[str], columns: Iterable[str]) -> str:
    """What follows an INSERT of these so that it replaces a row with the same keys."""
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(name)} = EXCLUDED.{quote(name)}" for name in columns)
    return f" ON CONFLICT ({_names(keys)}) DO UPDATE SET {changes}"


def _names(columns: Iterable[str | None]) -> str:
    return ", ".join(connection.ops.quote_name(column) for column in columns if column)


class Upsert:
    """Inserts a row of `model`, or replaces the one with the same `keys`."""

    def __init__(self, model: type[Model], keys: list[str], columns: list[str]):
        marks = ", ".join(["%s"] * len(keys + columns))
        head = _insert_into(model._meta.db_table, keys + columns)
        self._sql = f"{head} VALUES ({marks}){_or_replace(keys, columns)}"

    def write(self, *values: Any) -> None:
        database = _database()
        with database.prepared_cursor() as cursor:
            cursor.execute(self._sql, _adapted(values, database))


class PreparedUpsert:
    """Inserts the rows of a query into `model`, or replaces those with the same `keys`.

    `make` gives the query, with the marks in place of values; its columns are `keys` and `columns`.
    """

    def __init__(
        self,
        model: type[Model],
        keys: list[str],
        columns: list[str],
        make: Callable[[], QuerySet[Any]],
        *marks: Any,
    ):
        self._model = model
        self._keys = keys
        self._columns = columns
        self._make = make
        self._marks = marks

    @cached_property
    def _statement(self) -> _Compiled:
        before = f"{_insert_into(self._model._meta.db_table, self._keys + self._columns)} "
        after = f"{_or_replace(self._keys, self._columns)} RETURNING {_names(self._columns)}"
        return _Compiled(self._make(), self._marks, before, after)

    def write(self, *values: Any) -> list[tuple[Any, ...]]:
        """The `columns` of each row as it was written; none where the query found none."""
        return self._statement.rows(values)
