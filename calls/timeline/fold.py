"""The fold: a call's events -> the one state they prove. Pure; imports nothing of Django.

All instants are integers, milliseconds since 1970-01-01 UTC; all lengths are milliseconds. Any
order and any repetition of the same events gives the same state, because every choice below is a
minimum, a maximum or a sort over the *set* of events, with ties broken by their keys. Nothing
looks at the order in which they are given here, or at the time of arrival.

Of what people say more than once (notes, the outcome, a correction; a hold and its end within one
millisecond) the last word counts, by the number that its line got when it was taken down: two words
may share a millisecond, and clocks are set back. A word that was kept offline has its place by the
instant of the clock that it was said by (see calls.timeline.order). So the order is stored with the
events, and is the same whenever and however they are folded.

Who is believed when sources differ: a provider's final record (`summary`), then what its report of
the end says of earlier instants, then its live events, then those it calls provisional, then people
and programs, then the watchdog's estimate. Corrections lie on top of all. What was taken back says
nothing (see calls.timeline.withdrawals).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from calls.timeline.claims import Claim, claims_of, reported_hold, settled
from calls.timeline.events import (
    ANSWERED,
    ANSWERED_ENDS,
    CLICK,
    COMPLETED,
    CORRECTED,
    ENDED,
    ESTIMATE,
    HELD,
    IN_PROGRESS,
    LIVE,
    MISSING,
    NOTED,
    OFFLINE,
    PAUSED,
    RECORD,
    RESUMED,
    RINGING,
    STARTED,
    SUMMARY,
    TERMINAL,
    UNPAUSED,
    WATCHDOG,
    CallState,
    Event,
)
from calls.timeline.gaps import shows_loss
from calls.timeline.intervals import CLOSES, OPENS, Interval, length, merge, paired
from calls.timeline.noted import disposition_of, notes_of, wrap_up_of
from calls.timeline.order import in_order, step_place
from calls.timeline.other_side import direction_of, number_of
from calls.timeline.turns import FIRST, own_turn
from calls.timeline.withdrawals import standing

_FACTS: Final = frozenset({STARTED, RINGING, ANSWERED, HELD, RESUMED, PAUSED, UNPAUSED, ENDED})


def _identity(event: Event) -> tuple[str, str, int, str, str, int]:
    """Sorts by key, and twins that disagree by what they say, so that the choice is no accident."""
    said = repr(sorted(event.data.items()))
    return event.key, event.kind, event.at, event.source, said, event.number


def _intervals(
    events: list[Event], opens: str, closes: str, since: int, until: int | None
) -> tuple[list[Interval], int | None]:
    """The closed intervals within [since, until], and since when one is open.

    Each party's events are paired by themselves: both sides of a call may hold.
    """
    parties: dict[str, list[tuple[int, int, int]]] = {}
    for event in events:
        closing = event.kind == closes or (closes == RESUMED and event.data.get("resumes"))
        if closing or event.kind == opens:
            party = str(event.data.get("party", ""))
            what = CLOSES if closing else OPENS
            parties.setdefault(party, []).append(step_place(event, what))
    changes = ([(at, what) for at, _number, what in sorted(steps)] for steps in parties.values())
    return paired(changes, since, until)


def fold(events: Iterable[Event]) -> CallState:
    """The state that `events` prove. ValueError if there is no fact among them at all."""
    ledger = standing(_each_once(events))
    known, turn, turns = own_turn(ledger)
    starts = claims_of(known, STARTED, "start")
    answers = claims_of([e for e in known if not e.data.get("reached")], ANSWERED, "answered")
    answered = settled(answers)
    start = _start(known, starts, answered)
    ending = _ending(claims_of(known, ENDED, "end"), answered)
    course = Course(start, answered, ending and ending.at, ending.status if ending else IN_PROGRESS)
    corrections = in_order(e for e in known if e.kind == CORRECTED)
    for correction in corrections:
        course = _corrected(course, correction)
    course = _in_order(course)

    talked_since = course.start if course.answered is None else course.answered
    pauses, paused_since = _intervals(known, PAUSED, UNPAUSED, course.start, course.end)
    holds, held_since = _intervals(known, HELD, RESUMED, talked_since, course.end)
    wrap_up, wrap_up_since = wrap_up_of(known, course.end)
    return CallState(
        **course._asdict(),
        **_lengths(course, pauses, holds, reported_hold(known))._asdict(),
        end_reason=ending.reason if ending else "",
        ended_by=ending.event.source if ending else "",
        held_since=held_since,
        paused_since=paused_since,
        notes=notes_of(known),
        evidence=_evidence(known, ending and ending.event, bool(corrections)),
        holds=tuple(holds),
        pauses=tuple(pauses),
        number=number_of(known),
        direction=direction_of(known),
        missing=_missing(known, ledger, course, bool(starts) or turn > FIRST, answers),
        disposition=disposition_of(known),
        wrap_up=wrap_up,
        wrap_up_since=wrap_up_since,
        turns=turns,
    )


class Course(NamedTuple):
    """When a call began, was answered and ended, in ms; None: not, or not yet."""

    start: int
    answered: int | None
    end: int | None
    status: str


class Lengths(NamedTuple):
    """How long a call rang, was held, paused, lasted and was talked, in ms; None: not known yet."""

    ring: int | None
    hold: int
    paused: int
    duration: int | None
    talk: int | None


class Ending(NamedTuple):
    """The end that is believed, and how it was."""

    at: int
    status: str
    reason: str
    event: Event


def _each_once(events: Iterable[Event]) -> list[Event]:
    """In the order of their keys, which settles what else is equal."""
    by_key: dict[str, Event] = {}
    for event in sorted(events, key=_identity):
        by_key.setdefault(event.key, event)
    return list(by_key.values())


def _start(known: list[Event], starts: list[Claim], answered: int | None) -> int:
    # A record that does not say when the call began may be all that we ever hear of it.
    facts = [e for e in known if e.kind in _FACTS] or [e for e in known if e.kind == SUMMARY]
    if not starts and not facts:
        raise ValueError("a call needs at least one event that says when it was")
    start = settled(starts)
    if start is not None:
        return start
    earliest = min(e.at for e in facts)
    # An end that is all we hear may say when the answer was: the call had begun by then.
    return earliest if answered is None else min(earliest, answered)


def _ending(ends: list[Claim], answered: int | None) -> Ending | None:
    """Of the most believed claims, the earliest; at one instant, the happier status."""
    if not ends:
        return None
    best = min(ends, key=lambda claim: (claim.doubt, claim.at, _severity(claim.event)))
    status, reason = _outcome([best.event, *(claim.event for claim in ends)], answered)
    return Ending(best.at, status, reason, best.event)


def _corrected(course: Course, correction: Event) -> Course:
    said = correction.data
    course = course._replace(start=int(said.get("start", course.start)))
    if "answered" in said:
        reported = said["answered"]
        course = course._replace(answered=None if reported is None else int(reported))
    if course.end is None:
        return course
    status = str(said.get("status", course.status))
    return course._replace(end=int(said.get("end", course.end)), status=status)


def _in_order(course: Course) -> Course:
    """No end before the start, and an answer between the two."""
    start, answered, end, _ = course
    if end is not None:
        end = max(end, start)
    if answered is not None:
        answered = max(answered, start) if end is None else min(max(answered, start), end)
    return course._replace(answered=answered, end=end)


def _lengths(
    course: Course, pauses: list[Interval], holds: list[Interval], reported_hold: int | None
) -> Lengths:
    start, answered, end, status = course
    paused = sum(b - a for a, b in pauses)
    hold = sum(b - a for a, b in holds)
    ring = duration = talk = None
    if answered is not None:
        ring = answered - start - length(pauses, start, answered)
    if end is not None:
        duration = end - start - paused
        if answered is not None:
            talk = end - answered - length(merge(pauses + holds), answered, end)
            if reported_hold is not None:
                talked = end - answered - length(pauses, answered, end)
                hold = min(reported_hold, talked)
                talk = talked - hold
        elif status in ANSWERED_ENDS:
            ring, talk = 0, duration
        else:
            ring, talk = duration, 0
    return Lengths(ring, hold, paused, duration, talk)


def _outcome(events: list[Event], answered: int | None) -> tuple[str, str]:
    """The status and reason of the most believed end that tells them."""
    telling = next((e for e in events if "status" in e.data), events[0])
    status = str(telling.data.get("status", COMPLETED))
    if answered is None and "unanswered" in telling.data:
        status = str(telling.data["unanswered"])
    return status, str(telling.data.get("reason", ""))


def _missing(
    known: list[Event], ledger: list[Event], course: Course, has_start: bool, answers: list[Claim]
) -> tuple[str, ...]:
    """What an ended call that a provider reported lacks, in the order of MISSING."""
    start, _, end, status = course
    if end is None:
        return ()
    reported = [e for e in known if e.by_provider]
    if not reported:
        return ()

    def told(name: str) -> bool:
        return any(event.data.get(name) for event in reported)

    lacks = {
        "start": not has_start,
        "answer": not answers and (status == COMPLETED or told("unsure")),
        "events": shows_loss([e for e in ledger if e.by_provider]),  # of all turns
        "record": told("record") and not any(e.kind == SUMMARY for e in reported),
        "gap": any(
            e.data["gap"][0] < end and start < e.data["gap"][1] for e in reported if _gap(e)
        ),
        "unread": told("unread"),
        "conflict": told("conflict"),
    }
    return tuple(name for name in MISSING if lacks[name])


def _gap(event: Event) -> bool:
    return event.kind == NOTED and "gap" in event.data


def _severity(event: Event) -> int:
    status = event.data.get("status", COMPLETED)
    return TERMINAL.index(status) if status in TERMINAL else len(TERMINAL)


def _evidence(known: list[Event], final: Event | None, corrected: bool) -> str:
    if any(e.kind == SUMMARY for e in known):
        return RECORD
    reported_live = any(e.by_provider for e in known) if final is None else final.by_provider
    if reported_live:
        return LIVE
    if final is not None and final.source == WATCHDOG and not corrected:
        return ESTIMATE
    if any(e.data.get("offline") for e in known if e.kind in (STARTED, ENDED)):
        return OFFLINE
    return CLICK
