"""RingCentral's call log, with all legs: a record is a call, and each extension's leg a part.

It tells when a leg began and how long it was with its ringing, never when it was answered. Its
prices are those of a minute, in no currency, so none is taken from it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from calls import timeline
from calls.providers.reading import (
    instant_of,
    joined,
    length_of,
    name_of,
    names,
    objects,
    other_side,
    part,
    text,
)
from reconciliation.call_record import CallRecord
from reconciliation.formats.fetched.lines import FetchedFormat, Object

COMPLETED, NO_ANSWER, FAILED = timeline.COMPLETED, timeline.NO_ANSWER, timeline.FAILED
# Without capitals, spaces and dashes.
RESULTS: Final[Mapping[str, tuple[str, str]]] = {
    **dict.fromkeys(("accepted", "callconnected", "connected", "received"), (COMPLETED, "")),
    **dict.fromkeys(
        ("missed", "noanswer", "voicemail", "answerednotaccepted", "notaccepted"), (NO_ANSWER, "")
    ),
    **dict.fromkeys(("hangup", "abandoned", "stopped", "cancelled"), (NO_ANSWER, "cancelled")),
    **dict.fromkeys(("rejected", "declined"), (NO_ANSWER, "rejected")),
    **dict.fromkeys(("busy", "linebusy"), (NO_ANSWER, "busy")),
    **dict.fromkeys(("wrongnumber", "badnumber", "numberdisabled"), (FAILED, "invalid_number")),
    **dict.fromkeys(
        (
            *("restrictednumber", "internationaldisabled", "internationalrestriction", "blocked"),
            *("nocredit", "notallowed", "suspendedaccount", "accountsuspended", "unpermitted"),
        ),
        (FAILED, "rejected"),
    ),
    **dict.fromkeys(
        (
            *("callfailed", "callfailure", "failed", "internalerror", "ipphoneoffline"),
            *("phoneoffline", "carrierisnotactive"),
        ),
        (FAILED, "network"),
    ),
}


class RingCentralApi(FetchedFormat):
    code = "ringcentral_api"
    title = _("RingCentral, fetched")
    account_kinds = ("ringcentral",)
    kind = "ringcentral"
    marks = ("id", "sessionId", "startTime")
    shown = ("id", "direction", "result", "startTime", "duration")

    def parts_of(self, found: Object, adapter: Any) -> Iterator[CallRecord]:
        return parts_of(found)


def outcome_of(leg: Mapping[str, Any]) -> tuple[str, str]:
    """Status and reason; empty where we do not know the word."""
    said = "".join(filter(str.isalnum, text(leg.get("result")).casefold()))
    return RESULTS.get(said, ("", ""))


def parts_of(call: Mapping[str, Any]) -> Iterator[CallRecord]:
    """The parts that our extensions had in `call`. Raises Unreadable."""
    named = call.get("telephonySessionId")
    session = name_of(named or call.get("sessionId"), "session")
    for extension, leg in _legs_of(call).items():
        record = _record(session, extension, leg)
        # Live events name the session by this id alone.
        yield record if named else replace(record, call="")


def _legs_of(call: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The leg of each extension: whose record it is, and who else answered it.

    A phone that rang in vain for others, as in a queue, is nobody's call.
    """
    found: dict[str, dict[str, Any]] = {}
    for leg in (call, *objects(call.get("legs"))):
        extension = text(part(leg, "extension").get("id"))
        if extension in found:
            lacks = {name: value for name, value in leg.items() if name not in found[extension]}
            found[extension].update(lacks)
        elif extension and (leg is call or outcome_of(leg)[0] == COMPLETED):
            found[extension] = dict(leg)
    return found


def _record(session: str, extension: str, leg: Mapping[str, Any]) -> CallRecord:
    start, precision = instant_of(leg.get("startTime"))
    exact, seconds = length_of(leg.get("durationMs"), 1), length_of(leg.get("duration"))
    length = seconds if exact is None else exact
    status, reason = outcome_of(leg)
    outbound = text(leg.get("direction")).casefold() == "outbound"
    ends = part(leg, "from"), part(leg, "to")
    own, other = ends if outbound else ends[::-1]
    internal = any(text(other.get(f"extension{what}")) for what in ("Id", "Number"))
    party = text(leg.get("partyId"))
    numbers = part(leg, "extension").get("extensionNumber"), own.get("extensionNumber")
    return CallRecord(
        key=joined(session, party or extension),
        start=start,
        end=None if length is None else start + length,
        knows_answer=status in (NO_ANSWER, FAILED),
        duration=length,
        status=status,
        reason=reason,
        call=joined(session, party) if party else "",
        conversation=session,
        agents=names(extension, *numbers, own.get("phoneNumber")),
        number=other_side(other.get("phoneNumber")) or text(other.get("extensionNumber")),
        direction="internal" if internal else "outbound" if outbound else "inbound",
        precision=precision if exact is not None else 1000,
        unit=1000 if exact is None else 1,
    )
