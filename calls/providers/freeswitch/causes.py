"""What FreeSWITCH's causes of hanging up say about how a call ended."""

from collections.abc import Mapping

from calls import timeline
from calls.providers.base import outcome_of_cause

# Names of causes whose Q.850 number decides.
Q850: Mapping[str, int] = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_TRANSIT_NET": 2,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "SUBSCRIBER_ABSENT": 20,
    "CALL_REJECTED": 21,
    "NUMBER_CHANGED": 22,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34,
    "NETWORK_OUT_OF_ORDER": 38,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42,
    "REQUESTED_CHAN_UNAVAIL": 44,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "PROTOCOL_ERROR": 111,
    "INTERWORKING": 127,
    "USER_NOT_REGISTERED": 20,
    "NO_PICKUP": 19,
}
_COMPLETED, _NO_ANSWER = (timeline.COMPLETED, ""), (timeline.NO_ANSWER, "")
_BROKEN = (timeline.DROPPED, "network"), (timeline.FAILED, "network")
# FreeSWITCH's own causes: what they mean after an answer, and before.
OWN: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "ORIGINATOR_CANCEL": (_COMPLETED, (timeline.NO_ANSWER, "cancelled")),
    "MANAGER_REQUEST": (_COMPLETED, (timeline.NO_ANSWER, "cancelled")),
    "LOSE_RACE": (_COMPLETED, (timeline.NO_ANSWER, "elsewhere")),
    "PICKED_OFF": (_COMPLETED, (timeline.NO_ANSWER, "elsewhere")),
    "ALLOTTED_TIMEOUT": (_COMPLETED, _NO_ANSWER),
    "ATTENDED_TRANSFER": (_COMPLETED, _NO_ANSWER),
    "BLIND_TRANSFER": (_COMPLETED, _NO_ANSWER),
    "MEDIA_TIMEOUT": ((timeline.DROPPED, "media_timeout"), (timeline.FAILED, "network")),
    "PROGRESS_TIMEOUT": (_COMPLETED, _NO_ANSWER),
    **dict.fromkeys(
        ("SYSTEM_SHUTDOWN", "CRASH", "GATEWAY_DOWN", "EXCHANGE_ROUTING_ERROR"), _BROKEN
    ),
}


def outcome(cause: str, number: int | None, answered: bool) -> tuple[str, str]:
    """Status and reason of a call that ended with `cause`, whose Q.850 number the record may tell;
    ("", "") where we do not know it."""
    if cause in OWN:
        return OWN[cause][0 if answered else 1]
    number = Q850.get(cause, number)
    return ("", "") if number is None else outcome_of_cause(number, answered)
