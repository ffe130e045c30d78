"""The words that say plainly how a call ended; the server understands the same ones."""

from __future__ import annotations

import unicodedata

STATUSES = ("COMPLETED", "DROPPED", "FAILED", "NO_ANSWER")
_WORDS = {
    "COMPLETED": (
        "completed complete answered success successful finished ended hangup hungup"
        " completada completado contestada contestado atendida atendido exitosa exitoso"
        " finalizada finalizado terminada terminado colgada colgado"
    ),
    "DROPPED": "dropped caida caido cortada cortado interrumpida interrumpido",
    "FAILED": ("failed failure error fallida fallido invalidnumber numeroinvalido congestion"),
    "NO_ANSWER": (
        "noanswer missed unanswered notanswered timeout busy userbusy cancelled canceled cancel"
        " abandoned rejected declined nocontesta nocontesto nocontestada noatendida sinrespuesta"
        " perdida ocupado ocupada cancelada cancelado abandonada abandonado rechazada rechazado"
    ),
}
END_WORDS = {word: status for status, words in _WORDS.items() for word in words.split()}


def checked_status(word: str) -> str:
    """The status that `word` means: one of STATUSES, or a plain word for it, such as "busy".

    Capitals, accents, spaces and signs do not matter. ValueError for any other.
    """
    apart = unicodedata.normalize("NFKD", str(word)).casefold()
    status = END_WORDS.get("".join(filter(str.isalnum, apart)))
    if status is None:
        raise ValueError(
            f"Unknown status {word!r}. Use one of: {', '.join(STATUSES)};"
            " or a plain word for one of them, such as busy."
        )
    return status
