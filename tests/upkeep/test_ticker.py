"""What the worker does every few seconds: in one of several workers, whatever becomes of them."""

import signal
import threading
from typing import Any

import pytest
from django.db import connection

from tests.support.patience import await_that
from tests.support.workers import ticked, ticking_workers
from upkeep.jobs.heartbeat import living_workers
from upkeep.jobs.ticker import Tick, Ticker
from upkeep.models import WorkerBeat
from upkeep.signals import job_failed, job_recovered


@pytest.mark.engines
@pytest.mark.server
def test_one_of_several_workers_ticks_and_another_takes_over(live_people, tmp_path):
    with ticking_workers(tmp_path, 2) as workers:
        await_that(lambda: len(ticked(tmp_path)) > 2)
        await_that(lambda: living_workers().count() == 2)
        first = next(worker for worker in workers if worker.has_ticked)
        second = next(worker for worker in workers if worker is not first)
        assert not second.has_ticked

        first.kill()
        await_that(lambda: second.has_ticked)
        so_far = ticked(tmp_path)
        assert so_far == sorted(so_far, key=str(second.process.pid).__eq__)  # never both at once

        assert second.end() == 0
        # It has said goodbye; of the other the last sign of life is left.
        left = [beat.worker.rpartition(":")[2] for beat in WorkerBeat.objects.all()]
        assert left == [str(first.process.pid)]


@pytest.mark.engines
@pytest.mark.server
def test_a_tick_that_fails_is_told_and_does_not_hold_up_the_others(live_people, tmp_path):
    with ticking_workers(tmp_path, 1) as (worker,):

        def failures() -> int:
            states = [state for beat in WorkerBeat.objects.all() for state in beat.ticks.items()]
            return max((s["failures"] for name, s in states if name.endswith("broken")), default=0)

        await_that(failures)
        beat = WorkerBeat.objects.get()
        said = next(s for name, s in beat.ticks.items() if name.endswith("broken"))
        assert beat.leads and said["error"] == "RuntimeError: it is broken, as ever"
        await_that(lambda: len(ticked(tmp_path)) > 4)
        worker.process.send_signal(signal.SIGINT)  # lets running jobs end
        assert worker.process.wait(60) == 0
    log = (tmp_path / "worker.log").read_text()
    # The first and the third, not each.
    assert log.count("broken failed") == 2, log
    assert not WorkerBeat.objects.exists()


class Told:
    """What others hear of jobs that fail."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        job_failed.connect(self.fail)
        job_recovered.connect(self.recover)

    def fail(self, name: str, failures: int, error: str, **_more: Any) -> None:
        self.heard.append((failures, error))

    def recover(self, name: str, **_more: Any) -> None:
        self.heard.append("well")


@pytest.mark.once
@pytest.mark.django_db(transaction=True)
def test_others_hear_of_the_third_failure_and_of_the_recovery(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    told = Told()
    runs: list[int] = []
    done = threading.Event()

    def falters() -> None:
        runs.append(1)
        if len(runs) == 7:
            done.set()
        if len(runs) in (1, 3, 4, 5):  # once, then three times in a row
            raise OSError("no")

    ticker = Ticker([Tick(falters, 0.01)])
    ticker.start()
    assert done.wait(60)
    ticker.stop()
    assert told.heard == [(3, "OSError: no"), "well"]
    connection.close()
