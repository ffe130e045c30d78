"""What the worker does for calls by the clock."""

import logging

from huey import crontab
from huey.contrib.djhuey import db_periodic_task

from calls.services import wrap_up
from calls.telephony import hooks, intake, stale_calls

logger = logging.getLogger(__name__)


@db_periodic_task(crontab(minute="*"))
def close_stale_calls() -> None:
    closed = stale_calls.ask_and_close()
    if closed:
        logger.info("%d calls without a sign of life were closed", closed)


@db_periodic_task(crontab(minute="*"))
def look_after_phone_systems() -> None:
    """Reads again what could not be recorded, and says so when a phone system falls silent."""
    done = hooks.read_again()
    if done:
        logger.info("%d messages of phone systems were recorded late", done)
    intake.record_overdue()
    hooks.watch_silence()


@db_periodic_task(crontab(minute="*"))
def close_wrap_ups() -> None:
    wrap_up.close_wrap_ups()
