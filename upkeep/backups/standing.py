"""Has the worker hold what a restore asks for, before anything else of it begins."""

from huey.contrib.djhuey import on_startup

from upkeep.backups import locks


@on_startup()
def stand_by() -> None:
    locks.stand_by()
