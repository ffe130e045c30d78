"""What is wrong with the machine and not with the request: data that is locked, full or gone."""

import errno
import sqlite3
from collections.abc import Iterator
from typing import Final

from django.db import InterfaceError, OperationalError

from common.databases.drivers import cache_errors

# Primary result codes: PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN,
# PROTOCOL, NOLFS, NOTADB. The others say what is wrong with a statement.
_OF_SQLITE: Final = {3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 22, 26}
# Classes of PostgreSQL's SQLSTATE: connection, rollback (deadlock), resources, a lock that is not
# to be had, operator intervention, system, configuration file.
_OF_POSTGRESQL: Final = ("08", "40", "53", "55P03", "57", "58", "F0")
_READ_ONLY: Final = "25006"  # a standby, or a database that was set so
_OF_FILES: Final = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
}


def is_fault(error: BaseException | None) -> bool:
    """Whether `error`, or what it came of, says that a database, Redis or the disk does not serve.

    The same request may then do well a little later.
    """
    return any(_is_one(one) for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those it came of, as a traceback shows them."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_one(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        return code is not None and code & 0xFF in _OF_SQLITE
    if hasattr(error, "sqlstate"):  # psycopg's, which is not loaded where it is not used
        return _says_postgresql(error, error.sqlstate)
    if isinstance(error, OperationalError | InterfaceError):  # Django's own, or ours
        return error.__cause__ is None
    if isinstance(error, OSError):
        return error.errno in _OF_FILES
    return isinstance(error, cache_errors())


def _says_postgresql(error: BaseException, state: str | None) -> bool:
    """Without a state the server said nothing: it could not be reached, or the line broke."""
    if state is None:
        return type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}
    return state == _READ_ONLY or state.startswith(_OF_POSTGRESQL)
