"""Django's SQLite backend for a server of several threads.

SQLite lets one writer in and makes the others ask again and again, in ever longer pauses, so that
who came last may be served first. Here the threads of a process stand in a line before they ask
SQLite: each is served as it came, and only other processes are still waited for by asking.

A handle that has met a fault is thrown away, and so is one whose file lies elsewhere or may be
written now: a handle on a file that could not be written stays read-only for ever, and one on a
removed file writes into nothing.
"""

import os
import sqlite3
import stat
import threading
from collections import defaultdict, deque
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.base import FORMAT_QMARK_REGEX, SQLiteCursorWrapper
from django.db.backends.sqlite3.features import DatabaseFeatures
from django.db.utils import DatabaseErrorWrapper

_PATIENCE_SECONDS: Final = 5.0  # SQLite's own, where the settings name none
# Codes that say nothing about the handle: a statement's error, and those of a passing state.
_PASSING: Final = {
    sqlite3.SQLITE_OK,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_RANGE,
}
# How long those wait who come after one that has waited for another process in vain.
_HURRIED_SECONDS: Final = 1.0


class Line:
    """A lock that is had in the order of asking, and may be given back by another thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False
        self.is_stuck = False  # another process does not give the file's lock back

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
# Files that were there once: if one is gone, no empty one takes its place.
_known: set[str] = set()


def _code_of(error: BaseException | None) -> int:
    """SQLite's primary result code; 0 where it gave none."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF


# Which file it is: its device, its number, and whether it may be written.
Identity = tuple[int, int, bool]


def _identity(name: str) -> Identity | None:
    """Which file bears the name; None where there is none."""
    try:
        status = Path(name).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, os.access(name, os.W_OK)


def _mend_companions(name: str) -> None:
    """Has the files beside a database be writable if it is. SQLite makes them with its mode: made
    while it could not be written they stay so, and nobody who opens it anew could write into it."""
    if not _owner_writes(Path(name)):
        return
    for path in (Path(f"{name}-wal"), Path(f"{name}-shm")):
        with suppress(OSError):  # it is not there, or somebody else's
            if not _owner_writes(path):
                path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)


def _owner_writes(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IWUSR)
    except OSError:
        return False


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


class Errors(DatabaseErrorWrapper):
    """As Django's, and notes on the connection what a new one may be free of.

    Waiting in vain is not of that kind, nor is a full disk: the last handle that is closed takes
    files away that cannot be made anew there, and nobody could read any more.
    """

    wrapper: "DatabaseWrapper"

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if _code_of(exc_value) not in _PASSING:
            self.wrapper.is_broken = True
        super().__exit__(exc_type, exc_value, traceback)


# The stubs leave out what only backends use.
class DatabaseWrapper(base.DatabaseWrapper):
    features_class = Features

    _in_line: Line | None = None  # while it is this connection's turn
    _file: Identity | None = None  # which one it has open
    is_broken = False  # it has met a fault that a new connection may be free of

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        name = str(self.settings_dict["NAME"])
        if name in _known and _identity(name) is None:
            raise OperationalError("the database file is gone")
        _mend_companions(name)
        connection = super().get_new_connection(conn_params)
        self.is_broken = False
        self._file = _identity(name)
        if self._file is not None:
            _known.add(name)
        return connection

    def is_usable(self) -> bool:
        """Whether it has met no fault that stays, and its file is what and where it was."""
        return not self.is_broken and self._file == _identity(str(self.settings_dict["NAME"]))

    @cached_property
    def wrap_database_errors(self) -> Errors:
        return Errors(self)

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
        patience = self.settings_dict["OPTIONS"].get("timeout", _PATIENCE_SECONDS)
        if not line.enter(_HURRIED_SECONDS if line.is_stuck else patience):
            raise OperationalError("database is locked")
        self._in_line = line
        try:
            self._begin(line, patience)
        except BaseException:
            self._leave_line()
            raise

    def _begin(self, line: Line, patience: float) -> None:
        """Takes SQLite's lock. After one who has waited in vain nobody waits as long: else each of
        those in line would, one after another."""
        hurried = line.is_stuck
        if hurried:
            self._wait_at_most(_HURRIED_SECONDS)
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            line.is_stuck = False
        except OperationalError as error:
            line.is_stuck = _code_of(error.__cause__) == sqlite3.SQLITE_BUSY
            raise
        finally:
            if hurried:
                self._wait_at_most(patience)

    def _wait_at_most(self, seconds: float) -> None:
        self.connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

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
