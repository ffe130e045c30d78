"""Twilio's list of calls: a parent and its children are one call, in whole seconds.

What the children tell of answer and end is believed before the parent, which a document answers.
A call costs what all of them cost. The list has the newest first, so children may stand before
their parent or after it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.base import ProviderEvent, Unreadable
from calls.providers.reading import instant_of, name_of, text
from calls.providers.twilio import Twilio
from reconciliation.call_record import CallRecord
from reconciliation.formats.fetched.events import record_of, total
from reconciliation.formats.fetched.lines import (
    FetchedFormat,
    Object,
    each_object,
    object_in,
)

_CHILDREN: Final = "children"  # by which a parent carries them here; Twilio has no such field


class TwilioApi(FetchedFormat):
    code = "twilio_api"
    title = gettext_lazy("Twilio, fetched")
    account_kinds = ("twilio",)
    kind = "twilio"
    marks = ("sid", "start_time", "direction")
    shown = ("sid", "direction", "from", "to", "start_time", "duration", "price")

    def objects(self, path: Path) -> Iterator[tuple[int, Object | None]]:
        """Parents, each with its children. Of these only the places are remembered meanwhile, in
        one number each; one whose parent is not in the file is told by itself."""
        places, names = _children_in(path)
        with path.open("rb") as file:
            for line, found in each_object(path):
                parent = parent_of(found) if found else ""
                if found is None or (parent and hash(parent) not in names):
                    yield line, found
                elif not parent:
                    yield line, {**found, _CHILDREN: list(_at(file, places, found))}

    def parts_of(self, found: Object, adapter: Any) -> Iterator[CallRecord]:
        if parent_of(found):
            raise Unreadable(_("The call that this one is a part of is not in what was fetched."))
        return parts_of(found, found.get(_CHILDREN, ()), adapter)


def _children_in(path: Path) -> tuple[dict[int, list[int]], set[int]]:
    """Where the children of each parent stand, and which parents there are, by the hash of ids."""
    places: dict[int, list[int]] = {}
    names: set[int] = set()
    offset = 0
    with path.open("rb") as file:
        for raw in file:
            found = object_in(raw)
            if found and parent_of(found):
                places.setdefault(hash(parent_of(found)), []).append(offset)
            elif found:
                names.add(hash(text(found.get("sid"))))
            offset += len(raw)
    return places, names


def _at(file: BinaryIO, places: Mapping[int, Sequence[int]], parent: Object) -> Iterator[Object]:
    sid = text(parent.get("sid"))
    for offset in places.get(hash(sid), ()):
        file.seek(offset)
        found = object_in(file.readline())
        if found and parent_of(found) == sid:
            yield found


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
