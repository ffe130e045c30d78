"""The rows of a long file as the calls that they are of, of which few are held at a time.

The rows of one call stand near each other, in whatever order the file is. So a call is whole as
soon as what is read is far away from it in time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from calls.providers.asterisk.cdr import CdrConversation, CdrRow, conversations

AWAY: Final = 4 * 3_600_000  # ms; no call is longer, as a rule
_FEWEST: Final = 4_000  # rows that are held before calls are looked for
_MOST: Final = 100_000
_LATEST: Final = 500  # rows by which it is seen where in time the file has come to


def in_windows(rows: Iterable[CdrRow]) -> Iterator[CdrConversation]:
    """The calls of which `rows` tell."""
    held: list[CdrRow] = []
    limit = _FEWEST
    for row in rows:
        held.append(row)
        if len(held) >= limit:
            whole, rest = _divided(held)
            if len(rest) > _MOST // 2:  # in no order at all: there is no knowing what comes
                whole, rest = [*whole, *rest], []
            yield from whole
            held = [row for one in rest for row in one.rows]
            limit = min(_MOST, max(_FEWEST, 2 * len(held)))
    yield from conversations(held)


def _divided(held: Sequence[CdrRow]) -> tuple[list[CdrConversation], list[CdrConversation]]:
    """The calls that are whole, and those of which more may come."""
    latest = held[-_LATEST:]
    since = min(row.start for row in latest) - AWAY
    until = max(row.end for row in latest) + AWAY
    whole: list[CdrConversation] = []
    rest: list[CdrConversation] = []
    for one in conversations(held):
        is_away = all(row.end < since or row.start > until for row in one.rows)
        (whole if is_away else rest).append(one)
    return whole, rest
