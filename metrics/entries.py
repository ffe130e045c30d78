"""What an entry of metrics.definitions says: how a number is kept, and how a figure is shown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise

from calls import timeline
from calls.models import ANSWERED, COUNTED, CallLog

CALLS, SECONDS, PERCENT, SQUARES = "calls", "seconds", "percent", "squared seconds"


@dataclass(frozen=True)
class Which:
    """Some of the ended calls, in the database's words and in Python's."""

    sql: Q
    python: Callable[[CallLog], bool]


@dataclass(frozen=True)
class Column:
    """A number that is kept: what each of `calls` has of it, added up, or the greatest of it.

    `sql` and `python` give the number of one call; without them the calls are counted.
    """

    calls: Which
    sql: Any = None
    python: Callable[[CallLog], int] = lambda call: 1
    is_greatest: bool = False

    @property
    def counts_calls(self) -> bool:
        return self.sql is None

    @property
    def of_calls(self) -> Any:
        """The aggregate over ended calls."""
        if self.counts_calls:
            return Count("pk", filter=self.calls.sql)
        return Coalesce(self._aggregate(self.sql, filter=self.calls.sql), 0)

    def of_rows(self, name: str) -> Any:
        """The aggregate over stored rows, whose column is called `name`."""
        return Coalesce(self._aggregate(name), 0)

    @property
    def _aggregate(self) -> Any:
        return Max if self.is_greatest else Sum

    def of_call(self, call: CallLog) -> int:
        return self.python(call) if self.calls.python(call) else 0

    def together(self, numbers: Iterable[int]) -> int:
        return max(numbers) if self.is_greatest else sum(numbers)

    def without(self, one: int, other: int) -> int:
        """`one` without what was counted twice; the greatest is the greatest, however often."""
        return one if self.is_greatest else one - other


COUNTED_CALLS = Which(COUNTED, lambda call: call.is_counted)
ANSWERED_CALLS = Which(COUNTED & ANSWERED, lambda call: call.is_counted and call.was_answered)
CONFIRMED_CALLS = Which(
    Q(evidence=timeline.RECORD),
    lambda call: call.is_counted and call.evidence == timeline.RECORD,
)
UNCONFIRMED_CALLS = Which(~COUNTED, lambda call: not (call.is_active or call.is_counted))


def ended_as(status: str) -> Column:
    """How many calls count with that status."""
    calls = Which(
        COUNTED & Q(status=status), lambda call: call.is_counted and call.status == status
    )
    return Column(calls)


def seconds(*fields: str, calls: Which = COUNTED_CALLS, is_greatest: bool = False) -> Column:
    """Of the lengths that a call has in `fields`, together."""
    return Column(
        calls,
        sql=reduce(add, map(F, fields)),
        python=lambda call: sum(getattr(call, field) or 0 for field in fields),
        is_greatest=is_greatest,
    )


@dataclass(frozen=True)
class Figure:
    """A figure. `unit`: CALLS, SECONDS, PERCENT or SQUARES; it has a `column` or a `formula`.

    `label` and `sentence` are what people read; `head` stands above its column of a table where
    that is shorter, `noun` in the administration. `more` is the second line of its card and
    `working` its formula with numbers; both name other figures.
    """

    name: str
    unit: str
    label: str | Promise = ""
    sentence: str | Promise = ""
    head: str | Promise = ""
    noun: str | Promise = ""
    column: Column | None = None
    formula: Callable[[Any], float] | None = None
    is_stored: bool = False  # although a formula: for whoever asks in SQL
    # Where it is shown.
    in_api: bool = True
    on_cards: bool = False  # a card, a column of tables, a page of its own, a line in every file
    beside: str = ""  # the same but for the card: it is said on that one's
    in_summary: bool = False  # a line in workbooks
    report: int = 0  # the place of its column in reports and their files; 0: none
    is_plotted: bool = False  # over time
    # How it is shown.
    over: str = ""  # the figure that it is a share or the like of: over 0 there is nothing to show
    more: str | Promise = ""
    working: str = ""
    statuses: tuple[str, ...] = timeline.TERMINAL  # of the calls in it
    better: str = ""  # "more" or "less", where people agree
    verdict: str = ""  # what dashboard.comparison calls it, where that compares it
    is_short: bool = False  # the label is an abbreviation, and the sentence explains it
    in_words: bool = False  # long times: a card says 2 h 05 min

    @property
    def short_label(self) -> str | Promise:
        return self.head or self.label

    def of(self, sums: Any) -> Any:
        return getattr(sums, self.name)

    def as_json(self, sums: Any) -> int | float:
        value: int | float = self.of(sums)
        return round(value, 2) if self.unit == PERCENT else value

    def has_value(self, sums: Any) -> bool:
        return not self.over or bool(getattr(sums, self.over))
