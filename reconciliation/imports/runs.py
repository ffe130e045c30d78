"""Imports as the worker runs them: one of an account at a time, in bounded transactions, each of
which is whole. What the end of a process cuts off is taken up again by another."""

import datetime as dt
import logging
import secrets
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.instants import now
from metrics.live import publisher
from reconciliation.formats.catalogue import UnreadableFile
from reconciliation.imports import drafts, files
from reconciliation.imports.batch import Batch, Moved
from reconciliation.imports.reading import staged
from reconciliation.imports.taking import Taking
from reconciliation.imports.undoing import take_back
from reconciliation.models import RecordImport
from reconciliation.signals import import_waits

logger = logging.getLogger(__name__)

SILENT: Final = dt.timedelta(minutes=5)  # a worker that says nothing for so long is gone
_TRIES: Final = 5


class Stopped(Exception):
    """Somebody has cancelled the import, or another worker has taken it up."""


# --- What people ask for --------------------------------------------------------------------------
def take_in(what: RecordImport, *, keep_mapping: bool = False, queue: bool = True) -> None:
    """Has the worker take in a draft; again changes nothing. `keep_mapping`: the account's next
    files are read in the same way. `queue` False: the caller runs it. ValidationError where it
    cannot be taken in."""
    unreadable = what.plan.get("unreadable") or 0
    if unreadable and not what.reading.get("skip_bad"):
        raise ValidationError(_unreadable(unreadable))
    if keep_mapping:
        _keep_reading(what)
    waiting = RecordImport.objects.filter(pk=what.pk, state=RecordImport.DRAFT)
    with transaction.atomic():
        begun = waiting.update(
            state=RecordImport.WAITING, runner="", done=0, skew_ms=None, touched_at=now()
        )
        what.refresh_from_db()
        if begun and queue:
            import_waits.send(RecordImport, pk=what.pk)
        elif what.state in (RecordImport.UNDOING, RecordImport.UNDONE, RecordImport.FAILED):
            raise ValidationError(_("This import is no longer a draft."))


def _unreadable(count: int) -> str:
    return ngettext(
        "%(n)d line cannot be read. Choose to leave it out, or mend the file.",
        "%(n)d lines cannot be read. Choose to leave them out, or mend the file.",
        count,
    ) % {"n": count}


def _keep_reading(what: RecordImport) -> None:
    account = what.account
    kept = {name: value for name, value in what.reading.items() if name != "skip_bad"}
    readings = account.settings.get(drafts.KEPT_READING, {})
    account.settings[drafts.KEPT_READING] = {**readings, what.format: kept}
    account.save(update_fields=["settings"])


def undo(what: RecordImport) -> None:
    """Has the worker take back what the import wrote; again changes nothing."""
    done = RecordImport.objects.filter(pk=what.pk, state=RecordImport.DONE)
    _begin_undo(what, done)
    if what.state not in (RecordImport.UNDOING, RecordImport.UNDONE):
        raise ValidationError(_("Only an import that was taken in can be taken back."))


def cancel(what: RecordImport) -> None:
    """A waiting import is a draft again; of a running one, what it wrote is taken back."""
    mine = RecordImport.objects.filter(pk=what.pk)
    if mine.filter(state=RecordImport.WAITING).update(state=RecordImport.DRAFT):
        what.refresh_from_db()
        return
    _begin_undo(what, mine.filter(state=RecordImport.RUNNING))


def _begin_undo(what: RecordImport, imports: "QuerySet[RecordImport]") -> None:
    try:
        with transaction.atomic():
            begun = imports.update(
                state=RecordImport.UNDOING, runner="", message="", touched_at=now()
            )
            if begun:
                import_waits.send(RecordImport, pk=what.pk)
    except IntegrityError:
        raise ValidationError(
            _("Another import of this account is running. Take this one back when it is done.")
        ) from None
    what.refresh_from_db()


# --- What the worker does -------------------------------------------------------------------------
def waiting() -> list[int]:
    """The keys of all imports that somebody should run, the oldest first."""
    lost = Q(state__in=(RecordImport.RUNNING, RecordImport.UNDOING)) & (
        Q(runner="") | Q(touched_at__lt=now() - SILENT)
    )
    looked_at = Q(state=RecordImport.DRAFT, plan__state=drafts.RUNNING) & (
        Q(runner="") | Q(touched_at__lt=now() - SILENT)
    )
    found = RecordImport.objects.filter(Q(state=RecordImport.WAITING) | lost | looked_at)
    return list(found.order_by("pk").values_list("pk", flat=True))


