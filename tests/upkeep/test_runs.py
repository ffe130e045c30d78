"""Runs of periodic jobs: once, however many workers there are; others hear of those that fail."""

import datetime as dt
from typing import Any

import pytest
from django.utils import translation
from huey import crontab
from huey.contrib.djhuey import HUEY, db_periodic_task

from common.instants import UTC, now
from tests.support.doors import client_of
from tests.support.patience import await_that
from tests.support.workers import ticking_workers
from upkeep.jobs import overview, runs
from upkeep.jobs.ticker import TICKS
from upkeep.jobs.titles import TITLES
from upkeep.models import JobRun, WorkerBeat
from upkeep.signals import job_failed, job_recovered

MINUTE = dt.datetime(2026, 1, 5, 3, 20)


@pytest.fixture
def job():
    """A periodic job that does what its list says next: raises an error or returns."""
    todo: list[Any] = []

    @db_periodic_task(crontab(minute="*"))
    def of_the_tests() -> Any:
        what = todo.pop(0)
        if isinstance(what, Exception):
            raise what
        return what

    kind = of_the_tests.task_class

    def run(minute: int, what: Any) -> None:
        todo.append(what)
        HUEY.execute(kind(eta=MINUTE.replace(minute=minute)))

    run.todo = todo
    run.name = runs.name_of(kind)
    yield run
    HUEY._registry.unregister(kind)


@pytest.mark.engines
@pytest.mark.django_db(transaction=True)
def test_a_job_that_two_workers_took_up_runs_once(job):
    job(20, "done\nso far")
    job(20, "again")  # as the other worker's clock has put it into the queue, too
    assert job.todo == ["again"]
    run = JobRun.objects.get()
    assert (run.name, run.due) == (job.name, MINUTE.replace(tzinfo=UTC))
    assert (run.failed, run.result) == (False, "done so far")
    assert run.ended_at >= run.started_at


@pytest.mark.engines
@pytest.mark.django_db(transaction=True)
def test_others_hear_of_the_third_failure_in_a_row_and_of_the_recovery(job):
    heard: list[Any] = []

    def fail(name: str, failures: int, error: str, **_more: Any) -> None:
        heard.append((name, failures, error))

    def recover(name: str, **_more: Any) -> None:
        heard.append(name)

    job_failed.connect(fail)
    job_recovered.connect(recover)
    for minute, what in enumerate([OSError("a"), None, *[OSError("no\nroom")] * 4, 7, 8]):
        job(minute, what)
    assert heard == [
        (job.name, 3, "OSError: no room"),
        (job.name, 4, "OSError: no room"),
        job.name,
    ]
    assert runs.failures_in_a_row(job.name) == 0
    job(30, OSError("again"))
    assert runs.failures_in_a_row(job.name) == 1


@pytest.mark.engines
@pytest.mark.django_db(transaction=True)
def test_what_is_old_goes_and_what_nobody_runs_any_more_is_given_up(job):
    old = now() - dt.timedelta(days=30)
    for days in range(3):
        JobRun.objects.create(name="a", due=old + dt.timedelta(days), ended_at=old)
    lost = JobRun.objects.create(name="b", due=now(), started_at=now(), worker="gone:1")
    runs.tidy()
    assert [run.due for run in JobRun.objects.filter(name="a")] == [old + dt.timedelta(2)]
    lost.refresh_from_db()
    with translation.override("en"):
        assert lost.failed and "ended before" in runs.words_of(lost)


def test_every_job_and_tick_has_a_title():
    names = {runs.name_of(task) for task in overview.known_jobs()} | {t.name for t in TICKS}
    assert names == set(TITLES), "name it with @titled, or in upkeep/jobs/titles.py"
    assert all(str(said.title) and str(said.what) for said in TITLES.values())


@pytest.mark.once
def test_the_page_says_plainly_that_no_worker_runs(people):
    client = client_of(people.ada)
    client.cookies["django_language"] = "en"
    headers = {"Accept-Language": "en"}
    text = client.get("/admin/upkeep/workerbeat/", headers=headers).content.decode()
    assert "No worker is running" in text and "run_huey" in text
    WorkerBeat.objects.create(worker="here:1", begun_at=now(), seen_at=now())
    text = client.get("/admin/upkeep/workerbeat/", headers=headers).content.decode()
    assert "No worker is running" not in text and "here:1" in text
    refused = client.post("/admin/upkeep/workerbeat/run/", {"name": "os.remove"})
    assert refused.status_code == 404
    assert client.get("/admin/upkeep/workerbeat/run/").status_code == 405


@pytest.mark.engines
@pytest.mark.server
def test_run_now_runs_it_in_a_worker(live_people, tmp_path, queue):
    name = "metrics.tasks.check_sums"  # by the clock it runs at night
    with ticking_workers(tmp_path, 1):
        await_that(WorkerBeat.objects.exists)
        client = client_of(live_people.ada)
        answer = client.post("/admin/upkeep/workerbeat/run/", {"name": name}, follow=True)
        assert answer.status_code == 200
        done = await_that(JobRun.objects.filter(name=name, ended_at__isnull=False).first)
        assert not done.failed
