"""Contact, CallLog, CallEvent, outcomes and phone systems: see docs/architecture.md."""

from calls.models.anchor import Anchor, AnchorPart
from calls.models.call import CallAlias, CallLog
from calls.models.call_queries import ANSWERED, COUNTED, CallQuerySet
from calls.models.contact import Contact
from calls.models.contact_import import ContactImport
from calls.models.contact_number import ContactNumber, NumberKind
from calls.models.dial import DialChoice, DialLink, name_at
from calls.models.disposition import Disposition, DispositionQuerySet
from calls.models.dispute import CallDispute, DisputeQuerySet
from calls.models.event import CallEvent
from calls.models.message import ConversationNumber, RawEvent, WaitingFact
from calls.models.provider import ProviderAccount, ProviderIdentity
from calls.models.readers import Reader
from calls.models.text import CallText
from calls.models.tombstone import Tombstone

__all__ = [
    "ANSWERED",
    "COUNTED",
    "Anchor",
    "AnchorPart",
    "CallAlias",
    "CallDispute",
    "CallEvent",
    "CallLog",
    "CallQuerySet",
    "CallText",
    "Contact",
    "ContactImport",
    "ContactNumber",
    "ConversationNumber",
    "DialChoice",
    "DialLink",
    "Disposition",
    "DispositionQuerySet",
    "DisputeQuerySet",
    "NumberKind",
    "ProviderAccount",
    "ProviderIdentity",
    "RawEvent",
    "Reader",
    "Tombstone",
    "WaitingFact",
    "name_at",
]
