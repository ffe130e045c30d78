"""What the worker does for figures by the clock."""

import logging

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from metrics.rebuild import differences

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(hour="3", minute="20"))
def check_sums() -> None:
    """Compares every stored sum with the calls; an error in the log where they differ."""
    found = differences()
    if found:
        logger.error(
            "%d stored sums differ from the calls: run manage.py rebuild_metrics. First: %s",
            len(found),
            found[0],
        )
