"""How calls went and which way, in the words that files have for it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from calls import timeline
from calls.timeline.end_words import Outcome, outcome_of, plain

# What exports say besides what programs say (calls.timeline.end_words); plain words.
_ALSO: Final[Mapping[str, Outcome]] = {
    **dict.fromkeys(
        ("callconnected", "connected", "accepted", "pickedup", "succeeded", "si", "yes", "true"),
        Outcome(timeline.COMPLETED),
    ),
    **dict.fromkeys(
        ("conectada", "conectado", "respondida", "respondido", "aceptada", "aceptado"),
        Outcome(timeline.COMPLETED),
    ),
    **dict.fromkeys(
        ("voicemail", "buzondevoz", "missedcall", "llamadaperdida", "nocontestado", "noresponde"),
        Outcome(timeline.NO_ANSWER),
    ),
    **dict.fromkeys(
        ("norespondida", "norespondido", "noanswered", "ringnoanswer", "unreachable", "no"),
        Outcome(timeline.NO_ANSWER),
    ),
    **dict.fromkeys(("hangup", "callercancelled"), Outcome(timeline.NO_ANSWER, "cancelled")),
    **dict.fromkeys(("blocked", "bloqueada", "bloqueado"), Outcome(timeline.NO_ANSWER, "rejected")),
    **dict.fromkeys(("chanunavail", "networkerror"), Outcome(timeline.FAILED, "network")),
}
DIRECTIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("outbound", "outgoing", "out", "saliente", "realizada", "made"), "outbound"),
    **dict.fromkeys(
        ("outboundapi", "outbounddial", "originating", "salida", "emitida"), "outbound"
    ),
    **dict.fromkeys(("inbound", "incoming", "in", "entrante", "recibida", "received"), "inbound"),
    **dict.fromkeys(("terminating", "entrada"), "inbound"),
    **dict.fromkeys(("internal", "interna", "interno", "local", "extension"), "internal"),
}


@lru_cache(maxsize=1024)
def outcome(word: str) -> Outcome | None:
    """How a call ended by a file's word; None where we do not know it."""
    return _ALSO.get(plain(word)) or outcome_of(word)


@lru_cache(maxsize=1024)
def direction(word: str) -> str:
    """outbound, inbound, internal, or "" where we do not know."""
    bare = plain(word)
    if found := DIRECTIONS.get(bare):
        return found
    return next((way for name, way in DIRECTIONS.items() if len(name) > 3 and name in bare), "")
