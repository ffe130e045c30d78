"""The fold: a call's events -> the one state they prove. Pure; imports nothing of Django.

All instants are integers, milliseconds since 1970-01-01 UTC; all lengths are milliseconds. Any
order and any repetition of the same events gives the same state, because every choice below is a
minimum, a maximum or a sort over the *set* of events, with ties broken by their keys. Nothing
looks at the order or the time of arrival.

Who is believed when sources differ: a provider's final record (`summary`), then a provider's live
events, then people and programs, then the watchdog's estimate. Corrections lie on top of all.
"""

from collections.abc import Iterable, Mapping
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

# Evidence classes, best first (design: A provider's record ... E estimated by the watchdog).
RECORD: Final = "A"
LIVE: Final = "B"
CLICK: Final = "C"
OFFLINE: Final = "D"
ESTIMATE: Final = "E"

WATCHDOG: Final = "watchdog"
PROVIDER_PREFIX: Final = "provider:"

_FACTS: Final = frozenset({STARTED, RINGING, ANSWERED, HELD, RESUMED, PAUSED, UNPAUSED, ENDED})


@dataclass(frozen=True)
class Event:
    """One line of the ledger.

    `key` names the event within its call: two events with the same key are one event. `at` is
    when it happened (ms). `data` depends on the kind: `ended` has status, reason, notes; `summary`
    any of start, answered, end (ms), status, reason; `corrected` the same and `reason`; `noted`
    has notes; `held` and `resumed` may name the party; any may be marked offline.
    """

    key: str
    kind: str
    at: int
    source: str = "agent"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CallState:
    """What the events prove. Lengths in ms; None where it cannot be known (yet)."""

    start: int
    answered: int | None = None
    end: int | None = None
    status: str = IN_PROGRESS
    end_reason: str = ""
    ended_by: str = ""
    ring: int | None = None
    hold: int = 0
    paused: int = 0
    duration: int | None = None
    talk: int | None = None
    held_since: int | None = None
    paused_since: int | None = None
    notes: str = ""
    evidence: str = CLICK
    holds: tuple[tuple[int, int], ...] = ()  # the closed ones, merged, half-open
    pauses: tuple[tuple[int, int], ...] = ()


def _identity(event: Event) -> tuple[str, str, int, str, str]:
    """Sorts by key, and twins that disagree by what they say, so that the choice is no accident."""
    said = repr(sorted(event.data.items(), key=lambda item: item[0]))
    return event.key, event.kind, event.at, event.source, said


def _rank(event: Event) -> int:
    if event.kind == SUMMARY:
        return 3
    if event.source.startswith(PROVIDER_PREFIX):
        return 2
    return 0 if event.source == WATCHDOG else 1


def _claims(events: list[Event], kind: str, name: str) -> list[tuple[int, int, str, Event]]:
    """Who says when `kind` happened: (-rank, instant, key, event), the most believed first."""
    claims = [(-_rank(e), e.at, e.key, e) for e in events if e.kind == kind]
    claims += [
        (-_rank(e), int(e.data[name]), e.key, e)
        for e in events
        if e.kind == SUMMARY and e.data.get(name) is not None
    ]
    return sorted(claims, key=lambda claim: claim[:3])


def _intervals(
    events: list[Event], opens: str, closes: str, since: int, until: int | None
) -> tuple[list[tuple[int, int]], int | None]:
    """The merged closed intervals within [since, until], and since when one is open.

    Each party's events are paired by themselves; a second opening while open says nothing new, nor
    does a closing while closed. At the same instant an opening goes before a closing.
    """
    parties: dict[str, list[tuple[int, int, str]]] = {}
    for event in events:
        if event.kind in (opens, closes):
            party = str(event.data.get("party", ""))
            order = 0 if event.kind == opens else 1
            parties.setdefault(party, []).append((event.at, order, event.key))
    found: list[tuple[int, int]] = []
    open_since: list[int] = []
    for changes in parties.values():
        begun: int | None = None
        for at, order, _key in sorted(changes):
            if order == 0 and begun is None:
                begun = at
            elif order == 1 and begun is not None:
                found.append((begun, at))
                begun = None
        if begun is not None:
            if until is None:
                open_since.append(max(begun, since))
            else:
                found.append((begun, until))
    clipped = [
        (max(a, since), b if until is None else min(b, until))
        for a, b in found
        if b > since and (until is None or a < until)
    ]
    merged = merge(clipped)
    return merged, min(open_since) if open_since else None


