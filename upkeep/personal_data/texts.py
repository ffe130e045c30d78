"""Whether a text speaks of somebody: by a number, however it is written, or by a name."""

import re
from collections.abc import Collection
from typing import Any, Final
from urllib.parse import unquote

from common.phones import digits_of, line_of
from common.text import folded

# Runs of digits with what is written between them.
_NUMBERS: Final = re.compile(r"\+?\d(?:[\s().+/\-\u2010-\u2015]*\d){5,}")
_SAME_END: Final = 7  # digits that all spellings of a line share
_SHORTEST_NAME: Final = 4


class Mentions:
    """Finds the numbers with these lines, and these names, in texts."""

    def __init__(self, lines: Collection[str], names: Collection[str] = ()) -> None:
        self._lines = set(lines)
        self._ends = {digits_of(line)[-_SAME_END:] for line in lines}
        self._names = [
            re.compile(rf"(?<!\w){re.escape(folded(name))}(?!\w)")
            for name in names
            if len(name) >= _SHORTEST_NAME
        ]

    def in_text(self, text: str, region: str | None = None) -> bool:
        """`region`: where its numbers without a country's code are dialled."""
        plain = unquote(text)
        return self._number_in(plain, region) or any(
            name.search(folded(plain)) for name in self._names
        )

    def number_in(self, text: str, region: str | None = None) -> bool:
        """The same of numbers alone."""
        return self._number_in(unquote(text), region)

    def in_value(self, value: Any) -> bool:
        """The same of the texts in a value of JSON."""
        if isinstance(value, dict):
            return any(map(self.in_value, value.values()))
        if isinstance(value, list):
            return any(map(self.in_value, value))
        return isinstance(value, str) and self.in_text(value)

    def _number_in(self, plain: str, region: str | None) -> bool:
        if not self._ends:
            return False
        digits = digits_of(plain)
        if not any(end in digits for end in self._ends):
            return False
        for found in _NUMBERS.finditer(plain):
            number = found.group()
            if line_of(number, region) in self._lines:
                return True
            # Several numbers beside each other, or one after what is dialled for a line.
            if any(self._stands_alone(end, number) for end in self._ends):
                return True
        return False

    def _stands_alone(self, end: str, number: str) -> bool:
        between = r"[\s().+/\-\u2010-\u2015]*"
        return re.search(rf"{between.join(end)}(?!\d)", number) is not None
