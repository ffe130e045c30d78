"""When a call was, from the instants and lengths that a report gives: enough of them say it all."""

from collections.abc import Mapping
from typing import Any

from calls import timeline
from calls.providers.reading import Values

INSTANTS = ("started_at", "answered_at", "ended_at")
# The whole call, until the answer, and from the answer to the end (the hold is in it).
LENGTHS = ("duration_seconds", "ring_seconds", "connected_seconds", "hold_seconds")
TIMES = (*INSTANTS, *LENGTHS)
# What many systems call them, where the account says nothing else.
USUAL_NAMES: Mapping[str, str] = {
    "started_at": "start_time",
    "answered_at": "answer_time",
    "ended_at": "end_time",
    "duration_seconds": "duration",
    "connected_seconds": "billsec",
}


class Times:
    """Instants and lengths in ms, None where they are not told and do not follow."""

    def __init__(
        self,
        said: Mapping[str, Any],
        values: Values,
        zone: str,
        unit_ms: int,
        *,
        at: int | None,
        received: int,
        never: bool,
    ):
        """`at`: the end, where nothing else tells it; of lengths alone, when the message was
        `received`. `never`: nobody answered, if nothing says that somebody did."""
        start, answered, end = (values.instant(name, said.get(name), zone) for name in INSTANTS)
        whole, ring, self._connected, self.hold = (
            values.length(name, said.get(name), unit_ms) for name in LENGTHS
        )
        connected = self._connected
        self.end = _first(
            end,
            _sum(start, whole),
            _sum(answered, connected),
            _sum(_sum(start, ring), connected),
            at,
            _sum(start, ring) if never or connected == 0 else None,
        )
        self._told_end = self.end
        if self.end is None and start is None and answered is None and (whole or connected):
            self.end = received
        # Of a call that nobody answered many say 0: they count from the answer.
        self.start = _first(start, _sum(self.end, whole or None, -1), _sum(answered, ring, -1))
        if answered is None and connected:
            answered = _sum(self.end, connected, -1)
        self.answered = answered
        self._ring = ring
        self._never = answered is None and (never or connected == 0)

    @property
    def status(self) -> str:
        """What they prove; "" where they do not tell whether anybody answered."""
        if self.answered is not None:
            return timeline.COMPLETED
        return timeline.NO_ANSWER if self._never else ""

    def reported(self, status: str) -> dict[str, Any]:
        """What an event's data say of them, of a call that ended as `status`."""
        answered = self.answered
        if answered is None and status in timeline.ANSWERED_ENDS:
            answered = _sum(self.start, self._ring) if self._connected is None else self.end
        data = {"start": self.start, "answered": answered, "end": self._told_end, "hold": self.hold}
        found: dict[str, Any] = {name: value for name, value in data.items() if value is not None}
        if answered is None and status not in timeline.ANSWERED_ENDS:
            found["answered"] = None
        return found


def _sum(instant: int | None, length: int | None, sign: int = 1) -> int | None:
    return None if instant is None or length is None else instant + sign * length


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
