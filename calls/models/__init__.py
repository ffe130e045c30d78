"""Contact, CallLog, CallEvent: see docs/architecture.md for the data."""

from calls.models.call import CallLog, CallQuerySet
from calls.models.contact import Contact
from calls.models.event import CallEvent

__all__ = ["CallEvent", "CallLog", "CallQuerySet", "Contact"]
