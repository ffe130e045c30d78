"""Which call each record is about. Nobody's second choice is taken before a first one; the nearest
in time wins, and a call is one record's unless its phone system says that it is several's."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from reconciliation.matching.candidates import Candidate, Candidates, Wanted

_AS_NEAR: Final = 2_000  # ms; which of two is nearer cannot be told


@dataclass
class Match:
    """A record and its call, if there is one; `doubt` is a sentence where it may be another."""

    wanted: Wanted
    call: Candidate | None = None
    is_named: bool = False
    doubt: str = ""


def assigned(
    wanted: Sequence[Wanted], found: Candidates, taken: Collection[int], *, ids_tell: bool
) -> list[Match]:
    """A match for each of `wanted`. `taken`: calls that have a record already. `ids_tell`: the
    records name calls as live events do, so that another id is another call."""
    gone = set(taken)
    matches = [Match(one, doubt=one.record.doubtful) for one in wanted]
    for match in matches:
        _by_name(match, found, gone)
    _by_time([one for one in matches if one.call is None], found, gone, ids_tell=ids_tell)
    return matches


def _by_name(match: Match, found: Candidates, gone: set[int]) -> None:
    record = match.wanted.record
    named = found.named(record)
    free = [call for call in named if call.pk not in gone]
    if not named:
        free = [c for c in found.of_conversation(match.wanted) if c.pk not in gone]
    choice = min(free or named, key=lambda c: (abs(c.start - record.start), c.pk), default=None)
    if choice is not None:
        match.call, match.is_named = choice, True
        gone.add(choice.pk)


def _by_time(
    matches: Sequence[Match], found: Candidates, gone: set[int], *, ids_tell: bool
) -> None:
    pairs = sorted(_pairs(matches, found, gone, ids_tell=ids_tell))
    rivals: dict[tuple[str, int], list[tuple[int, int, int]]] = defaultdict(list)
    for pair in pairs:
        rivals["record", pair[1]].append(pair)
        rivals["call", pair[2]].append(pair)
    for pair in pairs:
        distance, place, pk = pair
        match = matches[place]
        if match.call is None and pk not in gone:
            match.call = found.by_pk[pk]
            gone.add(pk)
            others = (*rivals["record", place], *rivals["call", pk])
            if any(other != pair and abs(other[0] - distance) < _AS_NEAR for other in others):
                match.doubt = match.doubt or _("Another call or record would fit as well.")


def _pairs(
    matches: Sequence[Match], found: Candidates, gone: Collection[int], *, ids_tell: bool
) -> Iterator[tuple[int, int, int]]:
    """How far a record and a call lie apart, the place of the one and the key of the other."""
    for place, match in enumerate(matches):
        for call in found.near(match.wanted, whatever_id=not ids_tell):
            if call.pk not in gone:
                yield abs(call.start - match.wanted.record.start), place, call.pk
