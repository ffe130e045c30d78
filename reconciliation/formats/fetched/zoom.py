"""Zoom's call history of an account: an entry is a call as one of our people had it.

An entry without a field for the instant of the answer leaves it open (older ones have none).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.providers.base import ProviderEvent
from calls.providers.reading import joined, text
from calls.providers.zoom.adapter import Zoom
from calls.providers.zoom.results import RESULTS, plain
from reconciliation.call_record import CallRecord
from reconciliation.formats.fetched.events import read_by, record_of
from reconciliation.formats.fetched.lines import FetchedFormat, Object

_SIDES: Final = {"outbound": "caller", "inbound": "callee"}
_PEOPLE: Final = frozenset({"user", ""})


class ZoomApi(FetchedFormat):
    code = "zoom_api"
    title = _("Zoom Phone, fetched")
    account_kinds = ("zoom",)
    kind = "zoom"
    marks = ("call_id", "start_time", "direction")
    shown = ("call_id", "direction", "start_time", "answer_time", "end_time", "call_result")

    def parts_of(self, found: Object, adapter: Any) -> Iterator[CallRecord]:
        return parts_of(found, adapter)


def parts_of(entry: Mapping[str, Any], adapter: Zoom) -> Iterator[CallRecord]:
    """The part of whose entry it is; of a call between two of ours the other's, too."""
    own = _SIDES.get(text(entry.get("direction")).casefold(), "caller")
    for side in ("caller", "callee"):
        if side == own or _is_ours(entry, side):
            yield from _part(entry, adapter, side)


def _is_ours(entry: Mapping[str, Any], side: str) -> bool:
    """Whether the other side of `entry` is one of our people and not a queue or a menu."""
    internal = plain(text(entry.get("connect_type"))) == "internal"
    kind = plain(text(entry.get(f"{side}_ext_type")))
    return internal and kind in _PEOPLE and bool(text(entry.get(f"{side}_ext_number")))


def _part(entry: Mapping[str, Any], adapter: Zoom, side: str) -> Iterator[CallRecord]:
    result = text(entry.get("result")) or text(entry.get("call_result"))
    log = {**entry, "result": result}
    message = {
        "event": f"phone.{side}_call_history_completed",
        "payload": {"object": {"call_logs": [log]}},
    }
    for event in read_by(adapter, json.dumps(message).encode()):
        known = _without_guess(event) if _leaves_open(entry, result) else event
        record = record_of([known], "")
        yield replace(record, key=joined(record.call, str(record.start)))


def _leaves_open(entry: Mapping[str, Any], result: str) -> bool:
    """Whether it says that somebody answered, and has no place for when."""
    return "answer_time" not in entry and RESULTS.get(plain(result), ("", ""))[0] == (
        timeline.COMPLETED
    )


def _without_guess(event: ProviderEvent) -> ProviderEvent:
    """Of a history without an instant of the answer, the adapter takes it that there was none."""
    told = {name: value for name, value in event.data.items() if name != "answered"}
    return replace(event, data=told | {"status": timeline.COMPLETED})
