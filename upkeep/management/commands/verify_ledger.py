"""Verifies that nobody changed the ledger, or what follows from it, behind the program's back."""

import argparse
import datetime as dt
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from calls.models import CallLog, Tombstone
from common.instants import isoformat
from upkeep.verification import Run, Wanted, deleted, newest_anchor

_SHOWN: Final = 200


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no day: write it as 2026-01-31") from error


def _call_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is no id of a call") from error


class Command(BaseCommand):
    help = (
        "Verifies every line of the ledger, the anchors, the calls and their sums; names what was "
        "changed behind the program's back, and exits 1 then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=_day, help="calls that began on this day or later")
        parser.add_argument("--until", type=_day, help="calls that began on this day or before")
        parser.add_argument("--call", type=_call_id, help="this call alone, by its id")
        parser.add_argument("--quick", action="store_true", help="hashes alone: no folds, no sums")
        parser.add_argument(
            "--anchors", type=Path, help="a copy of anchors.txt, kept elsewhere, to compare with"
        )

    def handle(self, *args: Any, **given: Any) -> None:
        if given["anchors"] and not given["anchors"].is_file():
            raise CommandError(f"There is no file {given['anchors']}.")
        call = None if given["call"] is None else self._call(given["call"])
        if given["call"] is not None and call is None:
            return
        begun = time.monotonic()
        wanted = Wanted(
            given["since"], given["until"], call, given["quick"], given["anchors"], self._progress
        )
        run = Run(wanted)
        for fault in run.faults():
            if run.found <= _SHOWN:
                self.stdout.write(str(fault))
        if run.found:
            count = "1 thing is" if run.found == 1 else f"{run.found} things are"
            raise CommandError(f"{count} not as written.", returncode=1)
        self.stdout.write(self._summary(run, time.monotonic() - begun))

    def _call(self, call_id: uuid.UUID) -> CallLog | None:
        """The call; None if it was deleted on purpose, which is said."""
        call = CallLog.objects.known_as(call_id)
        if call is not None:
            return call
        stone = Tombstone.objects.filter(call_id=call_id).order_by("-pk").first()
        if stone is None or stone.why == Tombstone.BLANKED:
            raise CommandError(f"There is no call {call_id}, and none was deleted here.")
        if stone.right_hash() != stone.hash:
            raise CommandError(f"The tombstone of the call {call_id} was changed.")
        who = stone.actor.username if stone.actor else "the program"
        self.stdout.write(
            f"The call {call_id} with {stone.lines} lines went on {isoformat(stone.at)}, "
            f"by {who}: {stone.why}."
        )
        return None

    def _progress(self, done: int, total: int) -> None:
        if sys.stderr.isatty() or done == total or done % 50_000 == 0:
            end = "\r" if sys.stderr.isatty() and done < total else "\n"
            self.stderr.write(f"{done} of {total} calls", ending=end)

    def _summary(self, run: Run, seconds: float) -> str:
        said = (
            f"All is as it was written: {run.calls} calls with {run.lines} lines, "
            f"{run.anchors} anchors, in {seconds:.1f} s ({run.lines / max(seconds, 0.001):.0f} "
            f"lines/s). {deleted()} calls were deleted on purpose."
        )
        last = newest_anchor()
        if last is None:
            return f"{said} There is no anchor yet: the worker makes one each night."
        return f"{said} Newest anchor, of {last.day}: {last.root} - note it elsewhere."
