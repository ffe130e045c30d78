"""What a statement says: calls with all that was said of them, hashes, and how to check them.

A statement is for somebody who was not there: each call has its evidence in words, each event who
said so and when, and each ledger the hash by which `verify_ledger` knows it again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User, UserQuerySet
from calls.history import ledger_lines
from calls.models import Anchor, CallEvent, CallLog, CallQuerySet, Reader
from calls.models.anchor import AnchoredHead
from calls.proof.anchoring import anchored_heads
from calls.proof.verifying import Fault, Verification
from calls.templatetags.calls_format import whole
from common.formats.period_words import period_in_words
from common.instants import day_range
from common.periods import Period
from metrics.definitions import Sums
from metrics.exports.document import made_by

WITH_EVENTS: Final = 50  # calls: so many a person reads through
MOST_CALLS: Final = 500  # paper takes seconds to lay out
SHORT: Final = 12  # digits of a hash that people compare


class TooManyCalls(Exception):
    """More than MOST_CALLS; the message says so to people."""


@dataclass(frozen=True)
class StatedLine:
    """A line of a ledger in words, and its hash."""

    line: ledger_lines.LedgerLine

    @property
    def event(self) -> CallEvent:
        return self.line.event

    @property
    def short(self) -> str:
        return self.event.hash[:SHORT]


@dataclass(frozen=True)
class StatedCall:
    """A call, its lines as its reader may read them (none where there are too many), its head."""

    call: CallLog
    count: int
    head: str
    lines: list[StatedLine] = field(default_factory=list)

    @property
    def short(self) -> str:
        return self.head[:SHORT]

    @property
    def evidence(self) -> str:
        return evidence_in_words(self.call.evidence)

    @property
    def ended_by(self) -> str:
        return ledger_lines.source_words(self.call.ended_by)


@dataclass(frozen=True)
class Statement:
    """`sums` are those of a period, None for one call; `heads` are where anchors saw that call."""

    title: str
    about: list[tuple[str, str]]
    calls: list[StatedCall]
    faults: list[Fault]
    anchors: list[Anchor] = field(default_factory=list)
    heads: list[tuple[Anchor, AnchoredHead]] = field(default_factory=list)
    sums: Sums | None = None
    period: Period | None = None

    @property
    def one(self) -> StatedCall | None:
        """The call of a statement of one."""
        return self.calls[0] if self.sums is None else None

    @property
    def has_events(self) -> bool:
        return len(self.calls) <= WITH_EVENTS

    @property
    def most_with_events(self) -> int:
        return WITH_EVENTS

    @property
    def grades(self) -> list[tuple[str, int]]:
        """(evidence in words, how many calls), best first."""
        counted = Counter(stated.call.evidence for stated in self.calls)
        return [(evidence_in_words(grade), n) for grade, n in sorted(counted.items())]

    @property
    def newest(self) -> Anchor | None:
        return Anchor.objects.order_by("-day").first()


def evidence_in_words(grade: str) -> str:
    return f"{grade} · {dict(CallLog.EVIDENCE).get(grade, grade)}"


def statement_of_call(call: CallLog, viewer: User) -> Statement:
    """All that is known of a call that came through `visible_to`."""
    return Statement(
        title=_("Statement of a call"),
        about=made_by(viewer, "")[1:],
        calls=list(_stated([call], viewer)),
        faults=_faults(CallLog.objects.filter(pk=call.pk)),
        heads=anchored_heads(call.pk),
    )


def statement_of_period(
    people: UserQuerySet, name: str, sums: Sums, period: Period, viewer: User
) -> Statement:
    """The calls of `people`, called `name`, that began in `period`, oldest first; `sums` are
    theirs. Raises TooManyCalls."""
    calls = CallLog.objects.visible_to(viewer).filter(user__in=people)
    calls = calls.started_between(*day_range(period.first, period.last))
    _refuse_many(calls.count())
    shown = list(calls.with_people().order_by("start_time", "pk"))
    anchors = Anchor.objects.filter(day__range=(period.first, period.last))
    return Statement(
        title=_("Statement of calls"),
        about=made_by(viewer, f"{name} · {period_in_words(period)}"),
        calls=list(_stated(shown, viewer)),
        faults=_faults(calls.order_by("pk")),
        anchors=list(anchors.order_by("day")),
        sums=sums,
        period=period,
    )


def _refuse_many(count: int) -> None:
    if count > MOST_CALLS:
        sentence = ngettext(
            "There is %(n)s call in this period, and a statement holds %(most)s.",
            "There are %(n)s calls in this period, and a statement holds %(most)s.",
            count,
        )
        advice = _("Choose a shorter period or one agent; Excel and CSV files hold all calls.")
        raise TooManyCalls(f"{sentence % {'n': whole(count), 'most': whole(MOST_CALLS)}} {advice}")


def _faults(calls: CallQuerySet) -> list[Fault]:
    """What is not as it was written, at this moment."""
    return list(Verification(calls).faults())


def _stated(calls: list[CallLog], viewer: User) -> Iterator[StatedCall]:
    by_call = _lines(calls, viewer) if len(calls) <= WITH_EVENTS else {}
    heads = _heads(calls)
    for call in calls:
        count, head = heads.get(call.pk, (0, ""))
        yield StatedCall(call, count, head, by_call.get(call.pk, []))


def _heads(calls: list[CallLog]) -> dict[int, tuple[int, str]]:
    """How many lines each ledger has, and the hash of the last."""
    rows: Any = CallEvent.objects.filter(call__in=calls).order_by("place")
    return {call: (place, head) for call, place, head in rows.values_list(*_HEAD)}


_HEAD: Final = ("call_id", "place", "hash")


def _lines(calls: list[CallLog], viewer: User) -> dict[int, list[StatedLine]]:
    events = CallEvent.objects.read_by(Reader(viewer)).filter(call__in=calls)
    found: dict[int, list[StatedLine]] = {}
    for event in events.select_related("actor").order_by("call_id", "place"):
        for line in ledger_lines.lines([event]):
            found.setdefault(event.call_id, []).append(StatedLine(line))
    return found
