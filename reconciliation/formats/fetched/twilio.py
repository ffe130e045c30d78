"""Twilio's list of calls: a parent and its children are one call, in whole seconds.

What the children tell of answer and end is believed before the parent, which a document answers.
A call costs what all of them cost. The list has the newest first, so children may stand before
their parent or after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from calls import timeline
from calls.providers.base import ProviderEvent, Unreadable
from calls.providers.reading import instant_of, name_of, text
from calls.providers.twilio import Twilio
from reconciliation.call_record import CallRecord
from reconciliation.formats.fetched.events import record_of, total


def parent_of(call: Mapping[str, Any]) -> str:
    """The id of the call that `call` is a child of; "" for a parent."""
    parent = text(call.get("parent_call_sid"))
    return "" if parent == text(call.get("sid")) else parent


def parts_of(
    parent: Mapping[str, Any], children: Sequence[Mapping[str, Any]], adapter: Twilio
) -> Iterator[CallRecord]:
    """The one part that there is. Raises Unreadable."""
    name_of(parent.get("sid"), "call")
    start = instant_of(parent.get("start_time") or parent.get("date_created"))[0]
    family = [parent, *children]
    events = [event for call in family for event in adapter.known_of(call)]
    if not _are_over(events):
        raise Unreadable(_("The record does not say when the call ended."))
    price = total(family)
    yield record_of(
        events,
        events[0].call,
        start,
        price=price,
        currency=text(parent.get("price_unit")).upper()[:3] if price is not None else "",
    )


def _are_over(events: Sequence[ProviderEvent]) -> bool:
    return any(event.kind == timeline.ENDED for event in events)
