"""How Zoom says that a call went."""

from collections.abc import Mapping

from calls import timeline

COMPLETED, NO_ANSWER, FAILED = timeline.COMPLETED, timeline.NO_ANSWER, timeline.FAILED
ELSEWHERE = ("", "elsewhere")
# handup_result (sic) of an event, and result of the history, without capitals, spaces and dashes.
RESULTS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("callconnected", "connected", "answered", "accepted"), (COMPLETED, "")),
    **dict.fromkeys(("pickedup", "succeeded", "callfinished", "completed"), (COMPLETED, "")),
    **dict.fromkeys(
        ("callcancel", "callcanceled", "canceled", "cancelled"), (NO_ANSWER, "cancelled")
    ),
    **dict.fromkeys(("hangup", "abandoned"), (NO_ANSWER, "cancelled")),
    **dict.fromkeys(("noanswer", "missed", "ringtimeout", "voicemail"), (NO_ANSWER, "")),
    **dict.fromkeys(("rejected", "declined", "callrejected"), (NO_ANSWER, "rejected")),
    "busy": (NO_ANSWER, "busy"),
    **dict.fromkeys(("callfailed", "failed", "unconnected"), (FAILED, "network")),
    **dict.fromkeys(("serviceunavailable", "systemblock"), (FAILED, "network")),
    **dict.fromkeys(
        ("invalidnumber", "invalidkey", "invalidoperation"), (FAILED, "invalid_number")
    ),
    **dict.fromkeys(("answeredbyothermember", "answeredbyother"), ELSEWHERE),
}


def plain(reported: str) -> str:
    """Without capitals, spaces and dashes."""
    return "".join(filter(str.isalnum, reported.casefold()))


def words(reason: str, reported: str) -> dict[str, str]:
    """Our reason and the provider's own words for it, where there are any."""
    return {name: said for name, said in (("reason", reason), ("cause", reported)) if said}
