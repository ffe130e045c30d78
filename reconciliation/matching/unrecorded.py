"""Calls that were tracked here and that no record of the phone system knows."""

import datetime as dt

from accounts.models import User
from calls.models import CallLog, CallQuerySet, ProviderAccount


def calls_without_record(
    account: ProviderAccount | None, since: dt.datetime, until: dt.datetime, viewer: User
) -> CallQuerySet:
    """The ended calls that began in [since, until), in the time that imports cover, and that no
    record knows; as `viewer` may see them. Without `account`, of all accounts."""
    raise NotImplementedError


def likely_reason(call: CallLog) -> str:
    """A sentence: why no record may know the call."""
    raise NotImplementedError
