"""What somebody decides where a record and a call differ."""

from django.db.models import QuerySet

from accounts.models import User
from reconciliation.models import ProviderRecord


def accept(record: ProviderRecord, person: User) -> ProviderRecord:
    """The record is right: a correction in the call's ledger, and a line that confirms it. Again
    changes nothing. CallError with a sentence where it cannot be."""
    raise NotImplementedError


def keep(record: ProviderRecord, person: User, reason: str) -> ProviderRecord:
    """What we recorded is right, for this `reason`. CallError without one."""
    raise NotImplementedError


def accept_all(records: "QuerySet[ProviderRecord]", person: User) -> int:
    """Accepts all of `records` that are open; how many. Again goes on with what is left."""
    raise NotImplementedError
