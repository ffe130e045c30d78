"""What the worker does for an installation; with this module its ticker and heartbeat begin."""

import datetime as dt

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task, on_startup

from accounts.models import User
from upkeep.backups import locks, state
from upkeep.backups.making import make_backup
from upkeep.jobs import (
    runs,
    worker,  # noqa: F401  (begins the ticker and the heartbeat)
)
from upkeep.jobs.titles import titled
from upkeep.personal_data import removal


@on_startup()
def stand_by() -> None:
    locks.stand_by()


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
    try:
        backup = make_backup()
    except locks.AlreadyUnderWay as reason:
        return str(reason)
    return f"{backup.name}, {filesizeformat(backup.size or 0)}"


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
