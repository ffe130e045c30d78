"""The only writers of a call: page, API, administration, phone system, clean-up and client come
through here."""

from calls.services.corrections import add_note, correct_call, refold
from calls.services.lifecycle import (
    CLOCK_TOLERANCE,
    DIALLER,
    NOT_DIALLED,
    OFFLINE_AFTER,
    end_call,
    not_dialled,
    settle_instant,
    start_call,
)
from calls.services.recording import ADMIN, AGENT, CLIENT, ReportedTime
from calls.services.stale import GOES_ON, GONE, close_stale_calls
from calls.services.steps import STEPS, heartbeat, heartbeat_all, step

__all__ = [
    "ADMIN",
    "AGENT",
    "CLIENT",
    "CLOCK_TOLERANCE",
    "DIALLER",
    "GOES_ON",
    "GONE",
    "NOT_DIALLED",
    "OFFLINE_AFTER",
    "STEPS",
    "ReportedTime",
    "add_note",
    "close_stale_calls",
    "correct_call",
    "end_call",
    "heartbeat",
    "heartbeat_all",
    "not_dialled",
    "refold",
    "settle_instant",
    "start_call",
    "step",
]
