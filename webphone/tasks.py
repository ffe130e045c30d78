"""What the worker does for phones in the page."""

import logging

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from webphone.services import silent

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(minute="*"))
def end_silent_parts() -> None:
    ended = silent.end_silent_parts()
    if ended:
        logger.info("%d calls of phone windows that died were ended", ended)
