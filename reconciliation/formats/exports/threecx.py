"""3CX: the call log of its web pages, and the files of its CDR service, whose columns are as they
were chosen there and mostly have no names; the duration of these is that of the talk. Times are
those of the server.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.reading import names, text
from reconciliation.call_record import FLOOR
from reconciliation.formats.files import Peek, Row
from reconciliation.formats.tabular import Tabular
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.values.people import Sides, is_extension, sides
from reconciliation.formats.values.words import direction

# The usual order of the CDR service's columns.
_SERVICE: Final = {
    "conversation": 0,
    "call": 1,
    "talk": 2,
    "start": 3,
    "answered": 4,
    "end": 5,
    "reason": 6,
    "from": 7,
    "to": 8,
}
_HISTORY: Final = re.compile(r"(?:Call\s+)?\d+|[0-9A-F_-]{10,}", re.IGNORECASE)
_NAMED: Final = re.compile(r"(?P<name>.*?)\s*\((?P<number>[+\d*]{2,20})\)")
# Why a call ended that nobody had answered.
_ENDS: Mapping[str, tuple[str, str]] = {
    "busy": (timeline.NO_ANSWER, "busy"),
    "noanswer": (timeline.NO_ANSWER, ""),
    "rejected": (timeline.NO_ANSWER, "rejected"),
    "failed": (timeline.FAILED, "network"),
    "srcparticipantterminated": (timeline.NO_ANSWER, "cancelled"),
    "terminatedbysrc": (timeline.NO_ANSWER, "cancelled"),
}


def _number_of(side: str) -> str:
    """`1001` of `Ana (1001)` and of `Ext.1001`."""
    named = _NAMED.fullmatch(side)
    return named["number"] if named else side.removeprefix("Ext.").strip()


class _Call(Drafted):
    def sides(self) -> Sides:
        way = direction(self.said.get("direction", "")) if self.said.get("direction") else ""
        caller, called = (_number_of(self.said.get(name, "")) for name in ("from", "to"))
        if way and is_extension(caller) and is_extension(called):
            way = "internal"
        return sides(caller, called, way, self.reader.knows, names(self.said.get("agent")))

    def ids(self) -> tuple[str, str]:
        call = text(self.said.get("call", ""))
        return call, text(self.said.get("conversation", "")) or call

    def outcome(self) -> tuple[str, str]:
        if self.told_answer is not None or (self.talk is not None and self.talk.ms):
            return timeline.COMPLETED, ""
        status, reason = super().outcome()
        if status in ("", timeline.NO_ANSWER):
            why = re.sub(r"[^a-z]", "", self.said.get("reason", "").casefold())
            return _ENDS.get(why, (status or timeline.NO_ANSWER, reason))
        return status, reason

    def end(self, answered: int | None) -> int | None:
        """Ringing and talking are counted apart; the web's list tells no end."""
        if self.told_end is None and self.duration is None:
            parts = [one for one in (self.length("ring"), self.talk) if one is not None]
            return self.start + sum(one.ms for one in parts) if parts else None
        return super().end(answered)


class ThreeCxCsv(Tabular):
    code = "threecx_csv"
    title = gettext_lazy("3CX: call log or CDR (CSV)")
    account_kinds = ("threecx", "3cx", "generic")
    draft = _Call
    rounding = FLOOR
    signs = (
        ("call time", "ringing", "talking"),
        ("hora de la llamada", "timbrando", "hablando"),
        ("historyid", "callid", "time-start"),
    )
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": ("call time", "time-start", "start time", "hora de la llamada", "hora de llamada"),
        "answered": ("time-answered", "answered time"),
        "end": ("time-end", "end time"),
        "duration": ("totals", "total", "duracion"),
        "talk": ("talking", "talk time", "hablando", "conversacion", "duration"),
        "ring": ("ringing", "ring time", "timbrando", "sonando"),
        "status": ("status", "estado"),
        "reason": ("reason-terminated", "reason", "motivo", "razon"),
        "direction": ("direction", "call type", "direccion", "tipo"),
        "from": ("from-no", "from", "caller id", "de", "origen", "id de llamada entrante"),
        "to": ("to-no", "to", "destination", "para", "destino"),
        "agent": ("agent", "agente"),
        "call": ("callid", "call id"),
        "conversation": ("historyid", "history id"),
        "price": ("bill-cost", "cost", "costo", "coste"),
    }

    def fits(self, peek: Peek) -> int:
        known = super().fits(peek)
        if known or peek.table is None:
            return known
        return 65 if self.unnamed(peek.table.sample) else 0

    def unnamed(self, rows: Sequence[Row]) -> Mapping[str, int]:
        return _SERVICE if rows and all(map(_is_service, rows[:20])) else {}


def _is_service(row: Row) -> bool:
    cells = row.cells
    if len(cells) <= max(_SERVICE.values()) or not _HISTORY.fullmatch(cells[0]):
        return False
    is_length = bool(re.fullmatch(r"\d+:\d\d:\d\d(?:\.\d+)?|", cells[_SERVICE["talk"]]))
    return is_length and bool(re.match(r"\d{4}[/-]\d\d[/-]\d\d ", cells[_SERVICE["start"]]))
