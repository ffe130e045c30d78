"""How a call went, in the words of its records."""

from collections.abc import Mapping

from calls import timeline

ANSWERED = "ANSWERED"
OUTCOMES: Mapping[str, tuple[str, str]] = {
    ANSWERED: (timeline.COMPLETED, ""),
    "NO ANSWER": (timeline.NO_ANSWER, ""),
    "BUSY": (timeline.NO_ANSWER, "busy"),
    "CANCEL": (timeline.NO_ANSWER, "cancelled"),
    "FAILED": (timeline.FAILED, ""),
    "CONGESTION": (timeline.FAILED, "congestion"),
}
# How else they are written; the numbers are Asterisk's own, of drivers that keep those.
DISPOSITIONS: Mapping[str, str] = {
    **{name: name for name in OUTCOMES},
    **dict.fromkeys(("ANSWER", "8", "CONTESTADA", "CONTESTADO"), ANSWERED),
    **dict.fromkeys(("NOANSWER", "NO_ANSWER", "NO-ANSWER", "1", "NO CONTESTADA"), "NO ANSWER"),
    **dict.fromkeys(("2", "FALLIDA"), "FAILED"),
    **dict.fromkeys(("4", "OCUPADO", "OCUPADA"), "BUSY"),
    "16": "CONGESTION",
    "CANCELLED": "CANCEL",
}
