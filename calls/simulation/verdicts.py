"""What really happened against what was recorded, call by call."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from calls import timeline
from calls.models import CallLog
from calls.simulation.base import ScriptedCall
from common.instants import from_ms

EXACT: Final = "exact"
MARKED: Final = "marked"  # not exact, and the page says so
UNHEARD: Final = "unheard"  # every message about it was lost: nobody can know
SILENT: Final = "WRONG"  # not exact, and nothing says so
LOST: Final = "LOST"  # a message about it arrived, and no call was recorded
DOUBLED: Final = "DOUBLED"
BAD: Final = (SILENT, LOST, DOUBLED)
VERDICTS: Final = (EXACT, MARKED, UNHEARD, *BAD)


@dataclass(frozen=True)
class Verdict:
    """`reported`: the call as far as its provider can tell it; `calls`: what was recorded of it."""

    reported: ScriptedCall
    calls: tuple[CallLog, ...]
    said: str

    @property
    def marks(self) -> str:
        """What the page says of the call's lacks."""
        if len(self.calls) != 1:
            return ""
        (call,) = self.calls
        estimated = ["estimate"] if call.evidence == timeline.ESTIMATE else []
        return ",".join([*(["open"] if call.end_time is None else []), *estimated, *call.lacks])


def judge(reported: ScriptedCall, calls: Sequence[CallLog], heard: bool) -> Verdict:
    """`heard`: whether any message that makes the call arrived."""
    verdict = Verdict(reported, tuple(calls), "")
    if len(calls) > 1:
        said = DOUBLED
    elif not calls:
        said = LOST if heard else UNHEARD
    elif expected(reported) == recorded(calls[0]):
        said = EXACT
    else:
        said = MARKED if verdict.marks else SILENT
    return Verdict(reported, tuple(calls), said)


def expected(reported: ScriptedCall) -> dict[str, Any]:
    """The truth as a record shows it: whole seconds."""
    truth = reported.truth
    lengths = {name: truth[name] // 1000 for name in ("ring", "hold", "talk", "duration")}
    return {"status": reported.status, **lengths, "start": reported.start // 1000}


def recorded(call: CallLog) -> dict[str, Any]:
    return {
        "status": call.status,
        "ring": call.ring_seconds,
        "hold": call.hold_seconds,
        "talk": call.talk_seconds,
        "duration": call.duration_seconds,
        "start": int((call.start_time - from_ms(0)).total_seconds()),
    }


def counted(verdicts: Sequence[Verdict]) -> dict[str, int]:
    found = Counter(verdict.said for verdict in verdicts)
    return {said: found[said] for said in VERDICTS}
