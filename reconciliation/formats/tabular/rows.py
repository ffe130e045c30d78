"""One row of a table: what its cells say, by the names of our fields."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from django.utils.translation import gettext as _

from calls.timeline.end_words import plain
from reconciliation.call_record import FLOOR, ROUNDINGS
from reconciliation.formats.base import Context, Reading
from reconciliation.formats.tabular.columns import LENGTHS, Layout
from reconciliation.formats.values import Unclear
from reconciliation.formats.values.lengths import UNITS, Length, length_of
from reconciliation.formats.values.times import DMY, ORDERS, Clock, Told

# A row's cells by our fields; "" where the file has none.
Said = Mapping[str, str]
_NULLS: Final = frozenset({"NULL", "null", r"\N"})
_UNIT_WORDS: Final = (
    ("ms", re.compile(r"\b(ms|msec|millis\w*|milisegundos?)\b", re.IGNORECASE)),
    ("s", re.compile(r"\b(s|secs?|seconds?|segs?|segundos?)\b", re.IGNORECASE)),
    ("min", re.compile(r"\b(mins?|minutes?|minutos?)\b", re.IGNORECASE)),
    ("h", re.compile(r"\b(h|hrs?|hours?|horas?)\b", re.IGNORECASE)),
)
_DAY: Final = 86_400_000
_AHEAD: Final = 3_600_000  # ms that a phone system's clock may be ahead of ours


class Reader:
    """Reads cells as `reading` says, for the account of `context`."""

    def __init__(self, layout: Layout, reading: Reading, context: Context):
        self.layout, self.context = layout, context
        self.columns = dict(layout.columns)
        order = str(reading.get("date_order") or DMY)
        self.clock = Clock(context.zone, order if order in ORDERS else DMY)
        unit = str(reading.get("length_unit") or "")
        self._units = {
            name: UNITS.get(unit) or unit_of(layout.head[place])
            for name, place in self.columns.items()
            if name in LENGTHS
        }
        rounding = str(reading.get("rounding") or "")
        self.rounding = rounding if rounding in ROUNDINGS else FLOOR
        self.knows: Callable[[str], bool] = lru_cache(maxsize=8192)(context.knows)
        self._widest = max(self.columns.values(), default=0)

    def said(self, cells: Sequence[str], *, is_cut: bool = False) -> dict[str, str]:
        """The cells by our names. Unclear where the row cannot be of this table."""
        if is_cut and len(cells) < self.layout.width:
            raise Unclear(_("The file ends in the middle of this line."))
        if len(cells) <= self._widest or self._has_more(cells):
            raise Unclear(
                _("%(cells)d cells instead of %(columns)d.")
                % {"cells": len(cells), "columns": self.layout.width}
            )
        return {
            name: "" if cells[place] in _NULLS else cells[place]
            for name, place in self.columns.items()
        }

    def _has_more(self, cells: Sequence[str]) -> bool:
        return len(cells) > self.layout.width and any(cells[self.layout.width :])

    def start(self, said: Said) -> Told:
        """When it began. Unclear where no time stands there, or one that is yet to come."""
        told = self.clock.read(_with_time(said["start"], said.get("time", "")))
        if told is None:
            raise Unclear(_("There is no start in this line."))
        if told.instants[0] > self.context.now + _AHEAD:
            raise Unclear(
                _("%(time)s is in the future.")
                % {"time": _with_time(said["start"], said.get("time", ""))}
            )
        return told

    def instant(self, said: Said, name: str, not_before: int) -> int | None:
        """When something happened that came after `not_before`; None where nothing stands there."""
        text = said.get(name, "")
        is_bare = bool(text) and _is_time_of_day(text)
        if is_bare:
            day = _with_time(said["start"], "").partition(" ")[0]
            text = f"{day} {text}"
        told = self.clock.read(text) if text else None
        if told is None:
            return None
        instants = told.instants
        if is_bare and instants[-1] < not_before - told.precision:
            instants = tuple(one + _DAY for one in instants)  # after midnight
        later = [one for one in instants if one >= not_before - told.precision]
        return later[0] if later else instants[-1]

    def length(self, said: Said, name: str) -> Length | None:
        text = said.get(name, "")
        return length_of(text, self._units[name]) if text else None


def unit_of(head: str) -> int:
    """What the name of a column says that its lengths are counted in (ms); as a rule seconds."""
    words = re.sub(r"[_-]+|(?<=[a-z])(?=[A-Z])", " ", head)
    return next((UNITS[unit] for unit, found in _UNIT_WORDS if found.search(words)), 1000)


def _is_time_of_day(text: str) -> bool:
    return bool(re.match(r"\d{1,2}:\d{2}", text)) and "-" not in text and "/" not in text


def _with_time(date: str, time: str) -> str:
    """A date and a time of a column of its own; Excel shows a date as its midnight."""
    return f"{date.removesuffix(' 00:00:00')} {time}" if time else date


def any_of(head: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a head has all of these names."""
    return {plain(name) for name in names} <= {plain(cell) for cell in head}
