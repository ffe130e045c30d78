"""What each night fetches: of every account that has the credentials, what is due."""

import logging
from typing import Final

from reconciliation.fetching import ready_accounts
from reconciliation.fetching.coverage import due_of
from reconciliation.fetching.runs import fetch
from reconciliation.models import RecordImport

# After midnight there, when the last calls of the day are over and told of.
HOUR: Final = 1

logger = logging.getLogger(__name__)


def fetch_all() -> int:
    """Fetches what is due; how many accounts could not be fetched from, each of which is an import
    that says why. One that fails keeps no other from being asked."""
    failed = 0
    for account in ready_accounts():
        what = fetch(account, *due_of(account), by_night=True)
        if what.state == RecordImport.FAILED:
            failed += 1
            logger.warning("Records of %s could not be fetched: %s", account.name, what.message)
    return failed
