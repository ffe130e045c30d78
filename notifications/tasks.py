"""What the worker does for rules and webhooks: every second what runs, every minute the rest."""

from django.utils.translation import gettext_lazy as _
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from notifications.rules import figures, idle, installation, missed, timers
from notifications.webhooks import queue, sending
from upkeep.jobs.ticker import every
from upkeep.jobs.titles import titled


@titled(_("Reminders"), _("Tells of calls, holds, pauses and wrap-ups that last too long."))
@every(1)
def watch_timers() -> None:
    timers.watch()


@titled(_("Ended reminders"), _("Notes when what was reminded of is over."))
@every(5)
def end_timers() -> None:
    timers.end_what_is_over()


@titled(
    _("Rules about figures"),
    _("Tells of success rates, AHT, hours without calls and missed calls, as the rules say."),
)
@db_periodic_task(crontab(minute="*"))
def watch_figures() -> None:
    figures.watch()
    idle.watch()
    missed.watch()


@titled(
    _("Rules about the installation"),
    _("Tells of silent phone systems, listeners that are gone, and disks that are nearly full."),
)
@db_periodic_task(crontab(minute="*"))
def watch_installation() -> None:
    installation.watch()
"""What the worker does."""

from notifications.deliveries import worker  # noqa: F401 (its tasks)


@every(1)
def send_webhooks() -> None:
    sending.tick()


@db_periodic_task(crontab(hour="3", minute="40"))
def drop_old_webhook_deliveries() -> None:
    queue.drop_old()
