"""What the worker does to look after itself; with this module its ticker and heartbeat begin."""

from django.utils.translation import gettext_lazy as _
from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from upkeep.jobs import (
    runs,
    worker,  # noqa: F401  (begins the ticker and the heartbeat)
)
from upkeep.jobs.titles import titled


@titled(_("Runs of jobs"), _("Gives up runs whose worker is gone, and forgets old ones."))
@db_periodic_task(crontab(minute="*/10"))
def tidy_runs() -> None:
    runs.tidy()
