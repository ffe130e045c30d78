"""What we hold of a call, who told it, and how precisely. Pure but for the call's row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calls import timeline
from calls.models import CallLog
from common.instants import to_ms

# A person says what has just happened: the phone rang, was picked up or hung up some moments before
# or after the click. So a click claims to know the phone's instants to five seconds.
CLICK_MS: Final = 5_000
_TYPED_MS: Final = 1_000  # what people type in a correction


@dataclass(frozen=True)
class Told:
    """An instant of ours; `precision` None where nobody has told it, or only guessed."""

    at: int | None
    precision: int | None


@dataclass(frozen=True)
class Ours:
    """A call as the ledger proves it (ms). `is_heard`: its phone system told when it began;
    `is_dialled`: and a click, or another program, had asked for it, so that the agent's own phone
    may have rung first. `knows_hold`: it told the holds as they happened, and nothing was missed
    meanwhile.
    """

    start: Told
    answered: Told
    end: Told
    status: str
    talk: int | None
    duration: int | None
    is_heard: bool
    is_dialled: bool
    knows_hold: bool

    @property
    def was_answered(self) -> bool:
        return timeline.was_answered(self.answered.at, self.status)


def ours_of(call: CallLog, ledger: Iterable[timeline.Event], precisions: Mapping[str, int]) -> Ours:
    """`precisions`: of the lines of its ledger, by their keys."""
    facts = timeline.standing(list(ledger))
    start = to_ms(call.start_time)
    answered = None if call.answered_time is None else to_ms(call.answered_time)
    end = None if call.end_time is None else to_ms(call.end_time)
    if call.ended_by == timeline.WATCHDOG:  # it may have cut off an answer that was told
        guessed = timeline.fold(fact for fact in facts if fact.source != timeline.WATCHDOG)
        start, answered = guessed.start, guessed.answered
    is_heard = any(_is_from_phone(fact, timeline.STARTED, "start") for fact in facts)
    return Ours(
        _told(start, timeline.STARTED, "start", facts, precisions),
        _told(answered, timeline.ANSWERED, "answered", facts, precisions),
        _told(end, timeline.ENDED, "end", facts, precisions),
        call.status,
        None if call.talk_seconds is None else call.talk_seconds * 1000,
        None if call.duration_seconds is None else call.duration_seconds * 1000,
        is_heard,
        is_heard and any(_is_own_ring(fact, start) for fact in facts),
        "gap" not in call.missing
        and any(_is_from_phone(fact, timeline.HELD, "hold") for fact in facts),
    )


def _is_own_ring(fact: timeline.Event, start: int) -> bool:
    """Whether it says that somebody asked for the call: by a click here, or by the ring of the
    agent's own phone before the other side's."""
    if fact.key == timeline.STARTED:
        return True
    is_ring = fact.kind == timeline.STARTED and fact.by_provider and fact.at < start
    return is_ring and bool(fact.data.get("provisional"))


def _told(
    at: int | None,
    kind: str,
    name: str,
    facts: Sequence[timeline.Event],
    precisions: Mapping[str, int],
) -> Told:
    """The best that anybody told of it."""
    if any(fact.kind == timeline.CORRECTED and _corrects(fact, name) for fact in facts):
        return Told(at, _TYPED_MS)
    heard = [fact for fact in facts if _is_from_phone(fact, kind, name)]
    if heard:
        believed = [fact for fact in heard if _instant(fact, kind, name) == at]
        return Told(at, min(precisions.get(fact.key, 1) for fact in believed or heard))
    if any(fact.kind == kind and _is_a_persons(fact) for fact in facts):
        return Told(at, CLICK_MS)
    return Told(at, None)


def _corrects(fact: timeline.Event, name: str) -> bool:
    """A correction without any instant confirms the call as it stands."""
    named = {"start", "answered", "end"} & fact.data.keys()
    return name in named or (name == "end" and not named)


def _is_from_phone(fact: timeline.Event, kind: str, name: str) -> bool:
    if not fact.by_provider:
        return False
    is_live = fact.kind == kind and not fact.data.get("provisional")
    return (is_live and not fact.data.get("reached")) or name in fact.data


def _instant(fact: timeline.Event, kind: str, name: str) -> Any:
    return fact.at if fact.kind == kind else fact.data.get(name)


def _is_a_persons(fact: timeline.Event) -> bool:
    return not fact.by_provider and fact.source != timeline.WATCHDOG
