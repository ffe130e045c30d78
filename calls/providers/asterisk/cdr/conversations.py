"""Which rows are of one call: by their ids, and by what the channels are called.

Ids are not enough. Without `linkedid` (Asterisk's default) the two halves of a Local channel have
an id each; and a channel's name comes again when Asterisk has been started again, so that of names
only those of one time are one channel.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from calls.providers.asterisk.cdr.rows import CdrRow, is_made_up
from calls.providers.asterisk.dialplan import half_of, is_local

# Rows that name one channel follow upon each other at most so far apart (ms).
_AT_ONCE = 2_000
# Names that a channel has for itself: PJSIP/1001-0000002a, where others (DAHDI/1-1) come again.
_UNIQUE = re.compile(r"-[0-9a-f]{6,}(;[12])?$", re.IGNORECASE)
_BETWEEN_TRIES = 60_000  # ms in which a queue tries again
# Calls of one number that may be there at once, at most: of a hidden number there are many.
_LOOKED_AT = 50
QUEUE = "Queue"


@dataclass(frozen=True)
class CdrConversation:
    """The rows of one call, by their start. `name` is its id; `names` all that it may have been
    called. `is_doubtful`: a row of it may be of another call, and nothing says of which."""

    name: str
    names: tuple[str, ...]
    rows: tuple[CdrRow, ...]
    is_doubtful: bool = False

    @property
    def is_queued(self) -> bool:
        return any(row.lastapp == QUEUE for row in self.rows)

    @property
    def is_try(self) -> bool:
        """Whether all that is known is that a phone was rung for somebody else's call."""
        return all(is_local(row.channel) and not row.is_answered for row in self.rows)


def conversations(rows: Iterable[CdrRow]) -> list[CdrConversation]:
    """The calls of which `rows` tell, by their first line."""
    ordered = sorted(rows, key=lambda row: (row.start, row.line))
    groups = _Groups(len(ordered))
    _join_by_id(ordered, groups)
    _join_by_channel(ordered, groups)
    found = [_of(its) for its in groups.split(ordered)]
    return sorted(_with_tries(found), key=lambda one: min(row.line for row in one.rows))


class _Groups:
    """Places that belong together (union-find)."""

    def __init__(self, size: int):
        self._parent = list(range(size))

    def root(self, place: int) -> int:
        while self._parent[place] != place:
            self._parent[place] = self._parent[self._parent[place]]
            place = self._parent[place]
        return place

    def join(self, one: int, other: int) -> None:
        self._parent[self.root(other)] = self.root(one)

    def split(self, rows: list[CdrRow]) -> list[list[CdrRow]]:
        groups: dict[int, list[CdrRow]] = {}
        for place, row in enumerate(rows):
            groups.setdefault(self.root(place), []).append(row)
        return list(groups.values())


def _join_by_id(rows: list[CdrRow], groups: _Groups) -> None:
    first: dict[str, int] = {}
    for place, row in enumerate(rows):
        for name in filter(None, (row.linkedid, row.uniqueid)):
            groups.join(first.setdefault(name, place), place)


def _join_by_channel(rows: list[CdrRow], groups: _Groups) -> None:
    """Of rows that name one channel, or one Local channel's halves, those of one time."""
    latest: dict[tuple[str, str], tuple[int, int]] = {}  # the place, and until when it was there
    for place, row in enumerate(rows):
        for channel, role, others in _namings(row):
            for key in [(channel, other) for other in others]:
                before, until = latest.get(key, (place, row.end))
                if row.start <= until + _AT_ONCE:
                    groups.join(before, place)
            _, until = latest.get((channel, role), (place, 0))
            latest[channel, role] = place, max(until, row.end)


_CALLS, _IS_CALLED = "calls", "is called"


