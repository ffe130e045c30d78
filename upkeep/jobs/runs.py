"""Runs of the queue's periodic jobs: recorded by huey's hooks, so that no job need know of it.

Each worker's clock puts a job into the queue. Who takes it out first writes down the run of that
minute, and the same minute's job of another worker finds it there and does nothing.
"""

import datetime as dt
import logging
from typing import Any, Final

from django.db import Error, close_old_connections
from django.db.models import Max
from django.utils.translation import gettext as _
from huey.api import PeriodicTask
from huey.contrib.djhuey import HUEY, post_execute, pre_execute, signal
from huey.exceptions import CancelExecution
from huey.signals import SIGNAL_ENQUEUED, SIGNAL_INTERRUPTED

from common.instants import UTC, now
from upkeep.jobs.failures import FAILURES_TO_TELL, one_line
from upkeep.jobs.heartbeat import living_workers, worker_name
from upkeep.models import JobRun
from upkeep.signals import job_failed, job_recovered

logger = logging.getLogger(__name__)

KEPT_DAYS: Final = 7
# What a run says whose worker ended before it did; shown in the reader's language.
INTERRUPTED: Final = "interrupted"

_running: dict[str, JobRun] = {}  # by the task's id


def name_of(task: Any) -> str:
    """The job's name: its module and function. `task` is huey's, or its class."""
    kind = task if isinstance(task, type) else type(task)
    return f"{kind.__module__}.{kind.__name__}"


def run_now(name: str) -> bool:
    """Puts the periodic job into the queue, outside its hours; False where there is none such."""
    kind = next((type(t) for t in HUEY._registry.periodic_tasks if name_of(t) == name), None)
    if kind is None:
        return False
    HUEY.enqueue(kind(eta=now().replace(tzinfo=None)))
    return True


@signal(SIGNAL_ENQUEUED)
def note_due(_signal: str, task: Any) -> None:
    """Has the job carry the minute that it is due in, which its worker's clock has just found."""
    if isinstance(task, PeriodicTask) and task.eta is None:
        task.eta = dt.datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None)


@pre_execute()
def begin_run(task: Any) -> None:
    """Writes down that the run has begun. CancelExecution where another worker has."""
    if not isinstance(task, PeriodicTask):
        return
    due = now() if task.eta is None else task.eta.replace(tzinfo=UTC)
    close_old_connections()
    try:
        run, is_new = JobRun.objects.get_or_create(
            name=name_of(task),
            due=due,
            defaults={"started_at": now(), "worker": worker_name()},
        )
    except Error as error:  # the job itself will say so, or do without the database
        logger.warning("The run of %s could not be recorded: %s", name_of(task), error)
        return
    finally:
        close_old_connections()
    if not is_new:
        raise CancelExecution
    _running[task.id] = run


@post_execute()
def end_run(task: Any, value: Any, error: BaseException | None) -> None:
    result = "" if value is None else " ".join(str(value).split())[:500]
    _end(task, failed=error is not None, result=one_line(error) if error else result)


@signal(SIGNAL_INTERRUPTED)
def interrupt_run(_signal: str, task: Any) -> None:
    _end(task, failed=True, result=INTERRUPTED)


def _end(task: Any, *, failed: bool, result: str) -> None:
    run = _running.pop(task.id, None)
    if run is None:
        return
    close_old_connections()
    try:
        ended = {"ended_at": now(), "failed": failed, "result": result}
        JobRun.objects.filter(pk=run.pk).update(**ended)
        _tell(run, result if failed else "")
    except Error as fault:
        logger.warning("The end of the run of %s could not be recorded: %s", run.name, fault)
    finally:
        close_old_connections()


def _tell(run: JobRun, error: str) -> None:
    failures = failures_in_a_row(run.name, before=run)
    if error and failures + 1 >= FAILURES_TO_TELL:
        job_failed.send_robust(sender=None, name=run.name, failures=failures + 1, error=error)
    if not error and failures >= FAILURES_TO_TELL:
        logger.info("The job %s goes well again, after %d failures", run.name, failures)
        job_recovered.send_robust(sender=None, name=run.name)


def failures_in_a_row(name: str, before: JobRun | None = None) -> int:
    """How often the job has failed since it last went well; `before` a run, or until now."""
    done = JobRun.objects.filter(name=name, ended_at__isnull=False)
    if before is not None:
        done = done.filter(due__lt=before.due)
    last = done.order_by("-due").values_list("failed", flat=True).first()
    if not last:
        return 0
    well = done.filter(failed=False).order_by("-due").values_list("due", flat=True).first()
    return done.filter(due__gt=well).count() if well else done.count()


def tidy() -> None:
    """Gives up runs whose worker is gone, and forgets old ones but the last of each job."""
    living = set(living_workers().values_list("worker", flat=True)) | {worker_name()}
    lost = JobRun.objects.filter(ended_at__isnull=True).exclude(worker__in=living)
    lost.update(ended_at=now(), failed=True, result=INTERRUPTED)
    last = JobRun.objects.values("name").annotate(last=Max("pk")).values_list("last", flat=True)
    old = JobRun.objects.filter(due__lt=now() - dt.timedelta(days=KEPT_DAYS))
    old.exclude(pk__in=list(last)).delete()


def words_of(run: JobRun) -> str:
    """What came of it, for people."""
    if run.result == INTERRUPTED:
        return _("The worker ended before the job did.")
    return run.result


class _NoDuplicates(logging.Filter):
    """Huey warns of each job that a hook cancels, which with several workers is as it should be."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "(pre-execute)" not in record.msg


logging.getLogger("huey").addFilter(_NoDuplicates())
