"""When the next backup is due, and whether there is one to rely on."""

import datetime as dt
import time
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils.translation import gettext as _

from common.formats.dates import moment
from common.instants import UTC, now
from upkeep.models import Backup

_REMEMBERED_SECONDS: Final = 5


def interval() -> dt.timedelta:
    """Between two backups that are made by themselves; 0 where none are."""
    return dt.timedelta(minutes=settings.BACKUP_EVERY_MINUTES)


def is_due(minute: dt.datetime) -> bool:
    """Whether the worker makes a backup in that minute (UTC, naive, as its clock tells it): at
    whole intervals, and where one was missed since the worker did not run."""
    if not interval():
        return False
    minutes = minute.toordinal() * 24 * 60 + minute.hour * 60 + minute.minute
    if minutes % settings.BACKUP_EVERY_MINUTES == 0:
        return True
    try:
        last = _last_tried(int(time.monotonic() / _REMEMBERED_SECONDS))
    except DatabaseError:  # the clock of the worker goes on
        return False
    return last is None or minute.replace(tzinfo=UTC) - last > interval()


@lru_cache(maxsize=1)
def _last_tried(_when: int) -> dt.datetime | None:
    """When the last backup was begun, well or not. Who looks ahead asks for many minutes."""
    if not connection.in_atomic_block:  # the page that shows it may ask within a transaction
        close_old_connections()
    return Backup.objects.values_list("begun_at", flat=True).first()


def last_good() -> Backup | None:
    return Backup.objects.good().first()


def concern() -> str:
    """In a sentence, that there is no backup to rely on; "" where there is, or none are wanted."""
    if not interval():
        return ""
    last = last_good()
    if last is None:
        return _("There is no good backup yet.")
    if now() - last.begun_at > 2 * interval():
        return _("The last good backup is of %(when)s: one every %(n)d minutes is wanted.") % {
            "when": moment(last.begun_at),
            "n": settings.BACKUP_EVERY_MINUTES,
        }
    return ""
