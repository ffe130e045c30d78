"""The few statements that run at every end of a call, compiled once and then only filled in.

Django builds the text of a query anew each time; for sums with a dozen filtered columns that costs
more than the database needs to answer. The queries themselves are Django's own.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

# Values that stand for a parameter while the text is made; no real query has them.
A_USER = -9_223_372_036_854_775_807
AN_INSTANT = dt.datetime(1, 1, 1, 0, 0, 1, tzinfo=dt.UTC)
ANOTHER_INSTANT = dt.datetime(1, 1, 1, 0, 0, 2, tzinfo=dt.UTC)


def _adapted(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, dt.date):
        return connection.ops.adapt_datefield_value(value)
    return value


class Prepared:
    """A SELECT whose text is kept; `make` gives the query with the marks in place of values."""

    def __init__(self, make: Callable[[], QuerySet[Any]], *marks: Any):
        self._make = make
        self._marks = marks
        self._compiled: tuple[str, list[Any]] | None = None

    def _text(self) -> tuple[str, list[Any]]:
        if self._compiled is None:
            sql, params = self._make().query.get_compiler(connection=connection).as_sql()
            marks = [_adapted(mark) for mark in self._marks]
            # A parameter is a number of `values`, or a constant in a list of one.
            template = [marks.index(p) if p in marks else [p] for p in params]
            assert {t for t in template if isinstance(t, int)} == set(range(len(marks)))
            self._compiled = sql, template
        return self._compiled

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """The rows for `values`, one for each mark in order; as the driver gives them."""
        sql, template = self._text()
        given = [_adapted(value) for value in values]
        params = [given[t] if isinstance(t, int) else t[0] for t in template]
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


class Upsert:
    """Inserts a row of `model`, or replaces the one with the same `keys`."""

    def __init__(self, model: type[Model], keys: list[str], columns: list[str]):
        quote = connection.ops.quote_name
        names = [quote(name) for name in keys + columns]
        changes = ", ".join(f"{quote(name)} = EXCLUDED.{quote(name)}" for name in columns)
        self._sql = (
            f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(names)}) "
            f"VALUES ({', '.join(['%s'] * len(names))}) "
            f"ON CONFLICT ({', '.join(names[: len(keys)])}) DO UPDATE SET {changes}"
        )

    def write(self, *values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [_adapted(value) for value in values])
