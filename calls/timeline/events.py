"""The words of the ledger, one line of it (Event), and what the fold makes of all (CallState)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

STARTED: Final = "started"
RINGING: Final = "ringing"
ANSWERED: Final = "answered"
HELD: Final = "held"
RESUMED: Final = "resumed"
PAUSED: Final = "paused"
UNPAUSED: Final = "unpaused"
ENDED: Final = "ended"
CORRECTED: Final = "corrected"
NOTED: Final = "noted"
SUMMARY: Final = "summary"
KINDS: Final = (
    STARTED,
    RINGING,
    ANSWERED,
    HELD,
    RESUMED,
    PAUSED,
    UNPAUSED,
    ENDED,
    CORRECTED,
    NOTED,
    SUMMARY,
)

IN_PROGRESS: Final = "IN_PROGRESS"
COMPLETED: Final = "COMPLETED"
DROPPED: Final = "DROPPED"
FAILED: Final = "FAILED"
NO_ANSWER: Final = "NO_ANSWER"
TERMINAL: Final = (COMPLETED, DROPPED, NO_ANSWER, FAILED)
# Ends that say that somebody had answered, where nobody reported when.
ANSWERED_ENDS: Final = (COMPLETED, DROPPED)

# What a `noted` event says of the work after the call.
WRAP_UP_STARTED: Final = "started"
WRAP_UP_ENDED: Final = "ended"

# Evidence classes, best first (design: A provider's record ... E estimated by the watchdog).
RECORD: Final = "A"
LIVE: Final = "B"
CLICK: Final = "C"
OFFLINE: Final = "D"
ESTIMATE: Final = "E"

WATCHDOG: Final = "watchdog"
PROVIDER_PREFIX: Final = "provider:"

# What an ended call may lack: when it began or was answered, some of its events, the provider's
# final record, all that happened while nobody listened, a value that could not be read, or what
# would settle between two ids that contradict each other.
MISSING: Final = ("start", "answer", "events", "record", "gap", "unread", "conflict")


def was_answered(answered: object, status: str) -> bool:
    """Whether somebody answered a call: the instant is known, or its end implies it.

    The database's words for the same rule are calls.models.ANSWERED.
    """
    return answered is not None or status in ANSWERED_ENDS


@dataclass(frozen=True)
class Event:
    """One line of the ledger.

    `key` names the event within its call: two events with the same key are one event. `at` is
    when it happened (ms). `data` depends on the kind: `ended` has status, reason, notes; `summary`
    any of start, answered, end, hold (ms), status, reason; `corrected` the same and `reason`;
    `noted` has any of notes, disposition, wrap_up (WRAP_UP_STARTED or _ENDED), and withdraws (keys
    of lines that are taken back, see calls.timeline.withdrawals); `held` and `resumed` may name the
    party; any may be marked offline.

    A provider's events may say more. `ended` may report start, answered (None: never answered) and
    hold (a length) as `summary` does, and `unanswered`, the status that holds if nobody answered;
    `unsure` says that an answer may have escaped us. `answered` may say that it also `resumes`, or
    that it has only `reached` the other phone, which is no answer yet.
    `provisional` marks what a better event may replace. `number` and `direction` tell whom the call
    is with; `seq`, `leg`, `conversation_seq`, `awaits`, `over` and `paired` let a loss show (see
    calls.timeline.gaps); `record` says that a final record is still to come; `gap` ([since, until]
    in ms) that we may have missed something; `unread` and `conflict` (texts by the name of a field)
    what could not be read and which ids contradict each other. `turn` lets a start begin another
    turn of the same person; a `noted` event says by it, as a number, which turn its ledger is about
    (see calls.timeline.turns).

    `number` grows from line to line that is taken down, of whichever call; 0 where it is not known.
    It says in which order people said something (see calls.timeline.order) and nothing else: phone
    systems' events may come in any order.
    """

    key: str
    kind: str
    at: int
    source: str = "agent"
    data: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0

    @property
    def by_provider(self) -> bool:
        """Whether a phone system said it."""
        return self.source.startswith(PROVIDER_PREFIX)


@dataclass(frozen=True)
class CallState:
    """What the events prove. Lengths in ms; None where it cannot be known (yet)."""

    start: int
    answered: int | None
    end: int | None
    status: str
    end_reason: str
    ended_by: str
    ring: int | None
    hold: int
    paused: int
    duration: int | None
    talk: int | None
    held_since: int | None
    paused_since: int | None
    notes: str
    evidence: str
    holds: tuple[tuple[int, int], ...]  # the closed ones, merged, half-open
    pauses: tuple[tuple[int, int], ...]
    number: str  # the other side, as the provider gives it
    direction: str
    missing: tuple[str, ...]  # of MISSING: what should be known and is not
    disposition: str
    wrap_up: int
    wrap_up_since: int | None  # while it is open
    turns: int  # how often the same person had it (see calls.timeline.turns)
