"""What is wrong with the chain of one call's ledger, line by line. Pure but for the row's shape."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from calls import timeline
from calls.timeline import chain
from common.instants import UTC, to_ms

HASHED_WORDS: Final = (
    "its key, kind, instants, source, actor, precision, provider's id, number or data"
)


class Line(NamedTuple):
    """A stored line, its instants as text. The first ones after the key are what is hashed."""

    pk: int
    call: int
    key: str
    kind: str
    occurred: str
    received: str
    source: str
    actor: int | None
    precision_ms: int
    provider_event_id: str
    sequence: int | None
    payload_hash: str
    repeats: int | None
    data: Any
    place: int
    hash: str
    salt: str
    commitment: str

    @property
    def name(self) -> str:
        return f"line {self.place} ({self.kind}, {self.occurred[:23]} UTC, key {self.key})"

    def right_hash(self, previous: str) -> str:
        """The hash that it has to have behind `previous`."""
        occurred, received = map(chain.instant_text, (self.occurred, self.received))
        columns = [self.call, self.key, self.kind, occurred, received, *self[6:13]]
        stays, _personal = chain.parted(self.kind, self.data)
        return chain.line_hash(previous, self.place, columns, stays, self.commitment)

    def as_fact(self, at: int) -> timeline.Event:
        number = self.repeats or self.pk
        return timeline.Event(self.key, self.kind, at, self.source, self.data, number)


def is_whole(lines: Sequence[Line]) -> bool:
    """Whether the lines of a call, in the order of their keys, are a chain, with all texts."""
    previous = chain.first_link(lines[0].call) if lines else ""
    for place, line in enumerate(lines, 1):
        if line.place != place or line.right_hash(previous) != line.hash or text_fault(line):
            return False
        previous = line.hash
    return True


def text_fault(line: Line) -> str:
    """What is wrong with the texts that may be blanked; "" if nothing is."""
    _stays, personal = chain.parted(line.kind, line.data)
    if personal and not line.salt:
        return "was changed: it has a text that was not there when it was written"
    if personal and chain.commitment(line.salt, personal) != line.commitment:
        return "was changed: its note, number or other text is not what was written"
    if line.salt and not personal:
        return "was changed: its note, number or other text was taken away"
    return ""


def faults(lines: Sequence[Line]) -> Iterator[str]:
    """What is wrong with the lines of a call, in the order of their keys; a sentence each."""
    yield from (f"{line.name} {fault}" for line in lines if (fault := text_fault(line)))
    chained = []
    for line in lines:
        if line.hash and line.place:
            chained.append(line)
        else:
            yield f"{line.name} was put in: it has no hash"
    yield from _moved(chained)
    yield from _broken(chained)


def _moved(lines: Sequence[Line]) -> Iterator[str]:
    for earlier, line in pairwise(lines):
        if line.place < earlier.place:
            yield f"{line.name} was moved: by its key it stands behind line {earlier.place}"


def _broken(lines: Sequence[Line]) -> Iterator[str]:
    by_place: dict[int, list[Line]] = {}
    for line in lines:
        by_place.setdefault(line.place, []).append(line)
    previous: str | None = chain.first_link(lines[0].call) if lines else None
    for place in range(1, max(by_place, default=0) + 1):
        found = by_place.get(place, [])
        if not found:
            yield f"line {place} was removed"
            previous = None
            continue
        line, others = _genuine(found, previous)
        yield from (f"{other.name} was put in: the call has another such line" for other in others)
        if previous is not None and line.right_hash(previous) != line.hash:
            yield f"{line.name} was changed: {_what(line, previous, by_place.get(place + 1, []))}"
        previous = line.hash


def _genuine(found: list[Line], previous: str | None) -> tuple[Line, list[Line]]:
    """Of lines at one place the one that follows, and the others."""
    follows = [one for one in found if previous and one.right_hash(previous) == one.hash]
    line = (follows or found)[0]
    return line, [one for one in found if one is not line]


def _what(line: Line, previous: str, after: list[Line]) -> str:
    right = line.right_hash(previous)
    if any(one.right_hash(right) == one.hash for one in after):
        return "its hash is not that of what it says, which the next line bears out"
    return f"{HASHED_WORDS} is not what its hash was made of"


def instant_ms(text: str) -> int:
    """The instant of a stored text in ms; ValueError where it is none."""
    return to_ms(dt.datetime.fromisoformat(text).replace(tzinfo=UTC))
