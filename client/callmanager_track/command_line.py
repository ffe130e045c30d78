"""`callmanager-track`: calls from scripts and from the hooks of softphones.

Exit codes: 0 done; 1 not possible now, such as no call running; 2 not a command; 3 the server
refused. A server that is away is no failure: what is to be reported waits in the journal.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

from call_tracking import CallTracker
from callmanager_track import __version__, baresip, book, keeper, program, settings, terminal
from callmanager_track.clocks import CLOCK, format_duration, new_call_id
from callmanager_track.end_words import STATUSES, checked_status
from callmanager_track.journal import Journal, JournalError
from callmanager_track.recorder import Recorder, end_data
from callmanager_track.session import CallSession
from callmanager_track.settings import Settings, UsageError
from callmanager_track.wire import Unreachable, Wire

_REFUSED = 3


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options, settings.read(options)))
    except (UsageError, ValueError) as error:
        print(f"callmanager-track: {error}", file=sys.stderr)
        return 2
    except (LookupError, JournalError, Unreachable) as error:
        print(f"callmanager-track: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; there is nobody to tell
        return 0


# --- What can be said ---


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="callmanager-track", description="Tracks phone calls.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    start = _command(commands, "start", _start, "start a call; prints its id")
    _add_who(start)
    end = _command(commands, "end", _end, "end the call")
    end.add_argument(
        "--status",
        type=_end_word,
        default="COMPLETED",
        help=f"{', '.join(STATUSES)}, or a plain word for one of them, such as busy",
    )
    end.add_argument("--notes", default="")
    end.add_argument("--at-last-sign", action="store_true", help="when it was last known alive")
    _add_call(end)
    for name, text in (
        ("pause", "stop the timer"),
        ("hold", "put the call on hold"),
        ("resume", "go on after a pause or a hold"),
    ):
        _add_call(_command(commands, name, partial(_step, name), text))

    status = _command(commands, "status", _status, "what runs, and what is not delivered yet")
    status.add_argument("--json", action="store_true")
    log = _command(commands, "log", _log, "the last calls")
    log.add_argument("--limit", type=int, default=10)
    log.add_argument("--json", action="store_true")
    watch = _command(commands, "watch", _watch, "a live timer in this terminal")
    watch.add_argument("--amber", type=int, default=120, metavar="SECONDS")
    watch.add_argument("--red", type=int, default=300, metavar="SECONDS")

    run = _command(commands, "run", _run, "track a call for as long as a program runs")
    _add_who(run)
    run.add_argument(
        "--exit-status", action="append", default=[], metavar="CODE=STATUS", help="2=NO_ANSWER"
    )
    run.add_argument("program", nargs=argparse.REMAINDER, metavar="-- PROGRAM")
    follow = _command(commands, "follow", _follow, "let a softphone's calls track themselves")
    follow.add_argument("phone", choices=["baresip"])
    follow.add_argument("--host", default="127.0.0.1")
    follow.add_argument("--port", type=int, default=4444)

    refused = _command(commands, "refused", _refused, "what the server refused")
    refused.add_argument("--retry", action="store_true", help="try all of it again")
    refused.add_argument("--drop", action="store_true", help="forget all of it")
    _command(commands, "keep", _keep, argparse.SUPPRESS)
    return parser


def _end_word(word: str) -> str:
    """A word for how a call ended, as it is, if its meaning is plain."""
    try:
        checked_status(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return word


def _command(commands: Any, name: str, function: Any, text: str) -> argparse.ArgumentParser:
    described = {} if text == argparse.SUPPRESS else {"help": text, "description": text}
    command: argparse.ArgumentParser = commands.add_parser(name, **described)
    command.set_defaults(command=function)
    settings.add_options(command)
    return command


def _add_who(command: argparse.ArgumentParser) -> None:
    command.add_argument("--phone", help="the number of the other side")
    command.add_argument("--contact", help="the contact's id")
    command.add_argument(
        "--direction", choices=["outbound", "inbound", "internal"], default="outbound"
    )


def _add_call(command: argparse.ArgumentParser) -> None:
    command.add_argument("--call", metavar="ID", help="which call; the newest, if absent")


# --- Calls that outlive the command ---


class Desk:
    """The journal's calls that no program holds, for one command."""

    def __init__(self, given: Settings):
        self.given = given
        self.recorder = Recorder(
            given.url,
            given.api_key,
            journal=given.journal,
            timeout=max(0.5, given.wait),
            report=lambda problem: None,
            owned=False,
        )
        self.refused_before = self.recorder.journal.do(book.dead_letters)
        for session in self.recorder.unfinished():  # their programs were killed
            self.recorder.close_at_last_sign(session, "DROPPED")

    def find(self, call_id: str | None) -> CallSession:
        """The call `call_id`, else the newest. LookupError if there is none."""
        calls = [one for one in self.recorder.detached() if call_id in (None, one.call_id)]
        if not calls:
            raise LookupError(
                f"There is no running call {call_id}." if call_id else "No call runs."
            )
        return calls[-1]

    def exit_code(self) -> int:
        """0, or 3 with what the server said if it refused something."""
        # Asked of the journal: the keeper may have sent it, and heard of the refusal, before us.
        refused = self.recorder.journal.do(book.dead_letters)
        for letter in self.refused_before:
            if letter in refused:
                refused.remove(letter)
        for letter in refused:
            print(f"callmanager-track: refused: {letter.error}", file=sys.stderr)
        return _REFUSED if refused else 0

    def close(self) -> None:
        running, waiting = self.recorder.detached(), self.recorder.journal.do(book.pending)
        self.recorder.close(0)
        if running or waiting:
            keeper.leave_behind(self.given)


