"""What the worker does for calls by the clock."""

import logging

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from calls import services

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(minute="*"))
def close_stale_calls() -> None:
    closed = services.close_stale_calls()
    if closed:
        logger.info("%d calls without a sign of life were closed", closed)
