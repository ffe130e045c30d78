"""The live timer in a terminal, in the colours of the pages: grey, green, amber, red."""

from __future__ import annotations

import os
import threading
from typing import NamedTuple, TextIO

from callmanager_track import book
from callmanager_track.clocks import CLOCK, Clock, format_duration
from callmanager_track.journal import Journal
from callmanager_track.session import CallSession

_LOOK_SECONDS = 0.25  # how often to see what other commands did
GREY, GREEN, AMBER, RED = "90", "32", "38;5;214", "31"


class Thresholds(NamedTuple):
    """From which second on the timer is amber, and red."""

    amber: int = 120
    red: int = 300


def colour_of(seconds: int, thresholds: Thresholds) -> str:
    if seconds >= thresholds.red:
        return RED
    return AMBER if seconds >= thresholds.amber else GREEN


def activity_of(session: CallSession) -> str:
    if session.paused_since is not None:
        return "paused"
    if session.held_since is not None:
        return "on hold"
    return "talking" if session.answered_ms is not None else "running"


def who(session: CallSession) -> str:
    return session.contact_phone or session.contact_id or "unknown number"


def line_of(
    sessions: list[CallSession], waiting: int, thresholds: Thresholds, colours: bool
) -> str:
    """What the terminal shows: every running call, newest first, and what is not delivered yet."""
    parts = [_timer(session, thresholds, colours) for session in reversed(sessions)]
    if not parts:
        parts = [_painted("○ 00:00", GREY, colours) + "  no call"]
    if waiting:
        parts.append(f"{waiting} not delivered yet")
    return "  ·  ".join(parts)


def _timer(session: CallSession, thresholds: Thresholds, colours: bool) -> str:
    seconds = session.get_duration()
    colour = colour_of(seconds, thresholds)
    timer = _painted(f"● {format_duration(seconds)}", f"1;{colour}", colours)
    return f"{timer}  {who(session)}  {activity_of(session)}"


def _painted(text: str, colour: str, colours: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colours else text


def wants_colours(out: TextIO) -> bool:
    """A terminal does, unless NO_COLOR says otherwise."""
    return out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def watch(
    journal: Journal,
    thresholds: Thresholds,
    out: TextIO,
    stop: threading.Event,
    colours: bool,
    clock: Clock = CLOCK,
) -> None:
    """Redraws one line at every second of the newest call, and when something changes."""
    clear, end = ("\r", "\x1b[K") if out.isatty() else ("", "\n")
    shown = ""
    while not stop.is_set():
        sessions = [book.session_of(row, clock) for row in journal.do(book.running)]
        line = _cut(line_of(sessions, journal.do(book.pending), thresholds, colours), out)
        if line != shown:
            out.write(f"{clear}{line}{end}")
            out.flush()
            shown = line
        clock.wait(stop, min(_LOOK_SECONDS, _until_next_second(sessions)))
    if clear:
        out.write("\n")


def _cut(line: str, out: TextIO) -> str:
    """A line that would wrap cannot be drawn over; colours take no room."""
    try:
        width = os.get_terminal_size(out.fileno()).columns
    except (OSError, ValueError):
        return line
    if width == 0:  # a terminal that does not know its size
        return line
    shown, kept, escape = 0, [], False
    for char in line:
        escape = escape or char == "\x1b"
        shown += not escape
        if escape or shown < width:
            kept.append(char)
        escape = escape and char != "m"
    return "".join(kept)


def _until_next_second(sessions: list[CallSession]) -> float:
    return (1000 - sessions[-1].tracked_ms() % 1000) / 1000 if sessions else _LOOK_SECONDS


def log_line(call: dict[str, object]) -> str:
    """One call as `log` prints it: start, length, status, with whom."""
    seconds = call.get("duration_seconds")
    runs = not (seconds or call.get("end_time"))  # the server says 0 of a call that runs
    length = "…" if runs or not isinstance(seconds, int) else format_duration(seconds)
    number = call.get("contact_phone") or call.get("contact_id") or "-"
    start = str(call.get("start_time") or "")[:19].replace("T", " ")
    return f"{start}Z  {length:>8}  {call.get('status')!s:<11}  {number}"
