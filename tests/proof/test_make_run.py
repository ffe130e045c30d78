"""Proves at length how `make run` ends: by each signal, by the death of either process, by somebody
who asks again and again; and that the data stays. Each time on a copy of one prepared installation.
"""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import (
    READY,
    MakeRun,
    check_end_after_a_death,
    check_end_when_asked_again,
)

pytestmark = [pytest.mark.once, pytest.mark.server]

SIGNALS = (signal.SIGINT, signal.SIGTERM)  # under nohup it would not hear of SIGHUP


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("installation")
    with MakeRun(folder) as first:
        assert "Making the demo organisation" in first.printed_until(READY)
    return folder


@pytest.fixture
def running(prepared, tmp_path) -> Iterator[MakeRun]:
    shutil.copytree(prepared, tmp_path / "copy")
    with MakeRun(tmp_path / "copy") as started:
        assert "Making" not in started.printed_until(READY)
        yield started


@pytest.mark.parametrize("number", SIGNALS)
def test_it_stops_when_asked(running, number):
    running.process.send_signal(number)
    assert "Stopping" in running.rest()
    assert running.process.returncode == 0 and not running.listens()


@pytest.mark.parametrize("victim", ["daphne", "run_huey"])
def test_when_one_of_the_two_dies_the_other_stops(running, victim):
    check_end_after_a_death(running, victim)


@pytest.mark.parametrize("number", SIGNALS)
def test_who_asks_again_while_it_stops_leaves_no_process_behind(running, number):
    check_end_when_asked_again(running, number)
