"""The worker's queue in a file, for one process that keeps on when the file cannot be written."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from huey import SqliteHuey
from huey.storage import SqliteStorage


class FileStorage(SqliteStorage):
    """Huey's, whose tables are made where a connection is, not where the settings are read: an
    unwritable file must not end the start. A handle that has met a fault is thrown away."""

    def initialize_schema(self) -> None:
        pass

    def _create_connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = super()._create_connection()
        for statement in self.ddl:
            connection.execute(statement)
        return connection

    @contextmanager
    def db(self, commit: bool = False, close: bool = False) -> Iterator[sqlite3.Cursor]:
        try:
            with super().db(commit, close) as cursor:
                yield cursor
        except sqlite3.Error:
            self.close()
            raise


class FileHuey(SqliteHuey):
    storage_class = FileStorage
