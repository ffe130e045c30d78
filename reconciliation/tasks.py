"""What the worker does for records: by the clock, and when somebody asks for it."""

from huey import crontab
from huey.contrib.djhuey import db_periodic_task, db_task

from accounts.models import User
from calls.models import ProviderAccount
from common.instants import local_now
from reconciliation.fetching.coverage import instant_in
from reconciliation.fetching.nightly import HOUR, fetch_all
from reconciliation.fetching.runs import fetch


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