@contextlib.contextmanager
def _desk(given: Settings) -> Iterator[Desk]:
    desk = Desk(given)
    try:
        yield desk
    finally:
        desk.close()


def _start(options: argparse.Namespace, given: Settings) -> int:
    with _desk(given) as desk:
        session = CallSession(new_call_id(CLOCK.now()), options.contact, options.phone)
        desk.recorder.begin(session, options.direction)
        print(session.call_id, flush=True)
        desk.recorder.flush(given.wait)
        return desk.exit_code()


def _end(options: argparse.Namespace, given: Settings) -> int:
    with _desk(given) as desk:
        session = desk.find(options.call)
        if options.at_last_sign:
            desk.recorder.close_at_last_sign(session, options.status, options.notes)
        elif step := session.finish(checked_status(options.status)):
            data = end_data(options.status, options.notes)
            if not desk.recorder.note(session, step, **data):
                raise LookupError("Another command has ended this call already.")
        result = desk.recorder.result_of(session, given.wait)
        print(_end_line(result))
        return desk.exit_code()


def _end_line(result: dict[str, Any]) -> str:
    remark = "" if result["confirmed"] else " (estimated; not delivered yet)"
    return (
        f"{result['status']} after {format_duration(result['duration_seconds'])}; "
        f"{result['calls_made']} calls, average {format_duration(result['new_average'])}{remark}"
    )


def _step(name: str, options: argparse.Namespace, given: Settings) -> int:
    with _desk(given) as desk:
        session = desk.find(options.call)
        for kind in ("unpause", "resume") if name == "resume" else (name,):
            if step := session.step(kind):
                desk.recorder.note(session, step)
        desk.recorder.flush(given.wait)
        return desk.exit_code()


def _keep(options: argparse.Namespace, given: Settings) -> int:
    stop = _stop_on_signals()
    with contextlib.ExitStack() as stack:
        recorder = Recorder(
            given.url,
            given.api_key,
            journal=given.journal,
            timeout=5,
            report=lambda problem: None,
            owned=False,
        )
        stack.callback(recorder.close, 0)
        keeper.keep(given, recorder, stop)
    return 0


# --- Looking ---


