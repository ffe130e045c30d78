"""A bound on how long a question may take that somebody is waiting for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

_STEPS = 20_000  # of SQLite's machine between two looks at the clock; a few milliseconds


class TookTooLong(Exception):
    """The database was stopped before it had an answer."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Runs the queries within; TookTooLong when one of them takes longer than `seconds`."""
    within = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    try:
        with within(seconds):
            yield
    except OperationalError as error:
        if "interrupted" in str(error) or "statement timeout" in str(error):
            raise TookTooLong from error
        raise


@contextmanager
def _on_postgresql(seconds: float) -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [int(seconds * 1000)])
        yield
        with connection.cursor() as cursor:  # an outer transaction would keep it
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")


@contextmanager
def _on_sqlite(seconds: float) -> Iterator[None]:
    connection.ensure_connection()
    deadline = time.monotonic() + seconds
    connection.connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
