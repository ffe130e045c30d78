"""`callmanager-track run -- COMMAND`: a call that lasts as long as a program."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from types import FrameType
from typing import Any

from call_tracking import CallTracker
from callmanager_track.end_words import checked_status

_NOT_FOUND, _NOT_RUNNABLE = 127, 126  # as shells say it


def status_of(code: int, wanted: Mapping[int, str]) -> str:
    """How the call ended, by the program's exit code; a signal that killed it is -number."""
    if code in wanted:
        return wanted[code]
    if code == 0:
        return "COMPLETED"
    return "DROPPED" if code < 0 else "FAILED"


def parse_statuses(given: list[str]) -> dict[int, str]:
    """`["2=NO_ANSWER"]` as {2: "NO_ANSWER"}. ValueError for what is no such pair."""
    wanted = {int(code): status for code, _, status in (one.partition("=") for one in given)}
    for status in wanted.values():
        checked_status(status)
    return wanted


def run(
    tracker: CallTracker, command: list[str], statuses: Mapping[int, str], who: Mapping[str, Any]
) -> int:
    """Runs `command` within a call: the exit code to pass on."""
    call_id = tracker.start_call(**who)
    code = _run(command)
    tracker.end_call(status_of(code, statuses), call_id=call_id)
    return 128 - code if code < 0 else code


def _run(command: list[str]) -> int:
    """Runs the program with the signals it is meant to get: its exit code, -number for a signal."""
    process: subprocess.Popen[bytes] | None = None
    waiting: list[int] = []

    def hand_on(number: int, frame: FrameType | None) -> None:
        if process is None:
            waiting.append(number)
        else:
            process.send_signal(number)

    signal.signal(signal.SIGTERM, hand_on)
    # The terminal sends Ctrl-C to the program itself. Ignoring it would be inherited.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        process = subprocess.Popen(command)
    except FileNotFoundError:
        return _NOT_FOUND
    except OSError:
        return _NOT_RUNNABLE
    for number in waiting:
        process.send_signal(number)
    return process.wait()
