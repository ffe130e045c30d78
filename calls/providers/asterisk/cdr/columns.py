"""Which column of a file or table of call detail records holds what.

A first line of names is read by what the names mean; without one, the order tells: that of
Master.csv, of its variant in cdr_custom.conf, or of the table `cdr`. What neither tells, the
administrator says once, as names in their order or as our names and theirs.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel"),
    *("lastapp", "lastdata", "start", "answer", "end", "duration", "billsec"),
    *("disposition", "amaflags"),
)
_NEW = ("peeraccount", "linkedid", "sequence")
# The columns behind the sixteen, by how many there are in all; of one alone it is seen what it is.
_MORE: Mapping[int, tuple[str, ...]] = {
    16: (),
    17: ("uniqueid",),
    18: ("uniqueid", "userfield"),
    19: _NEW,
    20: ("uniqueid", *_NEW),
    21: ("uniqueid", "userfield", *_NEW),
}
# cdr_custom.conf's own example, and the table of cdr_mysql, cdr_pgsql and FreePBX. Their first
# columns are enough.
_CUSTOM = (
    *("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata"),
    *("start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("accountcode", "uniqueid", "userfield", "sequence"),
)
_TABLE = (
    *("start", "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata"),
    *("duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield"),
    *("did", "recordingfile", "cnum", "cnam", "outbound_cnum", "outbound_cnam", "dst_cnam"),
    *("linkedid", "peeraccount", "sequence"),
)
UNIQUEID = re.compile(r"(?:.*-)?(?P<epoch>\d{9,11})\.\d+")

# What else our columns are called: by the drivers of databases, by AMI, by viewers, in Spanish.
# Without accents, capitals, blanks and other signs.
_ALSO: Mapping[str, tuple[str, ...]] = {
    "start": (
        *("calldate", "starttime", "startdate", "datetime", "begin", "callstart", "date"),
        *("fecha", "fechayhora", "fechahora", "inicio", "fechainicio"),
    ),
    "time": ("calltime", "hora"),
    "answer": ("answertime", "answerdate", "answered", "answeredat", "respuesta", "contestada"),
    "end": ("endtime", "enddate", "hangup", "hanguptime", "endat", "fin", "fechafin"),
    "duration": ("totalduration", "durationseconds", "duracion", "duraciontotal"),
    "billsec": (
        *("billableseconds", "billseconds", "billsecs", "billable", "talktime", "talkseconds"),
        *("conversacion", "tiempohablado", "duracionfacturada", "segundosfacturados"),
    ),
    "disposition": ("status", "callstatus", "result", "estado", "disposicion", "resultado"),
    "src": ("source", "from", "caller", "callernumber", "origen", "fuente"),
    "dst": ("destination", "to", "called", "callednumber", "destino"),
    "channel": ("srcchannel", "sourcechannel", "canal", "canalorigen"),
    "dstchannel": ("destchannel", "destinationchannel", "canaldestino"),
    "clid": ("callerid", "calleridname"),
    "dcontext": ("destinationcontext", "context", "contexto"),
    "lastapp": ("lastapplication", "app", "application", "aplicacion"),
    "lastdata": ("lastappdata", "appdata", "data"),
    "uniqueid": ("uid", "callid", "idunico"),
    "linkedid": ("linkid",),
    "accountcode": ("account",),
    "cnum": ("callernum",),
}
_OURS = dict.fromkeys((*COLUMNS, *_NEW, *_TABLE, "time"))
_MEANINGS = {theirs: ours for ours, names in _ALSO.items() for theirs in names}
# So many names that we know make a line one of names.
_ENOUGH = 3

# Our names in the order of the columns, or which of theirs (a name, or a place from 1) is which.
ColumnNames = Sequence[str] | Mapping[str, str]


def column_names(value: Any) -> ColumnNames:
    """What a setting or an option says: names in their order with commas or spaces in between, or
    pairs such as `start=Call Date, channel=Canal`, or such a mapping."""
    if isinstance(value, Mapping):
        return dict(_pair(str(ours).strip(), str(theirs).strip()) for ours, theirs in value.items())
    if isinstance(value, list | tuple):
        return tuple(str(one).strip() for one in value)
    said = str(value or "")
    if "=" in said:
        pairs = (pair.partition("=") for pair in said.split(","))
        return dict(
            _pair(ours.strip(), theirs.strip()) for ours, _, theirs in pairs if ours.strip()
        )
    return tuple(re.findall(r"[^,\s]+", said))


def _pair(ours: str, theirs: str) -> tuple[str, str]:
    """Our name and theirs, whichever was said first."""
    return (theirs, ours) if ours not in _OURS and theirs in _OURS else (ours, theirs)


def named_by(values: Sequence[str], given: ColumnNames = ()) -> tuple[str, ...] | None:
    """Our names of the columns, if `values` are a line of names; None if they are none."""
    mapping = given if isinstance(given, Mapping) else {}
    theirs = {_plain(name): ours for ours, name in mapping.items() if not name.isdigit()}
    found = [theirs.get(_plain(value)) or _meaning(value) for value in values]
    known = [name for name in found if name]
    if len(known) < min(_ENOUGH, len(values)) and not theirs.keys() & set(map(_plain, values)):
        return None
    if isinstance(given, Mapping):
        return _placed(_each_once(values, found), mapping)
    return tuple(given) or _each_once(values, found)


def ordered_by(values: Sequence[str], given: ColumnNames, dispositions: Mapping[str, Any]) -> Any:
    """Our names of the columns of a row without a line of names; None if nobody knows."""
    if given and not isinstance(given, Mapping):
        return tuple(_meaning(name) or name for name in given)
    layout = _layout_of(values, dispositions)
    if isinstance(given, Mapping) and given:
        return _placed(layout or ("",) * len(values), given)
    return layout


def _layout_of(values: Sequence[str], dispositions: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The layout of which this row has the disposition at its place; Master.csv's by its length."""
    for columns in (COLUMNS, _TABLE, _CUSTOM):
        place, least = columns.index("disposition"), min(16, len(columns))
        if len(values) > place and values[place].strip().upper() in dispositions:
            if columns is COLUMNS and len(values) in _MORE:
                return _master(values)
            if columns is not COLUMNS and least <= len(values) <= len(columns):
                return columns[: len(values)]
    return _master(values) if len(values) in _MORE else None


def _master(values: Sequence[str]) -> tuple[str, ...]:
    names = COLUMNS + _MORE[len(values)]
    if len(values) in (17, 20) and values[16] and not UNIQUEID.fullmatch(values[16]):
        return tuple("userfield" if name == "uniqueid" else name for name in names)
    return names


def _placed(names: Sequence[str], given: Mapping[str, str]) -> tuple[str, ...]:
    """`names` with those that are given by a place."""
    placed = list(names)
    for ours, place in given.items():
        if place.isascii() and place.isdigit() and 0 < int(place) <= len(placed):
            placed = [name if name != ours else "" for name in placed]
            placed[int(place) - 1] = ours
    return tuple(placed)


def _each_once(values: Sequence[str], found: Sequence[str | None]) -> tuple[str, ...]:
    """Of two columns with one meaning, the one that has our own name, else the first."""
    best: dict[str, int] = {}
    for place, name in enumerate(found):
        if name and (name not in best or _plain(values[place]) == name):
            best[name] = place
    return tuple(name if name and best[name] == place else "" for place, name in enumerate(found))


def _meaning(name: str) -> str | None:
    plain = _plain(name)
    own = next((ours for ours in _OURS if _plain(ours) == plain), None)
    return own or _MEANINGS.get(plain)


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(sign for sign in decomposed if sign.isalnum())
