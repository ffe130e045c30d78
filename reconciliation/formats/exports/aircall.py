"""Aircall: the export of calls. Its total duration contains the ringing; the duration in call is
from the answer to the end.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.aircall import ABANDONED
from calls.providers.reading import joined, names, other_side, text
from reconciliation.call_record import FLOOR
from reconciliation.formats.tabular import Tabular
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.values.people import Sides
from reconciliation.formats.values.words import direction


class _Call(Drafted):
    def sides(self) -> Sides:
        said = self.said
        way = direction(said.get("direction", ""))
        agents = names(said.get("agent id"), said.get("email"), said.get("agent"))
        other = said.get("from") if way == "inbound" else said.get("to")
        return Sides(agents, other_side(other or said.get("number", "")), way)

    def ids(self) -> tuple[str, str]:
        """The id of the agent's part has the user's, where the export tells it."""
        call, user = text(self.said.get("call", "")), text(self.said.get("agent id", ""))
        return (joined(call, user) if user else ""), call

    def key(self, who: Sides) -> str:
        call = text(self.said.get("call", ""))
        return joined(call, *who.agents[:1]) if call else super().key(who)

    def outcome(self) -> tuple[str, str]:
        status, reason = super().outcome()
        why = self.said.get("reason", "").casefold().replace(" ", "_")
        return status, "cancelled" if status != timeline.COMPLETED and why in ABANDONED else reason


class AircallCsv(Tabular):
    code = "aircall_csv"
    title = gettext_lazy("Aircall: calls (CSV)")
    account_kinds = ("aircall",)
    draft = _Call
    rounding = FLOOR
    signs = (
        ("line", "direction", "duration (in call)"),
        ("linea", "direccion", "duracion (en llamada)"),
        ("call id (internal)", "direction"),
        ("id de llamada (interno)", "direccion"),
        ("line", "missed_call_reason", "direction"),
    )
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": (
            *("datetime (utc)", "date time (utc)", "started at", "start time", "call date"),
            *("fecha y hora (utc)", "fecha hora (utc)", "hora de inicio", "date", "fecha"),
        ),
        "time": ("time", "hora"),
        "answered": ("answered at", "answer time", "hora de respuesta"),
        "end": ("ended at", "end time", "hora de fin", "hora de finalizacion"),
        "duration": (
            *("duration (total)", "total duration", "total call duration", "duracion (total)"),
            *("duracion total", "duration", "duracion"),
        ),
        "talk": (
            *("duration (in call)", "in call duration", "in-call duration", "talk time"),
            *("duracion (en llamada)", "duracion en llamada", "tiempo de conversacion"),
        ),
        "ring": ("time to answer", "waiting time", "tiempo de espera", "tiempo hasta la respuesta"),
        "hold": ("hold time", "holding time", "tiempo en espera", "tiempo de retencion"),
        "status": ("answered", "contestada", "respondida", "atendida"),
        "reason": (
            *("missed_call_reason", "unanswered call reason", "missed call reason"),
            *("motivo de llamada perdida", "motivo de la llamada perdida"),
        ),
        "direction": ("direction", "call direction", "direccion", "direccion de la llamada"),
        "from": ("from", "de", "desde"),
        "to": ("to", "a", "para", "hacia"),
        "number": ("external number", "raw_digits", "numero externo"),
        "agent": ("user", "user name", "agent", "usuario", "nombre de usuario", "agente"),
        "agent id": ("user id", "id de usuario"),
        "email": ("user email", "email", "correo del usuario", "correo electronico"),
        "call": ("call id (internal)", "call id", "id de llamada (interno)", "id de llamada", "id"),
    }
