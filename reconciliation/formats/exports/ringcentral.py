"""RingCentral: the call log as CSV. Its times are those of whoever exports it, to the minute; its
duration contains the ringing.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.reading import joined, names, other_side, text
from reconciliation.call_record import FLOOR
from reconciliation.formats.tabular import Tabular
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.values.people import Sides
from reconciliation.formats.values.words import direction

_RESULTS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("accepted", "call connected", "connected"), (timeline.COMPLETED, "")),
    **dict.fromkeys(("aceptada", "llamada conectada", "conectada"), (timeline.COMPLETED, "")),
    **dict.fromkeys(("missed", "no answer", "voicemail", "perdida"), (timeline.NO_ANSWER, "")),
    **dict.fromkeys(("sin respuesta", "buzón de voz"), (timeline.NO_ANSWER, "")),
    **dict.fromkeys(
        ("busy", "ocupado", "línea ocupada", "line busy"), (timeline.NO_ANSWER, "busy")
    ),
    **dict.fromkeys(
        ("hang up", "hang up before answer", "colgó"), (timeline.NO_ANSWER, "cancelled")
    ),
    **dict.fromkeys(("rejected", "declined", "blocked"), (timeline.NO_ANSWER, "rejected")),
    **dict.fromkeys(("wrong number", "invalid number"), (timeline.FAILED, "invalid_number")),
    **dict.fromkeys(("call failed", "call failure", "fallida"), (timeline.FAILED, "network")),
}


class _Call(Drafted):
    def sides(self) -> Sides:
        said = self.said
        way = direction(said.get("direction") or said.get("kind", ""))
        agents = names(said.get("extension"), said.get("agent"))
        if said.get("from") or said.get("to"):
            own, other = said.get("from", ""), said.get("to", "")
            own, other = (other, own) if way == "inbound" else (own, other)
            return Sides(names(*agents, own), other_side(other), way)
        return Sides(agents, other_side(said.get("number", "")), way)

    def ids(self) -> tuple[str, str]:
        """Live events name a part by its session and its party, which an export seldom tells."""
        session, party = (text(self.said.get(name, "")) for name in ("conversation", "call"))
        return (joined(session, party) if session and party else ""), session

    def key(self, who: Sides) -> str:
        told = [text(self.said.get(name, "")) for name in ("conversation", "call")]
        return joined(*told, *who.agents[:1]) if any(told) else super().key(who)

    def outcome(self) -> tuple[str, str]:
        found = _RESULTS.get(self.said.get("status", "").casefold())
        return found or super().outcome()

    def answer(self, status: str) -> tuple[int | None, bool]:
        """Nothing here tells since when they talked."""
        return None, bool(status) and status != timeline.COMPLETED


class RingCentralCsv(Tabular):
    code = "ringcentral_csv"
    title = gettext_lazy("RingCentral: call log (CSV)")
    account_kinds = ("ringcentral",)
    draft = _Call
    rounding = FLOOR
    signs = (
        ("type", "action", "action result"),
        ("tipo", "accion", "resultado de la accion"),
        ("direction", "phone number", "action", "result"),
    )
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": ("date", "date time", "start time", "fecha", "fecha hora", "hora de inicio"),
        "time": ("time", "hora"),
        "duration": ("duration", "call length", "duracion"),
        "status": ("action result", "result", "resultado de la accion", "resultado"),
        "direction": ("direction", "direccion", "sentido"),
        "kind": ("type", "tipo"),
        "number": ("phone number", "numero de telefono", "telefono"),
        "from": ("from", "de", "desde"),
        "to": ("to", "para", "a"),
        "extension": ("extension", "ext"),
        "agent": ("user", "usuario"),
        "call": ("party id", "call id", "id de llamada"),
        "conversation": ("telephony session id", "session id", "id de sesion"),
        "price": ("cost", "charge", "costo", "coste", "cargo"),
        "currency": ("currency", "moneda"),
    }
