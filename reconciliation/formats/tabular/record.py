"""A row's cells become a record: what is not told follows from what is, or stays unknown."""

import hashlib
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import cached_property

from django.utils.translation import gettext as _

from calls import timeline
from calls.providers.reading import joined, names, other_side, text
from reconciliation.call_record import FLOOR, CallRecord
from reconciliation.formats.tabular.folds import Timed
from reconciliation.formats.tabular.rows import Reader, Said
from reconciliation.formats.values import Unclear
from reconciliation.formats.values.lengths import Length
from reconciliation.formats.values.people import Sides, sides
from reconciliation.formats.values.words import direction, outcome

_REACHED = frozenset({timeline.COMPLETED, timeline.DROPPED})


class Drafted:
    """A record in the making; formats that mean something else by a column override what does."""

    def __init__(self, said: Said, timed: Timed, reader: Reader, rounding: str = FLOOR):
        self.said, self.timed, self.reader = said, timed, reader
        self.rounding = rounding
        self.start = timed.start
        self.length: Callable[[str], Length | None] = lambda name: reader.length(said, name)

    def record(self) -> CallRecord:
        who = self.sides()
        status, reason = self.outcome()
        answered, knows_answer = self.answer(status)
        end = self.end(answered)
        if end is not None and end < self.start - self.precision:
            raise Unclear(_("The call ends before it begins."))
        call, conversation = self.ids()
        talk, duration, hold = self.talk, self.duration, self.length("hold")
        price, currency = self.price()
        return CallRecord(
            key=self.key(who),
            start=self.start,
            end=None if end is None else max(end, self.start),
            answered=answered,
            knows_answer=knows_answer,
            duration=None if duration is None else duration.ms,
            talk=None if talk is None else talk.ms,
            hold=None if hold is None else hold.ms,
            status=status,
            reason=reason,
            call=call,
            conversation=conversation,
            agents=who.agents,
            number=who.number,
            direction=who.direction,
            precision=self.precision + (self.unit if self._end_is_reckoned else 0),
            unit=self.unit,
            rounding=self.rounding,
            price=price,
            currency=currency,
            doubtful=self.doubt(),
            lines=(self.timed.line,),
        )

    # --- When -------------------------------------------------------------------------------------

    @property
    def precision(self) -> int:
        return self.timed.precision

    @cached_property
    def duration(self) -> Length | None:
        return self.length("duration")

    @cached_property
    def talk(self) -> Length | None:
        return self.length("talk")

    @cached_property
    def unit(self) -> int:
        told = [one.unit for one in (self.duration, self.talk) if one is not None]
        return max(told, default=1000)

    @cached_property
    def told_end(self) -> int | None:
        return self.reader.instant(self.said, "end", self.start)

    @cached_property
    def told_answer(self) -> int | None:
        return self.reader.instant(self.said, "answered", self.start)

    @property
    def _end_is_reckoned(self) -> bool:
        return self.told_end is None

    def end(self, answered: int | None) -> int | None:
        """As told, or by the lengths."""
        if self.told_end is not None:
            return self.told_end
        if self.duration is not None:
            return self.start + self.duration.ms
        if self.talk is not None and answered is not None:
            return answered + self.talk.ms
        return None

    def answer(self, status: str) -> tuple[int | None, bool]:
        """When it was answered, and whether that is known."""
        if status not in _REACHED and status:
            return None, True
        if self.told_answer is not None:
            return self.told_answer, True
        if (ring := self.length("ring")) is not None:
            return self.start + ring.ms, True
        end = self.end(None)
        if self.talk is not None and end is not None:
            return max(self.start, end - self.talk.ms), True
        return None, False

    # --- How --------------------------------------------------------------------------------------

    def outcome(self) -> tuple[str, str]:
        """By its word, else by what else tells that somebody spoke."""
        found = outcome(self.said.get("status", "")) if self.said.get("status") else None
        if found is not None:
            return found.status, found.reason
        if self.told_answer is not None or (self.talk is not None and self.talk.ms):
            return timeline.COMPLETED, ""
        if self.talk is not None or "answered" in self.said:
            return timeline.NO_ANSWER, ""
        return "", ""

    # --- Who --------------------------------------------------------------------------------------

    def sides(self) -> Sides:
        said = self.said
        way = direction(said.get("direction", "")) if said.get("direction") else ""
        agents = names(*(said.get(name) for name in ("agent", "extension", "email")))
        if "number" in said or not ("from" in said or "to" in said):
            return Sides(agents, other_side(said.get("number", "")), way)
        return sides(said.get("from", ""), said.get("to", ""), way, self.reader.knows, agents)

    def ids(self) -> tuple[str, str]:
        """The id of the agent's part, and that of the whole call."""
        call = text(self.said.get("call", ""))
        return call, text(self.said.get("conversation", "")) or call

    def key(self, who: Sides) -> str:
        """The id that the system gave, and whose part it is; else what makes the row this one."""
        call, conversation = self.ids()
        if call:
            return joined(call, conversation if conversation != call else "", *who.agents[:1])
        told = (str(self.start), *who.agents[:1], who.number, who.direction)
        lengths = [str(one.ms) if one else "" for one in (self.duration, self.talk)]
        return "row:" + hashlib.sha256("\0".join((*told, *lengths)).encode()).hexdigest()[:40]

    # --- What it cost -----------------------------------------------------------------------------

    def price(self) -> tuple[Decimal | None, str]:
        told = self.said.get("price", "")
        if not told:
            return None, ""
        return amount_of(told), self.said.get("currency", "").strip().upper()[:3]

    def doubt(self) -> str:
        if self.timed.is_unsure:
            return _("The clocks were put back in that night: it may be an hour later.")
        return ""


def amount_of(told: str) -> Decimal | None:
    """`-0.0130`, `$ 1.250,00` or `1,250.00` as what was to be paid; None where it is no amount."""
    bare = "".join(sign for sign in told if sign.isdigit() or sign in ".,")
    point = max(bare.rfind("."), bare.rfind(","))
    if point >= 0:
        bare = bare[:point].replace(",", "").replace(".", "") + "." + bare[point + 1 :]
    try:
        return abs(Decimal(bare)) if bare else None
    except InvalidOperation:
        return None