def run(pk: int) -> None:
    """Runs, or goes on with, what the import waits for; nothing if it waits for nothing or another
    of its account runs."""
    what = RecordImport.objects.select_related("account", "person").filter(pk=pk).first()
    if what is None:
        return
    if what.state == RecordImport.DRAFT:
        if what.plan.get("state") == drafts.RUNNING:
            drafts.look(what)
        return
    runner = _begun(what)
    if runner is None:
        return
    try:
        runner.go()
    except Stopped:
        logger.info("import %s was stopped, or taken up by another worker", pk)
    _wake_next(what)


def _begun(what: RecordImport) -> "_Runner | None":
    mine = secrets.token_hex(16)
    lost = Q(runner="") | Q(touched_at__lt=now() - SILENT)
    states = {
        RecordImport.WAITING: RecordImport.RUNNING,
        RecordImport.RUNNING: RecordImport.RUNNING,
        RecordImport.UNDOING: RecordImport.UNDOING,
    }
    if what.state not in states:
        return None
    free = RecordImport.objects.filter(pk=what.pk, state=what.state)
    if what.state != RecordImport.WAITING:
        free = free.filter(lost)
    try:
        with transaction.atomic():
            begun = free.update(state=states[what.state], runner=mine, touched_at=now())
            RecordImport.objects.filter(pk=what.pk, started_at=None).update(started_at=now())
    except IntegrityError:  # another of the account runs
        return None
    if not begun:
        return None
    what.refresh_from_db()
    return _Runner(what, mine)


def _wake_next(what: RecordImport) -> None:
    following = RecordImport.objects.filter(account=what.account_id, state=RecordImport.WAITING)
    pk = following.order_by("pk").values_list("pk", flat=True).first()
    if pk is not None:
        import_waits.send(RecordImport, pk=pk)


@dataclass
class _Runner:
    """One worker's hold on one import: every step asks whether it still has it."""

    what: RecordImport
    name: str

    def go(self) -> None:
        if self.what.state == RecordImport.UNDOING:
            take_back(self.what, self._beat)
            self._finish(RecordImport.FAILED if self.what.message else RecordImport.UNDONE)
            return
        try:
            self._take()
        except Stopped:
            raise
        except (UnreadableFile, ValidationError) as error:
            self._fail(" ".join(getattr(error, "messages", [str(error)])))
        except Exception:
            logger.exception("import %s failed", self.what.pk)
            self._fail(_("Something went wrong on our side. Try again."))

    def _take(self) -> None:
        with closing(staged(self.what, self._beat)) as staging:
            count = staging.counts["unreadable"]
            if count and not self.what.reading.get("skip_bad"):
                told = ("rows", "records", "unreadable", "faults")  # for whoever mends the file
                self._update(**{name: staging.counts[name] for name in told})
                raise ValidationError(_unreadable(count))
            taking = Taking(self.what, staging, self._beat, dry=False)
            taking.take(self._save)
            self._update(**taking.progress())
        self._finish(RecordImport.DONE)

    def _save(self, taking: Taking, batch: Batch) -> None:
        """One batch, with its place in the file: both or neither."""
        for left in reversed(range(_TRIES)):
            try:
                with transaction.atomic():
                    self._update()  # from here on nobody else runs it, or takes it back
                    results = batch.write()
                    self._update(**taking.progress(results))
            except (Moved, IntegrityError, OperationalError):
                if not left:
                    raise
            else:
                taking.note(results)
                return

    def _beat(self, done: int = 0) -> None:
        self._update()

    def _update(self, **values: object) -> None:
        """Notes `values` and a sign of life. Stopped where somebody else has the import now."""
        mine = RecordImport.objects.filter(pk=self.what.pk, runner=self.name)
        if not mine.filter(state=self.what.state).update(touched_at=now(), **values):
            raise Stopped

    def _finish(self, state: str) -> None:
        self._update(state=state, ended_at=now(), runner="", **self._without_examples())
        files.remove(self.what)
        publisher.everything_changed()

    def _without_examples(self) -> dict[str, object]:
        """The numbers in them are of no more use."""
        return {"plan": {k: v for k, v in self.what.plan.items() if k != "examples"}}

    def _fail(self, message: str) -> None:
        """What was written of it is taken back first."""
        self._update(state=RecordImport.UNDOING, message=message[:300])
        self.what.state, self.what.message = RecordImport.UNDOING, message
        self.go()
