"""One call as a phone system's own record tells it. Pure; no Django.

All instants are integers, milliseconds since 1970-01-01 UTC; all lengths are milliseconds.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

# How a phone system makes whole units of its lengths.
EXACT: Final = "exact"
FLOOR: Final = "floor"
NEAREST: Final = "nearest"
CEILING: Final = "ceiling"
ROUNDINGS: Final = (EXACT, FLOOR, NEAREST, CEILING)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What a record says of one agent's part of one call; None and "" where it does not say.

    `key` names the record within its account: the same key again is the same record. `call` is the
    id that the live events of the same system give this part, `conversation` that of the whole
    call. `lines` are the places in the file (1 is its first line). `agents` are the system's names
    for our agent, the best first; `number` is the other side as given.

    `answered` is None where nobody answered, if `knows_answer`; else nobody said. `duration` is
    from start to end, ring included, `talk` from answer to end, as the record states them:
    `unit` is what a stated length is counted in (1000: whole seconds) and `rounding` how; instants
    are exact to `precision`. `status` and `reason` are words of calls.timeline.

    `price` is what the provider bills for it, always >= 0, in `currency` (ISO 4217).
    `doubtful` is a sentence where the record may be another call's.
    """

    key: str
    start: int
    end: int | None = None
    answered: int | None = None
    knows_answer: bool = True
    duration: int | None = None
    talk: int | None = None
    hold: int | None = None
    status: str = ""
    reason: str = ""
    call: str = ""
    conversation: str = ""
    agents: tuple[str, ...] = ()
    number: str = ""
    direction: str = ""
    precision: int = 1000
    unit: int = 1000
    rounding: str = FLOOR
    price: Decimal | None = None
    currency: str = ""
    doubtful: str = ""
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be read, and why, as a sentence in the reader's language."""

    line: int
    why: str
