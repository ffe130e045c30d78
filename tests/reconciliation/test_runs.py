"""Imports in real processes: what the end of one cuts off is taken up, nothing twice or half."""

import sys
from contextlib import contextmanager

import pytest

from calls.models import CallEvent, CallLog
from common.instants import now
from metrics.rollups.rebuild import each_difference
from reconciliation import imports, tasks
from reconciliation.imports import decisions, drafts, runs
from reconciliation.models import ProviderRecord, RecordImport
from tests.support.beside import beside
from tests.support.patience import await_that
from tests.support.people import make_pbx
from tests.support.processes import ROOT, kill, spawn
from tests.support.records import draft, heard, line, ran, taken_in
from tests.support.server import Server

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.engines]

MANY = 400
RUN = "import django; django.setup(); from reconciliation import imports; imports.run({pk})"


@pytest.fixture
def pbx(live_people):
    return make_pbx(live_people, "generic", timezone="UTC")


def many(count=MANY):
    return [line(f"c{n}", n * 40, n * 40 + 5, n * 40 + 25) for n in range(count)]


@contextmanager
def running_elsewhere(what, folder):
    """Another process that works at the import, until it is killed."""
    env = Server(DATA_DIR=str(folder), DJANGO_SETTINGS_MODULE="callmanager.settings").surroundings()
    process = spawn([sys.executable, "-c", RUN.format(pk=what.pk)], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        kill(process)


def is_silent(what):
    RecordImport.objects.filter(pk=what.pk).update(touched_at=now() - 2 * runs.SILENT)


def part_done(what, **state):
    return RecordImport.objects.filter(pk=what.pk, **state).exists()


def test_what_a_killed_worker_leaves_is_taken_up_and_nothing_is_twice_or_half(pbx, tmp_path):
    what = draft(pbx, *many())
    imports.take_in(what)
    with running_elsewhere(what, tmp_path):
        await_that(lambda: part_done(what, done__gt=0))
    what.refresh_from_db()
    held = what.held.count()
    assert held == what.done == CallLog.objects.count()  # whole batches, each with its place
    if what.state == RecordImport.RUNNING:
        assert ran(what).state == RecordImport.RUNNING  # its worker may be alive
        is_silent(what)
        assert what.pk in runs.waiting()
    ran(what)
    assert (what.state, what.created, what.done) == ("done", MANY, MANY)
    assert CallLog.objects.count() == CallEvent.objects.count() == what.held.count() == MANY
    assert list(each_difference()) == []

    imports.undo(what)
    with running_elsewhere(what, tmp_path):
        await_that(lambda: what.held.filter(is_withdrawn=True).exists())
    is_silent(what)
    ran(what)
    assert what.state == "undone"
    assert not CallLog.objects.exists() and list(each_difference()) == []


def test_two_imports_of_one_file_at_once_write_it_once(pbx):
    heard(pbx, "c0")
    first, second = draft(pbx, *many(60)), draft(pbx, *many(60))
    imports.take_in(first)
    imports.take_in(second)
    with beside(lambda: imports.run(first.pk)):
        imports.run(second.pk)
    for what in (first, second):
        ran(what)
    assert {first.state, second.state} == {"done"}
    assert ProviderRecord.objects.count() == CallLog.objects.count() == 60
    assert first.repeated + second.repeated == first.confirmed + first.created + (
        second.confirmed + second.created
    )


def test_a_running_import_that_is_cancelled_leaves_nothing(pbx, tmp_path):
    call = heard(pbx, "c0")
    what = draft(pbx, *many())
    imports.take_in(what)
    with running_elsewhere(what, tmp_path) as process:
        await_that(lambda: part_done(what, done__gt=0))
        imports.cancel(what)
        process.wait(60)  # it notices by itself
    ran(what)
    assert what.state in ("undone", "done")  # it may have been through before
    if what.state == "undone":
        assert CallLog.objects.get() == call and CallLog.objects.get().evidence == "B"


def test_the_worker_takes_up_what_waits_and_removes_what_is_old(pbx):
    what = draft(pbx, line("one"))
    imports.take_in(what)
    RecordImport.objects.filter(pk=what.pk).update(state="waiting")
    assert runs.waiting() == [what.pk]
    tasks.run_import.call_local(what.pk)
    assert runs.waiting() == []
    old = draft(pbx, line("two"))
    RecordImport.objects.filter(pk=old.pk).update(created_at=now() - 2 * drafts.KEPT)
    tasks.tidy_imports.call_local()
    assert not RecordImport.objects.filter(pk=old.pk).exists()
    assert taken_in(pbx, line("two", 100, 105, 125)).created == 1


def test_two_people_who_accept_at_once_correct_the_call_once(pbx, live_people):
    call = heard(pbx, "one")
    taken_in(pbx, line("one", end=65))
    record = ProviderRecord.objects.get()
    same = ProviderRecord.objects.get()
    with beside(lambda: decisions.accept(record, live_people.ada)):
        decisions.accept(same, live_people.ada)
    assert call.events.filter(kind="corrected").count() == 1
    call.refresh_from_db()
    assert (call.evidence, call.duration_seconds) == ("A", 65)
    assert list(each_difference()) == []
