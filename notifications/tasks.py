"""What the worker does by the clock: every second what runs, every minute the rest."""

import logging

from django.utils.translation import gettext_lazy as _
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from notifications.deliveries import worker  # noqa: F401  (its tasks)
from notifications.rules import figures, idle, installation, missed, timers
from notifications.schedules import sending as reports
from notifications.webhooks import queue, sending
from upkeep.jobs.ticker import every
from upkeep.jobs.titles import titled

logger = logging.getLogger(__name__)


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


@titled(_("Webhooks"), _("Numbers what happened for the feed of events, and sends webhooks."))
@every(1)
def send_webhooks() -> None:
    sending.tick()


@titled(_("Log of webhooks"), _("Forgets deliveries that are older than a month."))
@db_periodic_task(crontab(hour="3", minute="40"))
def drop_old_webhook_deliveries() -> None:
    queue.drop_old()


@titled(_("Reports by mail"), _("Sends the reports whose time has come."))
@db_periodic_task(crontab(minute="*"))
def send_due_reports() -> None:
    """Each report is a task of its own: a large one holds up no other."""
    reports.make_due_runs()
    for pk in reports.waiting_runs():
        send_report(pk)


@db_task()
def send_report(pk: int) -> None:
    reports.send(pk)


@titled(_("History of reports"), _("Forgets reports that were sent long ago."))
@db_periodic_task(crontab(hour="3", minute="40"))
def tidy_reports() -> None:
    removed = reports.tidy()
    if removed:
        logger.info("%d reports of long ago were removed from the history", removed)