def _status(options: argparse.Namespace, given: Settings) -> int:
    with contextlib.closing(Journal(given.journal)) as journal:
        calls = [book.session_of(row, CLOCK) for row in journal.do(book.running)]
        waiting, refused = journal.do(book.pending), len(journal.do(book.dead_letters))
    if options.json:
        running = [call.to_dict() | {"activity": terminal.activity_of(call)} for call in calls]
        print(json.dumps({"running": running, "pending": waiting, "refused": refused}))
        return 0
    colours = terminal.wants_colours(sys.stdout)
    print(terminal.line_of(calls, waiting, terminal.Thresholds(), colours))
    if refused:
        print(f"{refused} refused by the server: callmanager-track refused")
    return 0


def _log(options: argparse.Namespace, given: Settings) -> int:
    """The server's list; while it is away, what this computer knows."""
    limit = max(1, options.limit)
    try:
        calls = _calls_of_server(given, limit)
    except Unreachable as error:
        print(f"The server is away ({error}); these are this computer's calls.", file=sys.stderr)
        with contextlib.closing(Journal(given.journal)) as journal:
            rows = journal.do(partial(book.latest, limit=limit))
        calls = [book.session_of(row, CLOCK).to_dict() for row in rows]
    print(json.dumps(calls) if options.json else "\n".join(map(terminal.log_line, calls)))
    return 0


def _calls_of_server(given: Settings, limit: int) -> list[dict[str, Any]]:
    wire = Wire(given.url, given.api_key, max(0.5, given.wait))
    try:
        answer = wire.ask("GET", f"/api/calls/log?limit={limit}")
    finally:
        wire.close()
    if answer.status >= 400:
        raise LookupError(answer.error or f"The server answered {answer.status}.")
    if not isinstance(answer.body, list):
        raise Unreachable("it does not answer as a call server does")
    return [call for call in answer.body if isinstance(call, dict)]


def _watch(options: argparse.Namespace, given: Settings) -> int:
    thresholds = terminal.Thresholds(options.amber, options.red)
    with contextlib.closing(Journal(given.journal)) as journal:
        colours = terminal.wants_colours(sys.stdout)
        terminal.watch(journal, thresholds, sys.stdout, _stop_on_signals(), colours)
    return 0


def _refused(options: argparse.Namespace, given: Settings) -> int:
    with _desk(given) as desk:
        journal = desk.recorder.journal
        for letter in journal.do(book.dead_letters):
            print(f"{letter.call_id}  {letter.kind:<8}  {letter.code}  {letter.error}")
        if options.drop:
            journal.do(book.drop_dead, durable=True)
        elif options.retry:
            journal.do(book.revive, durable=True)
            desk.refused_before.clear()
            desk.recorder.flush(given.wait)
        return desk.exit_code()


# --- Calls that live as long as the command ---


def _tracker(given: Settings) -> CallTracker:
    return CallTracker(
        given.url,
        given.api_key,
        journal=given.journal,
        timeout=max(0.5, given.wait),
    )


def _run(options: argparse.Namespace, given: Settings) -> int:
    command = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not command:
        raise UsageError("Which program? callmanager-track run -- PROGRAM ARGUMENTS")
    statuses = program.parse_statuses(options.exit_status)
    who = {
        "contact_id": options.contact,
        "contact_phone": options.phone,
        "direction": options.direction,
    }
    with _tracker(given) as tracker:
        code = program.run(tracker, command, statuses, who)
    _deliver_later(given)
    return code


def _follow(options: argparse.Namespace, given: Settings) -> int:
    stop = _stop_on_signals()
    say = partial(print, flush=True)
    with _tracker(given) as tracker:
        baresip.follow(baresip.Follower(tracker, say), options.host, options.port, stop, say)
    _deliver_later(given)
    return 0


def _deliver_later(given: Settings) -> None:
    """What the server does not have yet is left to the keeper."""
    with contextlib.closing(Journal(given.journal)) as journal:
        waiting = journal.do(book.pending)
    if waiting:
        keeper.leave_behind(given)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main())
