"""What programs and phone systems call the end of a call, in the words of the ledger."""

import unicodedata
from collections.abc import Mapping
from typing import Final, NamedTuple

from calls.timeline.events import COMPLETED, DROPPED, FAILED, NO_ANSWER


class Outcome(NamedTuple):
    """How a call ended: a status of TERMINAL, and why, where that is known."""

    status: str
    reason: str = ""


# What phone systems say. Plain words, as `plain` makes them.
SYSTEM_WORDS: Final[Mapping[str, Outcome]] = {
    **dict.fromkeys(("completed", "answered"), Outcome(COMPLETED)),
    **dict.fromkeys(
        ("noanswer", "missed", "unanswered", "notanswered", "timeout"), Outcome(NO_ANSWER)
    ),
    "busy": Outcome(NO_ANSWER, "busy"),
    **dict.fromkeys(
        ("cancelled", "canceled", "cancel", "abandoned"), Outcome(NO_ANSWER, "cancelled")
    ),
    **dict.fromkeys(("rejected", "declined"), Outcome(NO_ANSWER, "rejected")),
    "failed": Outcome(FAILED),
    "dropped": Outcome(DROPPED),
}
# What programs of people say besides, in English and Spanish. The client for Python knows the same
# words: client/callmanager_track/end_words.py.
END_WORDS: Final[Mapping[str, Outcome]] = {
    **SYSTEM_WORDS,
    **dict.fromkeys(
        ("complete", "success", "successful", "finished", "ended", "hangup", "hungup"),
        Outcome(COMPLETED),
    ),
    **dict.fromkeys(
        ("completada", "completado", "contestada", "contestado", "atendida", "atendido"),
        Outcome(COMPLETED),
    ),
    **dict.fromkeys(
        ("exitosa", "exitoso", "finalizada", "finalizado", "terminada", "terminado"),
        Outcome(COMPLETED),
    ),
    **dict.fromkeys(("colgada", "colgado"), Outcome(COMPLETED)),
    **dict.fromkeys(
        ("nocontesta", "nocontesto", "nocontestada", "noatendida", "sinrespuesta", "perdida"),
        Outcome(NO_ANSWER),
    ),
    **dict.fromkeys(("userbusy", "ocupado", "ocupada"), Outcome(NO_ANSWER, "busy")),
    **dict.fromkeys(
        ("cancelada", "cancelado", "abandonada", "abandonado"), Outcome(NO_ANSWER, "cancelled")
    ),
    **dict.fromkeys(("rechazada", "rechazado"), Outcome(NO_ANSWER, "rejected")),
    **dict.fromkeys(("failure", "error", "fallida", "fallido"), Outcome(FAILED)),
    **dict.fromkeys(("invalidnumber", "numeroinvalido"), Outcome(FAILED, "invalid_number")),
    "congestion": Outcome(FAILED, "congestion"),
    **dict.fromkeys(
        ("caida", "caido", "cortada", "cortado", "interrumpida", "interrumpido"), Outcome(DROPPED)
    ),
}


def plain(word: str) -> str:
    """`word` without capitals, accents, spaces and signs: `No-Answer` is `noanswer`."""
    apart = unicodedata.normalize("NFKD", word).casefold()
    return "".join(filter(str.isalnum, apart))


def outcome_of(word: str) -> Outcome | None:
    """How a call ended by a program's `word`; None where its meaning is not plain."""
    return END_WORDS.get(plain(word))
