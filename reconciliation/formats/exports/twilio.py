"""Twilio: the list of calls as CSV. A row is a leg; times are UTC where no zone stands beside them.

Duration is whole seconds, from the answer of the leg to its end. Where a column counts minutes,
those are rounded up for the bill and say nothing here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from django.utils.translation import gettext_lazy

from calls import timeline
from calls.providers.reading import Values, text
from calls.providers.twilio.outcome import FAILURES, KINDS, OUTCOMES
from calls.providers.twilio.people import People
from reconciliation.call_record import FLOOR, BadLine, CallRecord
from reconciliation.formats.base import Context, Reading
from reconciliation.formats.exports.legs import joined_legs
from reconciliation.formats.tabular import Reader, Said, Tabular
from reconciliation.formats.tabular.folds import Timed
from reconciliation.formats.tabular.record import Drafted
from reconciliation.formats.values.lengths import Length
from reconciliation.formats.values.people import Sides
from reconciliation.formats.values.words import outcome


class TwilioCsv(Tabular):
    code = "twilio_csv"
    title = gettext_lazy("Twilio: call log (CSV)")
    account_kinds = ("twilio",)
    zone_name = "UTC"
    signs = (("call sid", "from", "to"), ("sid", "from", "to", "direction", "status"))
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": ("date created", "start time", "start date", "fecha de creacion", "inicio"),
        "begun": ("start time", "hora de inicio"),
        "end": ("end time", "end date", "hora de fin", "fin"),
        "talk": (
            *("duration", "call duration", "duration seconds", "duration (s)", "duracion"),
            *("duration (seconds)", "duracion (segundos)"),
        ),
        "status": ("status", "call status", "estado"),
        "direction": ("direction", "direccion"),
        "from": ("from", "caller", "de", "desde"),
        "to": ("to", "called", "para", "a"),
        "call": ("call sid", "sid", "callsid", "sid de llamada"),
        "conversation": ("parent call sid", "parent sid", "parentcallsid", "sid principal"),
        "reason": ("sip response code", "sip code"),
        "price": ("price", "cost", "precio"),
        "currency": ("price unit", "currency", "price currency", "moneda"),
    }

    def read(
        self, path: Path, reading: Reading, context: Context
    ) -> Iterator[CallRecord | BadLine]:
        return joined_legs(super().read(path, reading, context))

    def records(self, said: Said, timed: Timed, reader: Reader) -> Iterator[CallRecord]:
        if KINDS.get(said.get("status", "").casefold(), timeline.ENDED) == timeline.ENDED:
            yield _Leg(said, timed, reader, FLOOR).record()


class _Leg(Drafted):
    def ids(self) -> tuple[str, str]:
        parent, own = text(self.said.get("conversation", "")), text(self.said.get("call", ""))
        return parent or own, parent or own

    def key(self, who: Sides) -> str:
        return text(self.said.get("call", "")) or super().key(who)

    def outcome(self) -> tuple[str, str]:
        word = self.said.get("status", "").casefold().replace(" ", "-")
        status, reason = OUTCOMES.get(word) or outcome(word) or super().outcome()
        if status == timeline.FAILED:
            reason = FAILURES.get(self.said.get("reason", ""), reason)
        return status, reason

    def sides(self) -> Sides:
        fields = {
            "From": self.said.get("from"),
            "To": self.said.get("to"),
            "Direction": self.said.get("direction", "").casefold().replace(" ", "-"),
            "ParentCallSid": self.said.get("conversation"),
        }
        to_agents = text(self.reader.context.account_settings.get("dials")) == "agents"
        who = People(fields, Values(), self.reader.knows, to_agents=to_agents)
        return Sides(who.agents, who.number, who.direction)

    @property
    def duration(self) -> Length | None:
        return None

    def end(self, answered: int | None) -> int | None:
        """As told; else its length after it began to be counted, which is the answer."""
        if self.told_end is not None:
            return self.told_end
        begun = self.reader.instant(self.said, "begun", self.start)
        if self.talk is None:
            return begun
        return (self.start if begun is None else begun) + self.talk.ms
