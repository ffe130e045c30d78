"""What the worker does for rules: every second what runs, every minute the rest."""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from notifications.rules import figures, idle, installation, missed, timers
from upkeep.jobs.ticker import every


@every(1)
def watch_timers() -> None:
    timers.watch()


@every(5)
def end_timers() -> None:
    timers.end_what_is_over()


@db_periodic_task(crontab(minute="*"))
def watch_figures() -> None:
    figures.watch()
    idle.watch()
    missed.watch()


@db_periodic_task(crontab(minute="*"))
def watch_installation() -> None:
    installation.watch()
