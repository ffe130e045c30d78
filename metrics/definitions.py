"""Every figure, once: its name, unit, label and sentence, how it is made, and where it is shown.

The columns of the tables, what programs read, cards, tables, files and the pages of formulas all
follow from FIGURES. A figure whose calls are added up, or the greatest of them, has a `Column`: how
the database makes it from ended calls, and the same in Python, which the audit uses and the tests
compare with it. Every other figure is a `formula` over those: ratios of sums, never means of means.

A further figure is one entry here. Where it has a column, it also needs a migration that adds the
column and fills it for the calls there are.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from django.db.models import BigIntegerField, F
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from calls import timeline
from calls.models import CallLog
from metrics.entries import (
    ANSWERED_CALLS,
    CALLS,
    CONFIRMED_CALLS,
    COUNTED_CALLS,
    PERCENT,
    SECONDS,
    SQUARES,
    UNCONFIRMED_CALLS,
    Column,
    Figure,
    ended_as,
    seconds,
)

# In the order in which programs read them.
FIGURES: Final = (
    Figure(
        "calls_made",
        CALLS,
        _("Calls made"),
        _("Every call that has ended: successful and failed together."),
        head=_("Calls"),
        noun=_("calls made"),
        formula=lambda sums: sums.calls_success + sums.calls_failed,
        is_stored=True,
        on_cards=True,
        report=1,
        more=_("%(calls_answered)s answered"),
        working="{calls_success} + {calls_failed} = {calls_made}",
    ),
    Figure(
        "calls_success",
        CALLS,
        _("Successful"),
        _("Calls that ended with the status Completed."),
        noun=_("successful"),
        column=ended_as(timeline.COMPLETED),
        on_cards=True,
        report=2,
        more=_("of %(calls_made)s made"),
        statuses=(timeline.COMPLETED,),
        better="more",
    ),
    Figure(
        "calls_failed",
        CALLS,
        pgettext_lazy("calls", "Failed"),
        _("Calls that ended as dropped, failed or not answered."),
        noun=_("failed"),
        formula=lambda sums: sums.calls_dropped + sums.calls_error + sums.calls_no_answer,
        is_stored=True,
        on_cards=True,
        report=3,
        more=_("%(calls_dropped)s dropped, %(calls_error)s failed, %(calls_no_answer)s no answer"),
        working="{calls_dropped} + {calls_error} + {calls_no_answer} = {calls_failed}",
        statuses=(timeline.DROPPED, timeline.FAILED, timeline.NO_ANSWER),
        better="less",
    ),
    Figure(
        "calls_dropped",
        CALLS,
        _("Dropped"),
        noun=_("dropped"),
        column=ended_as(timeline.DROPPED),
        in_summary=True,
    ),
    Figure(
        "calls_error",
        CALLS,
        _("Failed"),
        noun=_("with the status failed"),
        column=ended_as(timeline.FAILED),
        in_summary=True,
    ),
    Figure(
        "calls_no_answer",
        CALLS,
        _("No answer"),
        noun=_("not answered"),
        column=ended_as(timeline.NO_ANSWER),
        in_summary=True,
    ),
    Figure(
        "calls_answered",
        CALLS,
        noun=pgettext_lazy("calls", "answered"),
        column=Column(ANSWERED_CALLS),
    ),
    Figure(
        "calls_unconfirmed",  # in no other figure
        CALLS,
        _("Unconfirmed, not counted"),
        head=_("Unconfirmed"),
        noun=_("unconfirmed"),
        column=Column(UNCONFIRMED_CALLS),
        in_summary=True,
        report=10,
    ),
    Figure(
        "avg_call_duration",
        SECONDS,
        _("AHT"),
        _("Average handling time: total time divided by calls made, in whole seconds."),
        formula=lambda sums: sums.total_talk_time // (sums.calls_made or 1),
        on_cards=True,
        report=4,
        is_plotted=True,
        over="calls_made",
        more=_("answered, with hold and wrap-up: %(answered_average)s"),
        working="{total_talk_time} s ÷ {calls_made} = {avg_call_duration} s",
        verdict="length",
        is_short=True,
    ),
    Figure(
        "total_talk_time",
        SECONDS,
        _("Total time"),
        _("Talk time of all calls: from answer to end, less hold and pause."),
        noun=_("total time (s)"),
        column=seconds("talk_seconds"),
        on_cards=True,
        report=5,
        more=_("ring %(ring_time)s, hold %(hold_time)s, wrap-up %(wrap_up_time)s"),
        in_words=True,
    ),
    Figure(
        "success_rate",
        PERCENT,
        _("Success rate"),
        _("Successful calls divided by calls made."),
        formula=lambda sums: sums.calls_success / (sums.calls_made or 1) * 100,
        on_cards=True,
        report=8,
        over="calls_made",
        more=_("answer rate: %(answer_rate)s"),
        working="{calls_success} ÷ {calls_made} × 100 = {value}",
        better="more",
        verdict="rate",
    ),
    Figure(
        "answer_rate",
        PERCENT,
        _("Answer rate"),
        formula=lambda sums: sums.calls_answered / (sums.calls_made or 1) * 100,
        report=9,
        over="calls_made",
    ),
    Figure(
        "answered_average",
        SECONDS,
        formula=lambda sums: sums.answered_time // (sums.calls_answered or 1),
        over="calls_answered",
    ),
    Figure(
        "total_duration",
        SECONDS,
        noun=_("tracked time (s)"),
        column=seconds("duration_seconds"),
    ),
    Figure(
        "ring_time",
        SECONDS,
        _("Ring"),
        noun=_("ring time (s)"),
        column=seconds("ring_seconds"),
        report=6,
    ),
    Figure(
        "hold_time",
        SECONDS,
        _("On hold"),
        noun=_("hold time (s)"),
        column=seconds("hold_seconds"),
        report=7,
    ),
    Figure("wrap_up_time", SECONDS, noun=_("wrap-up time (s)"), column=seconds("wrap_up_seconds")),
    Figure(
        "talk_squares",  # how much calls differ
        SQUARES,
        noun=_("squared talk time (s²)"),
        column=Column(
            COUNTED_CALLS,
            # Wider than a length: its square need not fit into four bytes.
            sql=Cast("talk_seconds", BigIntegerField()) * F("talk_seconds"),
            python=lambda call: (call.talk_seconds or 0) ** 2,
        ),
        in_api=False,
    ),
    Figure(
        "answered_time",
        SECONDS,
        noun=_("time of answered calls (s)"),
        column=seconds("talk_seconds", "hold_seconds", "wrap_up_seconds", calls=ANSWERED_CALLS),
        in_api=False,
    ),
    Figure(
        "longest_call",
        SECONDS,
        _("Longest call"),
        _("The longest talk time of a single call."),
        head=_("Longest"),
        column=seconds("talk_seconds", is_greatest=True),
        on_cards=True,
        report=11,
        is_plotted=True,
        over="calls_made",
    ),
    Figure(
        "confirmed_seconds",
        SECONDS,
        _("Confirmed time"),
        noun=_("confirmed time (s)"),
        column=seconds("talk_seconds", calls=CONFIRMED_CALLS),
        in_summary=True,
    ),
    Figure(
        "confirmed_share",
        PERCENT,
        _("Confirmed share"),
        _("The share of the total time that the phone system's own records confirm."),
        head=_("Confirmed"),
        formula=lambda sums: sums.confirmed_seconds / (sums.total_talk_time or 1) * 100,
        beside="total_talk_time",
        report=12,
        over="total_talk_time",
        working="{confirmed_seconds} s ÷ {total_talk_time} s × 100 = {value}",
    ),
)

COLUMNS: Final = {f.name: f.column for f in FIGURES if f.column is not None}
_ZEROS: Final = dict.fromkeys(COLUMNS, 0)
STORED: Final = tuple(f for f in FIGURES if f.column is not None or f.is_stored)
ON_CARDS: Final = tuple(f for f in FIGURES if f.on_cards)
# Columns of tables, and pages of their own: behind each of the cards what is said beside it.
EXPLAINED: Final = tuple(
    f for card in ON_CARDS for f in (card, *(f for f in FIGURES if f.beside == card.name))
)
IN_SUMMARY: Final = (*EXPLAINED, *(f for f in FIGURES if f.in_summary))
IN_REPORTS: Final = tuple(sorted((f for f in FIGURES if f.report), key=lambda f: f.report))
PLOTTED: Final = tuple(f for f in FIGURES if f.is_plotted)


class Sums:
    """The columns over some set of ended calls, and the formulas over them. Sums of sums are sums.

    Made from the columns by name; those that are not given are 0.
    """

    def __init__(self, **columns: int) -> None:
        if unknown := columns.keys() - COLUMNS.keys():
            raise TypeError(f"no such columns: {', '.join(sorted(unknown))}")
        vars(self).update(_ZEROS | columns)  # always in the order of COLUMNS

    if TYPE_CHECKING:  # the columns and formulas of FIGURES

        def __getattr__(self, name: str) -> Any: ...

    @classmethod
    def of_row(cls, values: Iterable[Any]) -> "Sums":
        """From a database's row, in the order of COLUMNS."""
        sums = cls.__new__(cls)
        vars(sums).update(zip(COLUMNS, map(int, values), strict=True))
        return sums

    @classmethod
    def together(cls, several: Iterable["Sums"]) -> "Sums":
        """All of `several`, added up column by column: they may be hundreds."""
        rows = [cls(), *several]
        columns = zip(*(vars(sums).values() for sums in rows), strict=True)
        added = zip(COLUMNS.values(), columns, strict=True)
        return cls.of_row(column.together(numbers) for column, numbers in added)

    @classmethod
    def of_call(cls, call: CallLog) -> "Sums":
        """One call's part in every column; nothing of a running one."""
        return cls(**{name: column.of_call(call) for name, column in COLUMNS.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sums) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return (
            f"Sums({', '.join(f'{name}={value}' for name, value in vars(self).items() if value)})"
        )

    def __add__(self, other: "Sums") -> "Sums":
        return Sums.together((self, other))

    def __sub__(self, other: "Sums") -> "Sums":
        mine, others = vars(self), vars(other)
        return Sums(**{n: c.without(mine[n], others[n]) for n, c in COLUMNS.items()})

    def as_json(self) -> dict[str, int | float]:
        """The figures under the names that programs know; seconds, counts and per cent."""
        return {f.name: f.as_json(self) for f in FIGURES if f.in_api}


for _figure in FIGURES:
    if _figure.formula is not None:
        setattr(Sums, _figure.name, property(_figure.formula))
