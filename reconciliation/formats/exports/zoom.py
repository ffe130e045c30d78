"""Zoom Phone: the call log, or the call history, as CSV. A row is one side of a call."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.reading import joined, names, other_side, text
from calls.providers.zoom.results import ELSEWHERE, RESULTS, plain
from reconciliation.call_record import FLOOR, CallRecord
from reconciliation.formats.tabular import Reader, Said, Tabular
from reconciliation.formats.tabular.folds import Timed
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.values.people import Sides, is_extension
from reconciliation.formats.values.words import direction, outcome


class ZoomCsv(Tabular):
    code = "zoom_csv"
    title = gettext_lazy("Zoom Phone: call log (CSV)")
    account_kinds = ("zoom",)
    signs = (
        ("call id", "caller number", "callee number"),
        ("direction", "caller number", "callee number", "result"),
        ("call id", "caller did number", "callee did number"),
        ("id de llamada", "numero de la persona que llama"),
    )
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": ("start time", "date time", "date", "hora de inicio", "fecha hora", "fecha"),
        "time": ("time", "hora"),
        "answered": ("answer time", "answered time", "hora de respuesta"),
        "end": ("end time", "hora de finalizacion", "hora de fin"),
        "duration": ("duration", "call duration", "call length", "duracion"),
        "talk": ("talk time", "tiempo de conversacion"),
        "ring": ("wait time", "waiting time", "tiempo de espera"),
        "hold": ("hold time", "tiempo en espera"),
        "status": ("result", "call result", "resultado"),
        "direction": ("direction", "direccion"),
        "from": (
            *("caller number", "caller did number", "from", "numero de la persona que llama"),
            *("numero del autor de la llamada",),
        ),
        "caller extension": ("caller ext number", "caller extension", "caller ext"),
        "caller email": ("caller email",),
        "to": (
            *("callee number", "callee did number", "to", "numero de destino"),
            *("numero del destinatario",),
        ),
        "callee extension": ("callee ext number", "callee extension", "callee ext"),
        "callee email": ("callee email",),
        "extension": ("extension", "extension number", "owner extension", "ext"),
        "call": ("call id", "id de llamada", "id de la llamada"),
        "price": ("charge", "cost", "cargo"),
        "currency": ("currency", "moneda"),
    }

    def records(self, said: Said, timed: Timed, reader: Reader) -> Iterator[CallRecord]:
        if RESULTS.get(plain(said.get("status", ""))) == ELSEWHERE:
            return  # a phone that rang in vain has no part in the call
        yield _Side(said, timed, reader, FLOOR).record()


class _Side(Drafted):
    """Whose it is: the caller's of an outgoing call, the callee's of an incoming one."""

    @property
    def _way(self) -> str:
        way = direction(self.said.get("direction", "")) if self.said.get("direction") else ""
        if way in ("inbound", "outbound"):
            return way
        caller = any(map(self.reader.knows, self._names("caller")))
        return "outbound" if caller or is_extension(self.said.get("from", "")) else "inbound"

    def _names(self, side: str) -> tuple[str, ...]:
        number = self.said.get("from" if side == "caller" else "to", "")
        extension = self.said.get(f"{side} extension", "")
        return names(
            extension, *((number,) if number != extension else ()), self.said.get(f"{side} email")
        )

    def sides(self) -> Sides:
        own, other = ("caller", "callee") if self._way == "outbound" else ("callee", "caller")
        agents = names(self.said.get("extension"), *self._names(own))
        reached = [other_side(name) for name in self._names(other) if "@" not in name]
        numbers = [one for one in reached if not is_extension(one)] or reached
        internal = bool(reached) and is_extension(numbers[0])
        return Sides(agents, next(iter(numbers), ""), "internal" if internal else self._way)

    def ids(self) -> tuple[str, str]:
        """Named as the live events are: the call, the side, and of who was called the phone."""
        call = text(self.said.get("call", ""))
        if self._way == "outbound":
            return joined(call, "caller") if call else "", call
        return joined(call, "callee", *self.sides().agents[:1]) if call else "", call

    def key(self, who: Sides) -> str:
        return self.ids()[0] or super().key(who)

    def outcome(self) -> tuple[str, str]:
        word = self.said.get("status", "")
        status, reason = RESULTS.get(plain(word)) or outcome(word) or super().outcome()
        if status == timeline.COMPLETED and self.said.get("answered") == "" and not self.talk:
            return timeline.NO_ANSWER, ""
        return status, reason
