"""What the worker does for the upkeep of an installation."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from django.db import connections
from django.template.defaultfilters import filesizeformat
from huey.contrib.djhuey import db_periodic_task, db_task, on_startup

from upkeep.backups import locks, state
from upkeep.backups.making import make_backup

_NICE: Final = 10  # of the operating system's scheduler


@on_startup()
def stand_by() -> None:
    locks.stand_by()


@db_periodic_task(state.is_due)
def back_up() -> str:
    """Makes a backup by the clock; BackupError where there is none."""
    return _back_up()


@db_task()
def back_up_now() -> str:
    """The same because somebody asked for it."""
    return _back_up()


def _back_up() -> str:
    """On a thread that lets all others go first: none may take back what it has given up."""
    with ThreadPoolExecutor(1, initializer=_stand_back) as thread:
        return thread.submit(_make).result()


def _stand_back() -> None:
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _make() -> str:
    try:
        backup = make_backup()
    except locks.AlreadyUnderWay as reason:
        return str(reason)
    finally:
        connections.close_all()
    return f"{backup.name}, {filesizeformat(backup.size or 0)}"
