"""What the worker does by the clock for what speaks up by itself."""

import logging

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from notifications.schedules import sending

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(minute="*"))
def send_due_reports() -> None:
    """Each report is a task of its own: a large one holds up no other."""
    sending.make_due_runs()
    for pk in sending.waiting_runs():
        send_report(pk)


@db_task()
def send_report(pk: int) -> None:
    sending.send(pk)


@db_periodic_task(crontab(hour="3", minute="40"))
def tidy_reports() -> None:
    removed = sending.tidy()
    if removed:
        logger.info("%d reports of long ago were removed from the history", removed)
