"""However many look at the same moment, a rule fires once."""

import datetime as dt
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from calls import services
from calls.providers.base import ProviderEvent
from calls.services import ReportedTime
from calls.telephony import intake
from common.instants import now, to_ms
from notifications.models import Alert, Notification
from notifications.rules import standard, timers
from tests.support.patience import PATIENCE, await_that
from tests.support.people import make_pbx
from tests.support.processes import kill, spawn
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.engines
MANAGE = [sys.executable, "manage.py"]
WATCH = "from notifications.rules import timers; timers.watch()"


def start_calls(people, seconds):
    begun = now() - dt.timedelta(seconds=seconds)
    for user in (people.alice, people.bob):
        services.start_call(user, reported=ReportedTime(begun, explicit=True))


def assert_told_once(people):
    assert sorted(Alert.objects.values_list("agent__username", flat=True)) == ["alice", "bob"]
    assert Notification.objects.count() == 2


def test_of_several_threads(live_people):
    standard.lay("default")
    start_calls(live_people, 700)
    barrier = Barrier(4)

    def watch():
        barrier.wait(PATIENCE)
        try:
            timers.watch()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for running in [pool.submit(watch) for _ in range(4)]:
            running.result(PATIENCE)
    assert_told_once(live_people)


@pytest.mark.server
def test_of_two_processes(live_people, server: Server):
    standard.lay("default")
    start_calls(live_people, 700)
    command = [*MANAGE, "shell", "-v0", "-c", WATCH]
    both = [spawn(command, cwd=ROOT, env=server.surroundings()) for _ in range(2)]
    assert [process.wait(PATIENCE) for process in both] == [0, 0]
    assert_told_once(live_people)


@pytest.mark.server
def test_a_call_that_a_phone_system_tells_of_late_fires_at_once_without_any_page(
    live_people, server: Server
):
    standard.lay("default")
    worker = spawn([*MANAGE, "run_huey", "--skip-checks"], cwd=ROOT, env=server.surroundings())
    account = make_pbx(live_people, "generic")
    begun = now() - dt.timedelta(seconds=900)
    event = ProviderEvent("started", "c1", to_ms(begun), agents=("1001",))
    (call,) = intake.record(account, [event], received=now())
    alert = await_that(Alert.objects.first)
    kill(worker)
    assert (alert.call, alert.agent) == (call, live_people.alice)
    assert alert.reached_at == begun + dt.timedelta(seconds=600)
