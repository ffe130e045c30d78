"""Which one of several workers leads: by a lock that ends with its process.

Beside SQLite it is the lock of a file in DATA_DIR, which the kernel takes back the moment its
process is gone. On PostgreSQL it is an advisory lock, which goes with its connection: at once when
the process dies, and within seconds when its machine does. Neither writes anything.
"""

import fcntl
import logging
import os
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections

logger = logging.getLogger(__name__)

_ADVISORY_LOCK: Final = 0x43616C6C4D  # a number of ours, in this database
# How soon PostgreSQL notices that the other side of a connection is gone: 5 + 3 * 2 seconds.
_NOTICE_DEATH: Final = (
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
)


class FileLock:
    def __init__(self) -> None:
        self._path = Path(settings.DATA_DIR) / "worker.lock"
        self._file: int | None = None

    def is_held(self) -> bool:
        """Takes the lock if it is free; whether it is ours now."""
        if self._file is not None and not self._is_in_place(self._file):
            self.give_up()
        if self._file is None:
            self._take()
        return self._file is not None

    def _is_in_place(self, file: int) -> bool:
        """Whether the locked file is still the one that others would lock."""
        try:
            return os.path.samestat(os.fstat(file), self._path.stat())
        except OSError:
            return False

    def _take(self) -> None:
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            self._file = file

    def give_up(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class AdvisoryLock:
    """On a connection of its own: other work may have to throw away the one it uses."""

    def __init__(self) -> None:
        self._connection: Any = connections.create_connection(DEFAULT_DB_ALIAS)
        self._taken = False

    def is_held(self) -> bool:
        """Takes the lock if it is free; whether it is ours now."""
        try:
            with self._connection.cursor() as cursor:
                if self._taken:  # it was lost if this cannot be asked
                    cursor.execute("SELECT 1")
                    return True
                cursor.execute(_NOTICE_DEATH)
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY_LOCK])
                self._taken = bool(cursor.fetchone()[0])
        except Error:
            self.give_up()
            raise
        return self._taken

    def give_up(self) -> None:
        self._taken = False
        self._connection.close()


class Leadership:
    """The lead among the workers of this installation. Used by one thread."""

    def __init__(self) -> None:
        postgresql = connection.vendor == "postgresql"
        self._lock: FileLock | AdvisoryLock = AdvisoryLock() if postgresql else FileLock()
        self._fault = False

    def is_held(self) -> bool:
        """Takes the lead if nobody has it; whether this process leads. False during a fault."""
        try:
            held = self._lock.is_held()
        except (OSError, Error) as error:
            if not self._fault:
                logger.warning("Whether this worker leads cannot be said: %s", error)
            self._fault = True
            return False
        self._fault = False
        return held

    def give_up(self) -> None:
        self._lock.give_up()
