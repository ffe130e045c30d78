"""What the worker does for the upkeep of an installation."""

from django.template.defaultfilters import filesizeformat
from huey.contrib.djhuey import db_periodic_task, db_task, on_startup

from upkeep.backups import locks, state
from upkeep.backups.making import make_backup


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
    try:
        backup = make_backup()
    except locks.AlreadyUnderWay as reason:
        return str(reason)
    return f"{backup.name}, {filesizeformat(backup.size or 0)}"
