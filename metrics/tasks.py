"""What the worker does for figures: by the clock, and when somebody asks for a large file."""

import logging

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from metrics.exports import jobs
from metrics.rollups.rebuild import each_difference

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(hour="3", minute="20"))
def check_sums() -> None:
    """Compares every stored sum with the calls; an error in the log where they differ."""
    found = each_difference()
    first = next(found, None)
    if first is not None:
        logger.error(
            "%d stored sums differ from the calls: run manage.py rebuild_metrics. First: %s",
            1 + sum(1 for _ in found),
            first,
        )


@db_task()
def write_export(pk: int) -> None:
    jobs.write(pk)


@db_periodic_task(crontab(minute="*/10"))
def tidy_exports() -> None:
    removed = jobs.tidy()
    if removed:
        logger.info("%d expired exports were removed", removed)
