"""What a file says, whatever its form: tables, figures, and who made it, when, of what."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from calls.models.rows import Cells
from common.formats.dates import exact_moment
from common.instants import now
from metrics import entries
from metrics.definitions import EXPLAINED, IN_SUMMARY, Sums

# What a column holds. An instant is text as the API writes it, seconds are whole, percent is 0 to
# 100.
TEXT, INSTANT, SECONDS, NUMBER, PERCENT, DAY = (
    *("text", "instant", "seconds", "number", "percent", "day"),
)


@dataclass(frozen=True)
class Head:
    """The head of a column: `name` for programs, `label` for people. `words` stand for codes."""

    name: str
    label: str | Promise
    kind: str = TEXT
    words: Mapping[str, str | Promise] | None = None

    def in_words(self, value: Any) -> Any:
        """What people read in place of the code `value`."""
        return value if self.words is None else str(self.words.get(value, value))


@dataclass(frozen=True)
class Sheet:
    """A table. `chunks` gives it anew each time, some rows at a time: the cells of each column."""

    title: str
    heads: list[Head]
    chunks: Callable[[], Iterable[list[Cells]]]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        for chunk in self.chunks():
            yield from zip(*chunk, strict=True)


@dataclass(frozen=True)
class Document:
    """Tables and what must stand beside them. `about` are lines (label, words); `notes` say what
    is left out."""

    title: str
    about: list[tuple[str, str]]
    sheets: list[Sheet]
    sums: Sums = field(default_factory=Sums)
    notes: list[str] = field(default_factory=list)

    @property
    def definitions(self) -> list[tuple[str, str]]:
        """Every figure of cards, or beside them, and the sentence that says how it is made."""
        return [(str(figure.label), str(figure.sentence)) for figure in EXPLAINED]


@dataclass(frozen=True)
class Numbered:
    """A figure as a number, for a cell that can be reckoned with."""

    label: str
    kind: str
    value: float


_KINDS: Final = {entries.CALLS: NUMBER, entries.SECONDS: SECONDS, entries.PERCENT: PERCENT}


def kind_of(figure: entries.Figure) -> str:
    """What a column of the figure holds."""
    return _KINDS[figure.unit]


def figures_of(sums: Sums) -> list[Numbered]:
    """The figures of cards, and then the counts that they are split into."""
    return [Numbered(str(f.label), kind_of(f), f.of(sums)) for f in IN_SUMMARY]


def made_by(maker: User, filters: str, at: dt.datetime | None = None) -> list[tuple[str, str]]:
    """Who made the file, when, of what, and in which zone its times are written."""
    return [
        (pgettext("of a file", "Filter"), filters or _("none: everything you may see")),
        (_("Made by"), f"{maker.display_name} ({maker.username})"),
        (_("Made at"), exact_moment(at or now())),
        (_("Time zone"), settings.TIME_ZONE),
    ]
