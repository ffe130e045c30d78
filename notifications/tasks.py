"""What the worker does for rules: every second what runs, every minute the rest."""

from notifications.rules import timers
from upkeep.jobs.ticker import every


@every(1)
def watch_timers() -> None:
    timers.watch()


@every(5)
def end_timers() -> None:
    timers.end_what_is_over()
