"""What a dial's status and the causes of hanging up say about how a call ended."""

from collections.abc import Iterable, Mapping

from calls import timeline
from calls.providers.asterisk.legs import Attempt, ConversationPart, Leg, Role
from calls.providers.base import DROPPED_CAUSES, UNANSWERED_CAUSES, outcome_of_cause

# Who hung up, seen from a part's own leg.
OWN_SIDE, OTHER_SIDE = "agent_hangup", "remote_hangup"

ANSWER, CANCEL, CHANUNAVAIL = "ANSWER", "CANCEL", "CHANUNAVAIL"

_DIALS: Mapping[str, tuple[str, str]] = {
    "BUSY": (timeline.NO_ANSWER, "busy"),
    "NOANSWER": (timeline.NO_ANSWER, ""),
    CANCEL: (timeline.NO_ANSWER, "cancelled"),
    "CONGESTION": (timeline.FAILED, "congestion"),
    CHANUNAVAIL: (timeline.FAILED, "network"),
}
# Causes that tell more than the dial's status: a number that does not exist is a NOANSWER to Dial.
_TELLING = frozenset({1, 2, 3, 17, 21, 28, 34, 42})
# What a channel ends with when nobody but its own side ended it.
_PLAIN = frozenset({0, 16, 127})


def unanswered(dial_status: str, causes: Iterable[int]) -> tuple[str, str]:
    """Status and reason of a call nobody answered: how its last dial ended ("" if none did), and
    the Q.850 causes of its channels, the most telling first."""
    causes = [cause for cause in causes if cause]
    if dial_status == CANCEL:
        return _DIALS[CANCEL]
    telling = _TELLING | {18, 19, 20} if dial_status == CHANUNAVAIL else _TELLING
    for cause in causes:
        if cause in telling:
            return UNANSWERED_CAUSES[cause]
    if dial_status in _DIALS:
        return _DIALS[dial_status]
    odd = [cause for cause in causes if cause not in _PLAIN]
    return outcome_of_cause(odd[0], answered=False) if odd else _DIALS[CANCEL]


def answered(causes: Iterable[int], hung_up_by: str) -> tuple[str, str]:
    """Status and reason of a call that was answered; `hung_up_by` is the reason if all was well."""
    dropped = [cause for cause in causes if cause in DROPPED_CAUSES]
    if dropped:
        return outcome_of_cause(dropped[0], answered=True)
    return timeline.COMPLETED, hung_up_by


def unserved(dial_status: str, hung_up_by: str) -> tuple[str, str]:
    """Status and reason of a caller's call that no agent had: gave up, or was sent away."""
    gave_up = dial_status == CANCEL or hung_up_by == OWN_SIDE
    return timeline.NO_ANSWER, "cancelled" if gave_up else ""


def of_part(leg: Leg, part: ConversationPart, cause: int, at: int) -> tuple[int, str, str]:
    """When (ms), with which status and for which reason a part ended whose `leg` was hung up at
    `at`."""
    attempt = leg.attempt or Attempt()
    if part.answered is not None:
        status, reason = answered((cause, leg.last_cause), part.hung_up_by)
        if leg.transferred:
            status, reason = timeline.COMPLETED, OWN_SIDE
        return leg.left_alone(at), status, reason
    if not part.agent:
        return at, *unserved(attempt.status, part.hung_up_by)
    if leg.role is Role.DIALLED:
        # Whoever called an agent was missed, whatever the network says.
        reason = unanswered(attempt.status, (cause,))[1]
        return attempt.ended or at, timeline.NO_ANSWER, reason
    end = at if leg.in_queue else leg.left_alone(at)
    return end, *unanswered(attempt.status, (attempt.cause, cause))