def merge(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The union of half-open intervals, sorted and disjoint."""
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(interval for interval in intervals if interval[1] > interval[0]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def length(intervals: Iterable[tuple[int, int]], since: int, until: int) -> int:
    """How much of [since, until] the disjoint `intervals` cover, in ms."""
    return sum(max(0, min(b, until) - max(a, since)) for a, b in intervals)


def fold(events: Iterable[Event]) -> CallState:
    """The state that `events` prove. ValueError if there is no fact among them at all."""
    by_key: dict[str, Event] = {}
    for event in sorted(events, key=_identity):
        by_key.setdefault(event.key, event)
    known = list(by_key.values())
    facts = [e for e in known if e.kind in _FACTS]
    starts = _claims(known, STARTED, "start")
    if not starts and not facts:
        raise ValueError("a call needs at least one event that says when it was")
    start = starts[0][1] if starts else min(e.at for e in facts)

    ends = _claims(known, ENDED, "end")
    end: int | None = None
    status, reason, ended_by, ended_notes = IN_PROGRESS, "", "", None
    final: Event | None = None
    if ends:
        best = ends[0][0]
        # Of the most believed claims, the earliest; at one instant, the happier status.
        _, end, _, final = min(
            (claim for claim in ends if claim[0] == best),
            key=lambda claim: (claim[1], _severity(claim[3]), claim[2]),
        )
        status = str(final.data.get("status", COMPLETED))
        reason = str(final.data.get("reason", ""))
        ended_by = final.source
        ended_notes = final.data.get("notes")

    answers = _claims(known, ANSWERED, "answered")
    answered = answers[0][1] if answers else None

    corrections = sorted((e for e in known if e.kind == CORRECTED), key=lambda e: (e.at, e.key))
    for correction in corrections:
        start = int(correction.data.get("start", start))
        if "answered" in correction.data:
            told = correction.data["answered"]
            answered = None if told is None else int(told)
        if end is not None:
            end = int(correction.data.get("end", end))
            status = str(correction.data.get("status", status))

    if end is not None:
        end = max(end, start)
    if answered is not None:
        answered = max(answered, start) if end is None else min(max(answered, start), end)

    pauses, paused_since = _intervals(known, PAUSED, UNPAUSED, start, end)
    holds, held_since = _intervals(
        known, HELD, RESUMED, start if answered is None else answered, end
    )
    paused = sum(b - a for a, b in pauses)
    hold = sum(b - a for a, b in holds)
    ring = duration = talk = None
    if answered is not None:
        ring = answered - start - length(pauses, start, answered)
    if end is not None:
        duration = end - start - paused
        if answered is not None:
            talk = end - answered - length(merge(pauses + holds), answered, end)
        elif status in (COMPLETED, DROPPED):
            ring, talk = 0, duration
        else:
            ring, talk = duration, 0

    return CallState(
        start=start,
        answered=answered,
        end=end,
        status=status,
        end_reason=reason,
        ended_by=ended_by,
        ring=ring,
        hold=hold,
        paused=paused,
        duration=duration,
        talk=talk,
        held_since=held_since if end is None else None,
        paused_since=paused_since if end is None else None,
        notes=_notes(known, final, ended_notes),
        evidence=_evidence(known, final, bool(corrections)),
        holds=tuple(holds),
        pauses=tuple(pauses),
    )


def _severity(event: Event) -> int:
    status = event.data.get("status", COMPLETED)
    return TERMINAL.index(status) if status in TERMINAL else len(TERMINAL)


def _notes(known: list[Event], final: Event | None, ended_notes: Any) -> str:
    """The last notes that anybody wrote, by the time of writing."""
    written = [(e.at, e.key, str(e.data.get("notes", ""))) for e in known if e.kind == NOTED]
    if final is not None and ended_notes:
        written.append((final.at, final.key, str(ended_notes)))
    return max(written)[2] if written else ""


def _evidence(known: list[Event], final: Event | None, corrected: bool) -> str:
    if any(e.kind == SUMMARY for e in known):
        return RECORD
    if final is None:
        told_live = any(e.source.startswith(PROVIDER_PREFIX) for e in known)
    else:
        told_live = final.source.startswith(PROVIDER_PREFIX)
    if told_live:
        return LIVE
    if final is not None and final.source == WATCHDOG and not corrected:
        return ESTIMATE
    if any(e.data.get("offline") for e in known if e.kind in (STARTED, ENDED)):
        return OFFLINE
    return CLICK
