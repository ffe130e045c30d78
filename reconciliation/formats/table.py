"""Any table: what its columns hold is said by whoever brings it, or guessed by their names."""

from collections.abc import Mapping
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reconciliation.formats.base import UnreadableFile
from reconciliation.formats.files import Peek
from reconciliation.formats.tabular import Tabular
from reconciliation.formats.tabular.columns import Layout

_TELL_LENGTH = ("end", "duration", "talk")


class AnyTable(Tabular):
    code = "table"
    title = gettext_lazy("Any table (CSV or Excel)")
    rounding = None
    heads: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "start": (
            *("start", "start time", "started at", "started", "start date", "call start", "begin"),
            *("calldate", "call date", "date time", "datetime", "timestamp", "call time", "date"),
            *("inicio", "hora de inicio", "fecha y hora", "fecha hora", "fecha de inicio"),
            *("comienzo", "fecha de la llamada", "fecha"),
        ),
        "time": ("time", "time of day", "hour", "hora", "hora de la llamada"),
        "answered": (
            *("answer", "answered", "answered at", "answer time", "answered time", "pickup time"),
            *("respuesta", "hora de respuesta", "contestada", "atendida", "respondida"),
        ),
        "end": (
            *("end", "end time", "ended at", "ended", "end date", "hangup time", "call end"),
            *("fin", "hora de fin", "final", "fecha de fin", "finalizacion", "termino"),
        ),
        "duration": (
            *("duration", "total duration", "call duration", "length", "total time"),
            *("duracion", "duracion total", "duracion de la llamada", "tiempo total"),
        ),
        "talk": (
            *("talk", "talk time", "talk duration", "talking", "billsec", "billable seconds"),
            *("conversation time", "talk seconds", "in call duration", "conversacion"),
            *("tiempo de conversacion", "tiempo hablado", "duracion de conversacion", "hablado"),
        ),
        "ring": (
            *("ring", "ring time", "ringing", "wait time", "ring duration", "waiting time"),
            *("timbre", "tiempo de timbrado", "tiempo de espera", "timbrado", "espera"),
        ),
        "hold": ("hold", "hold time", "on hold", "en espera", "tiempo en espera", "retencion"),
        "status": (
            *("status", "call status", "disposition", "result", "outcome", "call result"),
            *("estado", "resultado", "estado de la llamada", "disposicion"),
        ),
        "direction": (
            *("direction", "call direction", "call type", "type", "direccion", "sentido"),
            *("tipo de llamada", "tipo"),
        ),
        "agent": (
            *("agent", "agent name", "user", "user name", "username", "employee", "operator"),
            *("agente", "usuario", "empleado", "operador", "asesor", "nombre del agente"),
        ),
        "extension": ("extension", "ext", "extension number", "anexo", "interno", "linea"),
        "email": ("email", "e mail", "user email", "agent email", "correo", "correo electronico"),
        "number": (
            *("number", "phone number", "phone", "contact number", "customer number"),
            *("external number", "remote number", "numero", "telefono", "numero de telefono"),
            *("numero externo", "numero del cliente", "cliente"),
        ),
        "from": (
            *("from", "from number", "caller", "caller number", "caller id", "src", "source"),
            *("calling number", "origen", "de", "llamante", "numero de origen", "desde"),
        ),
        "to": (
            *("to", "to number", "called", "callee", "called number", "dst", "destination"),
            *("dialed number", "destino", "para", "a", "numero de destino", "hacia"),
        ),
        "call": (
            *("call id", "callid", "call uuid", "uuid", "unique id", "uniqueid", "call sid", "id"),
            *("id de llamada", "id de la llamada", "id llamada", "identificador"),
        ),
        "conversation": (
            "conversation",
            "conversation id",
            "session id",
            "linkedid",
            "conversacion id",
        ),
        "price": (
            "price",
            "cost",
            "charge",
            "amount",
            "precio",
            "costo",
            "coste",
            "importe",
            "cargo",
        ),
        "currency": ("currency", "price unit", "moneda", "divisa"),
    }

    def fits(self, peek: Peek) -> int:
        """Whatever is a table may be this one, if nothing else knows it."""
        return 0 if peek.table is None else 5

    def _refuse(self, layout: Layout) -> None:
        super()._refuse(layout)
        if not layout.columns.keys() & set(_TELL_LENGTH):
            raise UnreadableFile(
                _("No column says how long the calls were: an end, a duration or a talk time.")
            )
