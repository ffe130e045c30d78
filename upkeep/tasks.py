"""What the worker does for an installation; with this module its ticker and heartbeat begin."""

import datetime as dt
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from django.conf import settings
from django.db import connections
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from accounts.models import User
from calls.proof import anchoring
from upkeep.backups import (
    locks,
    standing,  # noqa: F401  (before the ticker: while data is exchanged, nothing begins)
    state,
)
from upkeep.backups.making import make_backup
from upkeep.jobs import (
    runs,
    worker,  # noqa: F401  (begins the ticker and the heartbeat)
)
from upkeep.jobs.titles import titled
from upkeep.personal_data import removal
from upkeep.verification import proof_is_due, verify_all

_NICE: Final = 10  # of the operating system's scheduler


@titled(_("Runs of jobs"), _("Gives up runs whose worker is gone, and forgets old ones."))
@db_periodic_task(crontab(minute="*/10"))
def tidy_runs() -> None:
    runs.tidy()


@titled(_("Backup"), _("Makes, checks and copies a backup, every BACKUP_EVERY_MINUTES."))
@db_periodic_task(state.is_due)
def back_up() -> str:
    """Makes a backup by the clock; BackupError where there is none."""
    return _back_up()


@db_task()
def back_up_now() -> str:
    """The same because somebody asked for it."""
    return _back_up()


def _back_up() -> str:
    return _aside(_make)


def _aside(work: Callable[[], str]) -> str:
    """On a thread that lets all others go first: none may take back what it has given up."""
    with ThreadPoolExecutor(1, initializer=_stand_back) as thread:
        return thread.submit(work).result()


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


@titled(
    _("Anchor of the ledger"),
    _("Notes each night where every ledger stands, so that what is changed later shows."),
)
@db_periodic_task(crontab(minute="25"))
def make_anchor() -> str | None:
    """Once a day, in the first hour after midnight that a worker runs in."""
    anchor = anchoring.make_anchor()
    return None if anchor is None else anchor.as_line()


@titled(
    _("Proof of the ledger"),
    _("Verifies each week every line of the ledger, the anchors, the calls and their sums."),
)
@db_periodic_task(proof_is_due)
def verify_ledger() -> str:
    """LedgerFault where something was changed behind our back."""
    return _aside(_verify)


def _verify() -> str:
    try:
        return verify_all()
    finally:
        connections.close_all()


@titled(
    _("Old personal data"),
    _("Removes numbers, names and notes of calls older than PERSONAL_DATA_DAYS, if that is set."),
)
@db_periodic_task(crontab(hour="2", minute="40"))
def forget_old_calls() -> str | None:
    if not settings.PERSONAL_DATA_DAYS:
        return None
    day = removal.cutoff_of(settings.PERSONAL_DATA_DAYS)
    done = removal.forget_before(day, asked_by=None, reason="PERSONAL_DATA_DAYS")
    if not done.counts:
        done.delete()
        return None
    return ", ".join(removal.words_of(done.counts))


@db_task()
def forget_calls_before(day: str, asked_by: int, reason: str) -> None:
    """What somebody asked for in the administration; `day` in ISO 8601."""
    who = User.objects.filter(pk=asked_by).first()
    removal.forget_before(dt.date.fromisoformat(day), asked_by=who, reason=reason)
