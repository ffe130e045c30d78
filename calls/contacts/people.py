"""Who is on which line, by name: the same person may be told with fewer or more names, and several
people may share a line."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, combinations, islice
from typing import Final, Generic, TypeVar

from common.text import folded

Words = frozenset[str]
Whom = TypeVar("Whom")

_MOST_PARTS: Final = 256  # of a name that are looked for: all of one of eight words


def words_of_name(name: str) -> Words:
    """The words of a name, without capitals and accents."""
    return frozenset(re.findall(r"\w+", folded(name))) or frozenset([name])


def is_alike(one: Words, other: Words) -> bool:
    """Whether two names can be one person's: one says no more than the other."""
    return one <= other or other <= one


class PeopleOnLines(Generic[Whom]):
    """Finds those of a like name on a line, however many have that line."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, Words], Whom] = {}
        self._having: dict[tuple[str, str], list[tuple[Words, Whom]]] = {}
        self._lines: set[str] = set()

    def add(self, lines: Iterable[str], words: Words, whom: Whom) -> None:
        """Of two with the same name on a line, the first stays."""
        for line in lines:
            self._lines.add(line)
            self._named.setdefault((line, words), whom)
            for word in words:
                self._having.setdefault((line, word), []).append((words, whom))

    def find(self, lines: Iterable[str], words: Words) -> Whom | None:
        """Whoever has a name like this one on the first of these lines where anybody has."""
        for line in lines:
            if line in self._lines:
                for whom in chain(self._saying_less(line, words), self._saying_more(line, words)):
                    return whom
        return None

    def _saying_less(self, line: str, words: Words) -> Iterator[Whom]:
        parts = chain.from_iterable(
            combinations(words, count) for count in range(len(words), 0, -1)
        )
        for part in islice(parts, _MOST_PARTS):
            if (line, frozenset(part)) in self._named:
                yield self._named[line, frozenset(part)]

    def _saying_more(self, line: str, words: Words) -> Iterator[Whom]:
        rarest = min((self._having.get((line, word), []) for word in words), key=len)
        return (whom for others, whom in rarest if words <= others)