def _namings(row: CdrRow) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The channels that the row names, each with its role in it and the roles in other rows by
    which those are of the same call. Two rows of the one that calls have its Uniqueid, if any."""
    has_id = bool(row.uniqueid or row.linkedid)
    for channel, role in ((row.channel, _CALLS), (row.dstchannel, _IS_CALLED)):
        if is_local(channel):
            yield half_of(channel), "", ("",)
        elif _UNIQUE.search(channel):
            by_id = has_id if role == _CALLS else bool(row.linkedid)
            opposite = _IS_CALLED if role == _CALLS else _CALLS
            yield channel, role, (opposite,) if by_id else (_CALLS, _IS_CALLED)
        elif role == _CALLS and not has_id and not is_made_up(channel):
            yield channel, role, (_CALLS,)


def _of(rows: list[CdrRow]) -> CdrConversation:
    first = rows[0]
    ids = [row.linkedid for row in rows] + [row.uniqueid for row in rows]
    names = tuple(dict.fromkeys(filter(None, ids)))
    # Without any id, the first channel at its time: its name alone comes again.
    name = first.linkedid or first.uniqueid or next(iter(names), "")
    return CdrConversation(name or f"{first.channel}@{first.start // 1000}", names, tuple(rows))


def _with_tries(found: list[CdrConversation]) -> list[CdrConversation]:
    """Puts the tries that no id links to their call, those of a queue's members who did not answer,
    to the call of the same caller at that time. Of several the latest has it, and is doubtful: a
    try makes no call of its own while there is one. Where there is none, those of a caller that
    follow upon each other are one."""
    tries = [one for one in found if one.is_try]
    if not tries:
        return found
    whole = [one for one in found if not one.is_try]
    callers = _Callers(whole)
    joined: dict[int, list[CdrConversation]] = {}
    alone: list[CdrConversation] = []
    for one in tries:
        fits = callers.at_time_of(one)
        fits = [place for place in fits if whole[place].is_queued] or fits
        if fits:
            joined.setdefault(fits[-1], []).append(replace(one, is_doubtful=len(fits) > 1))
        else:
            alone.append(one)
    for place, its in joined.items():
        whole[place] = _joined(whole[place], its)
    return whole + _following(alone)


def _following(tries: list[CdrConversation]) -> list[CdrConversation]:
    """Tries by callers of whom no row tells, those of one caller together."""
    found: list[CdrConversation] = []
    for one in sorted(tries, key=lambda one: (one.rows[0].src, one.rows[0].start)):
        last = found[-1] if found else one
        until = max(row.end for row in last.rows)
        is_same = last.rows[0].src == one.rows[0].src != ""
        if found and is_same and one.rows[0].start <= until + _BETWEEN_TRIES:
            found[-1] = _joined(last, [one])
        else:
            found.append(one)
    return found


class _Callers:
    """The calls by the number that called, in the order of their beginning."""

    def __init__(self, whole: list[CdrConversation]):
        self._calls: dict[str, list[tuple[int, int, int]]] = {}  # since, until, place
        for place, one in enumerate(whole):
            span = one.rows[0].start, max(row.end for row in one.rows), place
            for number in {row.src for row in one.rows}:
                self._calls.setdefault(number, []).append(span)
        for spans in self._calls.values():
            spans.sort()

    def at_time_of(self, other: CdrConversation) -> list[int]:
        """The places of the calls of the same number that were there as long as `other` was."""
        spans = self._calls.get(other.rows[0].src, [])
        since, until = other.rows[0].start, max(row.end for row in other.rows)
        begun = bisect_right(spans, (since + _AT_ONCE, until, len(spans)))
        at_most = spans[max(0, begun - _LOOKED_AT) : begun]
        return [place for _since, over, place in at_most if over + _AT_ONCE >= until]


def _joined(one: CdrConversation, others: list[CdrConversation]) -> CdrConversation:
    every = [row for it in (one, *others) for row in it.rows]
    names = tuple(dict.fromkeys(name for it in (one, *others) for name in it.names))
    return replace(
        one,
        names=names,
        rows=tuple(sorted(every, key=lambda row: (row.start, row.line))),
        is_doubtful=any(it.is_doubtful for it in (one, *others)),
    )
