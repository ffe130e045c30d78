"""What the worker does for rules and webhooks: every second what runs, every minute the rest."""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from notifications.rules import figures, idle, installation, missed, timers
from notifications.webhooks import queue, sending
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


@every(1)
def send_webhooks() -> None:
    sending.tick()


@db_periodic_task(crontab(hour="3", minute="40"))
def drop_old_webhook_deliveries() -> None:
    queue.drop_old()
