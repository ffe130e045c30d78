"""Who is at work: the site's processes, one backup, or a restore. Locks of files, which the
operating system gives back when a process ends, however it ends."""

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from upkeep.backups.places import BackupError, give_to_owner, plain_words

logger = logging.getLogger(__name__)

_ADVISORY: Final = 4_202_707_151  # of PostgreSQL: one backup a database, on whichever machine
_held: list[int] = []  # a descriptor that stays open until the end of this process
_guard: Final = threading.Lock()


class AlreadyUnderWay(BackupError):
    """Another process makes a backup, or restores one."""


def stand_by() -> None:
    """Tells that this process is one of the running site's, until it ends.

    While a restore is under way it waits: nobody shall work on what is being replaced.
    """
    with _guard:
        if _held:
            return
        try:
            handle = _open(_of_site())
            _wait_for_restore(handle)
        except OSError as error:
            logger.warning("A restore would not notice this process: %s", error)
            return
        _held.append(handle)


def _wait_for_restore(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        logger.warning("A restore is under way: waiting for its end")
        fcntl.flock(handle, fcntl.LOCK_SH)


@contextlib.contextmanager
def site_at_rest() -> Iterator[None]:
    """No web server and no worker of this installation on this machine runs, or begins to.

    BackupError where one does.
    """
    running = BackupError(_("The site is running: stop the web server and the worker first."))
    with _alone(_of_site(), running):
        yield


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """No other process makes a backup or restores one meanwhile; AlreadyUnderWay where one does."""
    with _alone(folder / ".lock", AlreadyUnderWay(_("Another backup or a restore is under way."))):
        yield


@contextlib.contextmanager
def _alone(path: Path, otherwise: BackupError) -> Iterator[None]:
    """Nobody else has the lock of that file; `otherwise` where somebody has."""
    with plain_words(path):
        handle = _open(path)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise otherwise from error
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def only_one_of_the_database() -> Iterator[None]:
    """The same across the machines that share a PostgreSQL."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_ADVISORY])
        if not cursor.fetchone()[0]:
            raise AlreadyUnderWay(_("Another backup or a restore is under way."))
    try:
        yield
    finally:
        # The lock ends with its session, too: a connection that broke has given it back.
        with contextlib.suppress(Exception), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY])


def _of_site() -> Path:
    return Path(settings.DATA_DIR) / "site.lock"


def _open(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    give_to_owner(path)
    return handle
