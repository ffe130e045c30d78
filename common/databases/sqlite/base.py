"""Django's SQLite backend for a server of several threads.

SQLite lets one writer in and makes the others ask again and again, in ever longer pauses, so that
who came last may be served first. Here the threads of a process stand in a line before they ask
SQLite: each is served as it came, and only other processes are still waited for by asking.
"""

import sqlite3
import threading
from collections import defaultdict, deque
from functools import lru_cache
from typing import Any, Final

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper
from django.db.backends.sqlite3.features import DatabaseFeatures

_PATIENCE_SECONDS: Final = 5.0  # SQLite's own, where the settings name none


class Line:
    """A lock that is had in the order of asking, and may be given back by another thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def enter(self, seconds: float) -> bool:
        """Waits for its turn; False where that takes longer than `seconds`."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=seconds):
            return True
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it was given in that moment

    def leave(self) -> None:
        """Lets the next one in."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


_lines: defaultdict[str, Line] = defaultdict(Line)  # by the file's name


@lru_cache(maxsize=1024)
def _with_question_marks(query: str) -> str:
    text: str = FORMAT_QMARK_REGEX.sub("?", query)
    return text.replace("%%", "%")


class Cursor(SQLiteCursorWrapper):
    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        """As Django's, which writes every text anew at every use."""
        if param_names is None:
            return _with_question_marks(query)
        converted: str = super().convert_query(query, param_names=param_names)
        return converted


class Features(DatabaseFeatures):
    # Django writes 999 values a statement at most, which was SQLite's limit before 3.32.
    max_query_params = 32_766 if sqlite3.sqlite_version_info >= (3, 32) else 999


# The stubs leave out what only backends use.
class DatabaseWrapper(base.DatabaseWrapper):
    features_class = Features

    _in_line: Line | None = None  # while it is this connection's turn

    def create_cursor(self, name: Any = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor

    def prepared_cursor(self) -> Any:
        """The usual one: the driver itself keeps what it has prepared."""
        return self.cursor()

    def with_constants(self, query: str, template: list[Any]) -> tuple[str, list[Any]]:
        """Both as they are."""
        return query, template

    def _start_transaction_under_autocommit(self) -> None:
        line = _lines[str(self.settings_dict["NAME"])]
        if not line.enter(self.settings_dict["OPTIONS"].get("timeout", _PATIENCE_SECONDS)):
            raise OperationalError("database is locked")
        self._in_line = line
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave_line()
            raise

    def _leave_line(self) -> None:
        line, self._in_line = self._in_line, None
        if line is not None:
            line.leave()

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._leave_line()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave_line()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._leave_line()
