"""Microsoft Teams: the report of PSTN usage, with calling plans or with direct routing. Times are
UTC. With calling plans a call has the time that was billed, from the answer; with direct routing it
has the instants of the invitation, of the answer and of the end.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.reading import names, other_side
from reconciliation.call_record import NEAREST
from reconciliation.formats.tabular import Tabular
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.values.people import Sides
from reconciliation.formats.values.words import outcome

# Answers of SIP that say why a call did not come about.
_CODES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("0", "200"), (timeline.COMPLETED, "")),
    **dict.fromkeys(("404", "410", "484", "604"), (timeline.FAILED, "invalid_number")),
    **dict.fromkeys(("408", "480"), (timeline.NO_ANSWER, "")),
    **dict.fromkeys(("486", "600"), (timeline.NO_ANSWER, "busy")),
    "487": (timeline.NO_ANSWER, "cancelled"),
    **dict.fromkeys(("403", "603"), (timeline.NO_ANSWER, "rejected")),
    "503": (timeline.FAILED, "congestion"),
}


class _Call(Drafted):
    @property
    def _is_inbound(self) -> bool:
        kind = self.said.get("direction", "").casefold()
        return "in" in kind.replace("_", " ").split() or "inbound" in kind or "entrante" in kind

    def sides(self) -> Sides:
        said = self.said
        way = "inbound" if self._is_inbound else "outbound"
        caller, called = said.get("from", ""), said.get("to", "")
        own, other = (called, caller) if way == "inbound" else (caller, called)
        agents = names(said.get("email"), said.get("agent id"), own, said.get("agent"))
        return Sides(agents, other_side(other), way)

    def outcome(self) -> tuple[str, str]:
        said = self.said
        if self.told_answer is not None or (self.talk is not None and self.talk.ms):
            return timeline.COMPLETED, ""
        code = _CODES.get(said.get("reason", ""), (timeline.NO_ANSWER, ""))
        found = outcome(said.get("status", "")) if said.get("status") else None
        if found is not None and found.status == timeline.COMPLETED:
            return found.status, ""
        return code if code[0] != timeline.COMPLETED else (timeline.NO_ANSWER, "")

    def answer(self, status: str) -> tuple[int | None, bool]:
        """With a calling plan, the start that is told is the answer; since when it rang is not."""
        if status == timeline.COMPLETED and "answered" not in self.said:
            return self.start, True
        return super().answer(status)

    def end(self, answered: int | None) -> int | None:
        if self.told_end is None:
            return self.reader.instant(self.said, "failed", self.start) or super().end(answered)
        return self.told_end


class TeamsCsv(Tabular):
    code = "teams_csv"
    title = gettext_lazy("Microsoft Teams: PSTN usage, calling plans or direct routing (CSV)")
    account_kinds = ("teams",)
    zone_name = "UTC"
    draft = _Call
    rounding = NEAREST
    signs = (
        ("usageid", "call id", "start time"),
        ("correlationid", "invite time", "final sip code"),
        ("correlationid", "invitedatetime", "finalsipcode"),
        ("correlation id", "invite utc", "final sip"),
        ("upn", "call type", "destination number", "start time"),
        ("userprincipalname", "calltype", "startdatetime"),
    )
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": (
            *("invite time", "invite utc", "invitedatetime", "invite time (utc)", "start time"),
            *("start utc", "startdatetime", "hora de invitacion", "hora de inicio"),
        ),
        "answered": (
            "start time",
            "start utc",
            "startdatetime",
            "start time (utc)",
            "hora de inicio",
        ),
        "failed": ("failure time", "failure utc", "failuredatetime", "hora de error"),
        "end": ("end time", "end utc", "enddatetime", "hora de finalizacion", "hora de fin"),
        "talk": (
            "duration seconds",
            "duration (seconds)",
            "duration",
            "duracion",
            "duracion segundos",
        ),
        "status": ("success", "successful call", "successfulcall", "correcto"),
        "reason": ("final sip code", "finalsipcode", "final sip", "codigo sip final"),
        "direction": ("call type", "calltype", "event type", "tipo de llamada"),
        "from": ("caller number", "callernumber", "caller id", "numero del autor"),
        "to": (
            *("callee number", "calleenumber", "destination number", "destination dialed"),
            *("numero de destino", "destino marcado"),
        ),
        "email": ("upn", "userprincipalname", "sip address", "user principal name"),
        "agent": ("user display name", "display name", "userdisplayname", "nombre para mostrar"),
        "agent id": ("aad objectid", "userid", "user id"),
        "call": ("usageid", "usage id", "id", "correlationid", "correlation id"),
        "conversation": ("call id", "callid", "correlationid", "correlation id"),
        "price": ("charge", "cargo"),
        "currency": ("currency", "moneda"),
    }
