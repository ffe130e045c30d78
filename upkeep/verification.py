"""Verifies what is stored: the ledger with its anchors, the calls folded of it, and their sums."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from huey import crontab

from calls.models import Anchor, CallLog, CallQuerySet, Tombstone
from calls.proof.verifying import Fault, Say, Verification, wrong_file
from common.instants import day_start, now
from metrics.rollups.rebuild import each_difference
from upkeep.jobs.failures import FAILURES_TO_TELL
from upkeep.jobs.runs import failures_in_a_row
from upkeep.models import JobRun

JOB: Final = "upkeep.tasks.verify_ledger"
_MINUTE: Final = 10
_WEEKLY: Final = crontab(day_of_week="0", hour="4", minute=str(_MINUTE))
_FIRST_DAY: Final = dt.date(1970, 1, 1)
_LAST_DAY: Final = dt.date(9999, 1, 1)


class LedgerFault(Exception):
    """What is stored is not what was written; the message says what."""


@dataclass
class Wanted:
    """What to verify: all, the calls that began on some days, or one. `quick`: hashes alone."""

    since: dt.date | None = None
    until: dt.date | None = None
    call: CallLog | None = None
    quick: bool = False
    copy: Path | None = None  # of the file of anchors, kept elsewhere
    say: Say = field(default=lambda done, total: None)

    @property
    def is_whole(self) -> bool:
        return self.since is None and self.until is None and self.call is None

    def calls(self) -> CallQuerySet | None:
        if self.call is not None:
            return CallLog.objects.filter(pk=self.call.pk)
        if self.is_whole:
            return None
        last = (self.until or _LAST_DAY) + dt.timedelta(days=1)
        return CallLog.objects.started_between(day_start(self.since or _FIRST_DAY), day_start(last))

    def anchors(self) -> list[Anchor]:
        if self.call is not None:
            return []
        days = (self.since or _FIRST_DAY, self.until or _LAST_DAY)
        return list(Anchor.objects.filter(day__range=days).order_by("day"))


@dataclass
class Run:
    """A verification and what it has found so far."""

    wanted: Wanted
    calls: int = 0
    lines: int = 0
    anchors: int = 0
    found: int = 0

    def faults(self) -> Iterator[Fault]:
        for fault in self._all():
            self.found += 1
            yield fault

    def _all(self) -> Iterator[Fault]:
        wanted = self.wanted
        anchors = wanted.anchors()
        self.anchors = len(anchors)
        if wanted.call is None:
            yield from map(Fault, wrong_file())
            if wanted.copy is not None:
                yield from map(Fault, wrong_file(wanted.copy))
        ledger = Verification(wanted.calls(), anchors, not wanted.quick, wanted.say)
        yield from ledger.faults()
        self.calls, self.lines = ledger.seen, ledger.lines
        if wanted.is_whole and not wanted.quick:
            for one in each_difference():
                yield Fault(f"a stored sum is not that of its calls: {one}")


def newest_anchor() -> Anchor | None:
    """The anchor whose root is to be noted elsewhere."""
    return Anchor.objects.order_by("-day").first()


def last_proof() -> JobRun | None:
    """The worker's last verification of all."""
    return JobRun.objects.filter(name=JOB).order_by("-due").first()


def deleted() -> int:
    """How many calls were deleted on purpose."""
    return Tombstone.objects.exclude(why=Tombstone.BLANKED).count()


def proof_is_due(minute: dt.datetime) -> bool:
    """Each week; and where it has failed, in the next hours, so that it is told on the same day.
    `minute`: naive, UTC, as huey asks."""
    if _WEEKLY(minute):
        return True
    soon = minute - now().replace(tzinfo=None) < dt.timedelta(hours=1)
    return soon and minute.minute == _MINUTE and 0 < failures_in_a_row(JOB) < FAILURES_TO_TELL


def verify_all() -> str:
    """Verifies everything; a sentence about it. LedgerFault where something is wrong."""
    run = Run(Wanted())
    faults = run.faults()
    first = next(faults, None)
    if first is None:
        return sentence_of(run)
    more = sum(1 for _fault in faults)
    others = ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more} if more else ""
    raise LedgerFault(f"{first} {others}".strip())


def sentence_of(run: Run) -> str:
    said = ngettext(
        "%(calls)d call with %(lines)d lines is what was written.",
        "%(calls)d calls with %(lines)d lines are what was written.",
        run.calls,
    ) % {"calls": run.calls, "lines": run.lines}
    last = newest_anchor()
    if last is None:
        return said
    root = _("Root of %(day)s: %(root)s") % {"day": last.day, "root": last.root}
    return f"{said} {root}"
