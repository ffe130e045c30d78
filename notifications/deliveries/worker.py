"""The worker's side: sends what was put in the queue, and by the clock what was not."""

from django.utils.translation import gettext_lazy as _
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from notifications.deliveries import sending
from upkeep.jobs.titles import titled


@db_task()
def send(pk: int) -> None:
    """Sends a delivery, and puts itself in the queue again for the next attempt."""
    wait = sending.attempt(pk)
    if wait is not None:
        send.schedule(args=(pk,), delay=wait.total_seconds())


@titled(
    _("Deliveries"), _("Sends again to channels what did not arrive, and what was left behind.")
)
@db_periodic_task(crontab(minute="*"))
def send_what_is_due() -> None:
    """What the queue has lost, or a worker that died has left behind."""
    for pk in sending.due():
        send(pk)


@titled(_("Old deliveries"), _("Forgets what was sent to channels long ago."))
@db_periodic_task(crontab(hour="4", minute="10"))
def tidy_deliveries() -> None:
    sending.tidy()
