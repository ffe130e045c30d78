"""What the worker does and did, for its page."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from django.utils.module_loading import autodiscover_modules
from huey.contrib.djhuey import HUEY

from common.instants import now
from upkeep.jobs.runs import failures_in_a_row, name_of, words_of
from upkeep.jobs.ticker import TICKS
from upkeep.jobs.titles import title_of
from upkeep.models import JobRun, WorkerBeat

RUNNING: Final = "running"
WELL: Final = "well"
FAILED: Final = "failed"
NEVER: Final = "never"
_LOOK_AHEAD: Final = 60 * 24 * 32  # minutes


@dataclass(frozen=True)
class JobLine:
    """One job or tick."""

    name: str
    title: Any
    what: Any
    state: str
    last_at: dt.datetime | None = None
    took_seconds: float | None = None
    result: str = ""
    failures: int = 0  # in a row
    next_at: dt.datetime | None = None
    every_seconds: float | None = None  # of a tick


def known_jobs() -> list[Any]:
    """One of huey's periodic tasks each, whether or not this process is a worker."""
    autodiscover_modules("tasks")
    jobs: list[Any] = HUEY._registry.periodic_tasks
    return jobs


def job_lines() -> list[JobLine]:
    """The periodic jobs: those that fail first, then by title."""
    lines = [_job_line(task) for task in known_jobs()]
    return sorted(lines, key=lambda line: (line.state != FAILED, str(line.title)))


def _job_line(task: Any) -> JobLine:
    name = name_of(task)
    run = JobRun.objects.filter(name=name).order_by("-due").first()
    said = title_of(name)
    line = {"name": name, "title": said.title, "what": said.what, "next_at": next_run(task)}
    if run is None:
        return JobLine(**line, state=NEVER)
    line |= {"last_at": run.started_at, "result": words_of(run)}
    if run.started_at is None or run.ended_at is None:
        return JobLine(**line, state=RUNNING)
    line["took_seconds"] = (run.ended_at - run.started_at).total_seconds()
    if not run.failed:
        return JobLine(**line, state=WELL)
    return JobLine(**line, state=FAILED, failures=failures_in_a_row(name))


def next_run(task: Any) -> dt.datetime | None:
    """The next minute that it is due in; None if none comes within a month."""
    minute = now().replace(second=0, microsecond=0)
    ahead = (minute + dt.timedelta(minutes=n) for n in range(1, _LOOK_AHEAD))
    return next((at for at in ahead if task.validate_datetime(at.replace(tzinfo=None))), None)


def tick_lines(workers: list[WorkerBeat]) -> Iterator[JobLine]:
    """The ticks, as the worker that leads has told of them."""
    known_jobs()
    states: dict[str, Any] = next((beat.ticks for beat in workers if beat.leads), {})
    for tick in TICKS:
        said = title_of(tick.name)
        known = states.get(tick.name, {})
        failures = known.get("failures", 0)
        yield JobLine(
            name=tick.name,
            title=said.title,
            what=said.what,
            state=(FAILED if failures else WELL) if known else NEVER,
            last_at=parse_datetime(known.get("started_at") or ""),
            took_seconds=known.get("took_seconds"),
            result=known.get("error", ""),
            failures=failures,
            every_seconds=tick.seconds,
        )


def queue_length() -> int:
    """Tasks that wait for a worker now."""
    return int(HUEY.pending_count())
