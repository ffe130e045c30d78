"""Aircall's list of calls: a record is a call as its last agent had it, in whole seconds.

Its `duration` has the ringing in it.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calls.providers.aircall import Aircall
from calls.providers.base import Unreadable
from calls.providers.reading import instant_of, is_empty, length_of, part
from reconciliation.call_record import CallRecord
from reconciliation.formats.fetched.events import read_by, record_of
from reconciliation.formats.fetched.lines import FetchedFormat, Object

_RECORD: Final = "call.ended"  # the event that carries the same object half a minute after the end


class AircallApi(FetchedFormat):
    code = "aircall_api"
    title = gettext_lazy("Aircall, fetched")
    account_kinds = ("aircall",)
    kind = "aircall"
    marks = ("id", "started_at", "direction")
    shown = ("id", "direction", "raw_digits", "started_at", "answered_at", "ended_at")

    def parts_of(self, found: Object, adapter: Any) -> Iterator[CallRecord]:
        return parts_of(found, adapter)


def parts_of(call: Mapping[str, Any], adapter: Aircall) -> Iterator[CallRecord]:
    """The last agent's part of `call`; none where it was passed on to nobody."""
    if is_empty(call.get("ended_at")):
        raise Unreadable(_("The record does not say when the call ended."))
    message = {"event": _RECORD, "timestamp": call["ended_at"], "data": dict(call)}
    events = read_by(adapter, json.dumps(message).encode())
    if not events:
        return
    passed_on = bool(part(call, "transferred_by"))
    start = instant_of(call.get("started_at"))[0]
    yield record_of(
        events,
        events[0].call,
        start,
        duration=None if passed_on else length_of(call.get("duration")),
        doubtful=_("The call was transferred, and the record does not say when.")
        if passed_on
        else "",
    )
