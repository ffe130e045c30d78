"""What the worker does with the phone systems' own records."""

import logging
from typing import Any

from django.db import transaction
from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from accounts.models import User
from calls.models import ProviderAccount
from common.instants import local_now
from reconciliation.fetching.coverage import instant_in
from reconciliation.fetching.nightly import HOUR, fetch_all
from reconciliation.fetching.runs import fetch
from reconciliation.imports import drafts, runs
from reconciliation.models import RecordImport
from reconciliation.signals import import_waits

logger = logging.getLogger(__name__)


@db_task()
def run_import(pk: int) -> None:
    runs.run(pk)


def connect() -> None:
    import_waits.connect(
        queue_import, sender=RecordImport, dispatch_uid="reconciliation.queue_import"
    )


def queue_import(pk: int, **kwargs: Any) -> None:
    transaction.on_commit(lambda: run_import(pk))


@db_periodic_task(crontab(minute="*"))
def take_up_imports() -> None:
    for pk in runs.waiting():
        run_import(pk)


@db_periodic_task(crontab(hour="3", minute="40"))
def tidy_imports() -> None:
    removed = drafts.tidy()
    if removed:
        logger.info("%d old drafts of imports were removed", removed)


@db_periodic_task(crontab(minute="25"))
def fetch_records() -> None:
    """Once a night: the worker's clock may be in another zone than the organisation's."""
    if local_now().hour == HOUR:
        fetch_all()


@db_task()
def fetch_now(account: int, person: int, since: str, until: str) -> None:
    """What somebody asked for; nothing where the account is gone meanwhile."""
    found = ProviderAccount.objects.filter(pk=account).first()
    if found is not None:
        asked_by = User.objects.filter(pk=person).first()
        fetch(found, instant_in(since), instant_in(until), asked_by)
