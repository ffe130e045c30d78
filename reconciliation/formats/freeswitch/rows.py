"""Records as CSV, by the templates of mod_cdr_csv or with names in the first line.

Its lengths are rounded to the nearest second, not cut; `billmsec` is exact. A row is of the leg
that called, and says of the other one no more than its id.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Final

from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.freeswitch import causes
from calls.providers.freeswitch.ending import UNHOLD_DELAY
from calls.providers.reading import other_side, text
from reconciliation.call_record import EXACT, NEAREST, CallRecord
from reconciliation.formats.files import Peek, Row
from reconciliation.formats.tabular import Reader, Said, Tabular
from reconciliation.formats.tabular.folds import Timed
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.values.lengths import Length, length_of
from reconciliation.formats.values.people import Sides, sides

_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# The places of our fields in the templates of mod_cdr_csv; the first stands for sql, snom and
# linksys, too, which go on behind it.
_EXAMPLE: Final = {
    "from": 1,
    "to": 2,
    "start": 4,
    "answered": 5,
    "end": 6,
    "duration": 7,
    "talk": 8,
    "status": 9,
    "call": 10,
    "other": 11,
}
_ASTERISK: Final = {
    "from": 1,
    "to": 2,
    "start": 9,
    "answered": 10,
    "end": 11,
    "duration": 12,
    "talk": 13,
    "status": 14,
    "call": 16,
}


_REACHED: Final = frozenset({timeline.COMPLETED, timeline.DROPPED})


class FreeSwitchCsv(Tabular):
    code = "freeswitch_csv"
    title = gettext_lazy("FreeSWITCH: call detail records (CSV)")
    account_kinds = ("freeswitch",)
    rounding = NEAREST
    signs = (("uuid", "hangup_cause"), ("uuid", "start_stamp"), ("bleg_uuid",))
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": ("start_stamp", "start_epoch", "start_uepoch", "start", "start_timestamp"),
        "answered": ("answer_stamp", "answer_epoch", "answer_uepoch", "answer", "answered"),
        "end": ("end_stamp", "end_epoch", "end_uepoch", "end"),
        "duration": ("duration",),
        "talk": ("billsec",),
        "exact": ("billmsec",),
        "hold": ("hold_accum_ms", "hold_accum_msec"),
        "status": ("hangup_cause",),
        "direction": ("direction", "call_direction"),
        "from": ("caller_id_number", "src", "ani", "source_number"),
        "to": ("destination_number", "dst", "destination"),
        "call": ("uuid", "call_uuid", "xml_cdr_uuid"),
        "other": ("bleg_uuid", "bridge_uuid", "last_bridge_to", "signal_bond"),
    }

    def fits(self, peek: Peek) -> int:
        known = super().fits(peek)
        if known or peek.table is None:
            return known
        return 75 if self.unnamed(peek.table.sample) else 0

    def unnamed(self, rows: Sequence[Row]) -> Mapping[str, int]:
        for template in (_EXAMPLE, _ASTERISK):
            if all(_fits(row.cells, template) for row in rows[:20]):
                return template
        return {}

    def records(self, said: Said, timed: Timed, reader: Reader) -> Iterator[CallRecord]:
        leg = _Leg(said, timed, reader, NEAREST)
        yield leg.record()
        if (called := leg.called_part()) is not None:
            yield called


def _fits(cells: Sequence[str], template: Mapping[str, int]) -> bool:
    return len(cells) > max(template.values()) and bool(_UUID.fullmatch(cells[template["call"]]))


class _Leg(Drafted):
    """The leg that called; of a caller from outside, the part is that of whoever took the call."""

    @property
    def _other(self) -> str:
        other = text(self.said.get("other", ""))
        return "" if other == self.said.get("call") else other

    def sides(self) -> Sides:
        caller, called = self.said.get("from", ""), self.said.get("to", "")
        way = self.said.get("direction", "").casefold()
        if way in ("internal", "inbound", "outbound") and not self.reader.knows(caller):
            found = sides(caller, called, "" if way != "internal" else way, self.reader.knows)
        else:
            found = sides(caller, called, "", self.reader.knows)
        return found

    def ids(self) -> tuple[str, str]:
        own = text(self.said.get("call", ""))
        taken = self.sides().direction == "inbound" and self.outcome()[0] in _REACHED
        return (self._other or own) if taken else own, own

    def key(self, who: Sides) -> str:
        return self.ids()[0] or super().key(who)

    def outcome(self) -> tuple[str, str]:
        answered = self.told_answer is not None
        cause = self.said.get("status", "").upper()
        status, reason = causes.outcome(cause, None, answered) if cause else ("", "")
        if cause == "NORMAL_CLEARING" and not answered:
            return status, ""  # so the caller's leg ends, however the other phone failed
        return (status, reason) if status else super().outcome()

    @property
    def talk(self) -> Length | None:
        if self.told_answer is None and "answered" in self.said:
            return None
        exact = self.said.get("exact", "")
        return length_of(exact, 1) if exact else self.length("talk")

    def record(self) -> CallRecord:
        found = super().record()
        if found.hold:  # how often it waited itself, a row does not tell: once at least
            found = replace(found, hold=max(0, found.hold - UNHOLD_DELAY))
        if self.said.get("exact") and found.talk is not None:
            return replace(found, rounding=EXACT, duration=None, unit=1)
        return found

    def called_part(self) -> CallRecord | None:
        """The part of one of ours whom one of ours called."""
        own = self.record()
        if own.direction != "internal" or not self._other or own.answered is None:
            return None
        return replace(
            own,
            key=self._other,
            call=self._other,
            agents=(other_side(self.said["to"]),),
            number=other_side(self.said["from"]),
            hold=None,  # that of the leg that called was told
        )
