"""The command line: what the commands print, refuse and change; and what the worker does."""

import datetime as dt
import re
import signal
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from huey.contrib.djhuey import HUEY

from accounts.models import ApiKey
from calls import services, tasks
from calls.models import CallLog
from common.instants import now
from metrics import tasks as metrics_tasks
from metrics.models import DailyMetrics, UserMetrics
from tests.support.installation import (
    READY,
    MakeRun,
    check_end_after_a_death,
    check_end_when_asked_again,
)
from tests.support.patience import PATIENCE, await_that
from tests.support.people import make_call

pytestmark = pytest.mark.once


def output_of(*command, **options):
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def test_create_api_key_prints_the_key_and_nothing_else(people):
    printed = output_of("create_api_key", "alice", name="desktop")
    assert re.fullmatch(r"cm_[\w-]{43}\n", printed)
    row = ApiKey.objects.get(owner=people.alice)
    assert (row.name, row.digest) == ("desktop", ApiKey.digest_of(printed.strip()))


@pytest.mark.engines
def test_create_api_key_opens_the_api(people, client):
    key = output_of("create_api_key", "alice").strip()
    answer = client.get("/api/calls/log", headers={"X-API-Key": key})
    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("username", ["nobody", "", "bob"])
def test_create_api_key_refuses_who_is_not_there(people, username):
    people.bob.is_active = False
    people.bob.save()
    with pytest.raises(CommandError, match="no active user"):
        output_of("create_api_key", username)
    assert not ApiKey.objects.exists()


@pytest.mark.engines
def test_rebuild_metrics_checks_says_and_mends(people):
    make_call(people.alice, 60)
    make_call(people.carol, 30, status="NO_ANSWER")
    before = list(DailyMetrics.objects.order_by("user").values())
    assert "agrees" in output_of("rebuild_metrics", check=True)
    assert output_of("rebuild_metrics") == "2 daily rows rebuilt\n"
    after = list(DailyMetrics.objects.order_by("user").values())
    assert [row | {"id": 0} for row in after] == [row | {"id": 0} for row in before]

    UserMetrics.objects.filter(user=people.alice).update(total_talk_time=61)
    with pytest.raises(CommandError) as refused:
        output_of("rebuild_metrics", check=True, stderr=StringIO())
    assert refused.value.returncode == 1
    assert UserMetrics.objects.get(user=people.alice).total_talk_time == 61
    output_of("rebuild_metrics")
    assert UserMetrics.objects.get(user=people.alice).total_talk_time == 60


def stale_call(user):
    """A call whose page was last heard of ten minutes ago."""
    begun = now() - dt.timedelta(minutes=20)
    call, _ = services.start_call(user, reported=services.ReportedTime(begun))
    seen = now() - dt.timedelta(minutes=10)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=seen)
    return call


@pytest.mark.engines
def test_close_stale_calls_closes_the_silent_ones(people):
    silent = stale_call(people.alice)
    services.start_call(people.bob)
    assert output_of("close_stale_calls") == "1 stale calls closed\n"
    silent.refresh_from_db()
    assert (silent.status, silent.evidence, silent.duration_seconds) == ("DROPPED", "E", 600)
    assert list(CallLog.objects.active().values_list("user", flat=True)) == [people.bob.pk]


@pytest.mark.engines
def test_the_worker_knows_its_work_by_the_clock(people, caplog):
    silent = stale_call(people.alice)
    tasks.close_stale_calls.call_local()
    silent.refresh_from_db()
    assert silent.status == "DROPPED"

    metrics_tasks.check_sums.call_local()
    assert "differ" not in caplog.text
    DailyMetrics.objects.filter(user=people.alice).update(calls_unconfirmed=5)
    metrics_tasks.check_sums.call_local()
    assert "1 stored sums differ" in caplog.text

    def due_at(minute):
        due = HUEY.read_periodic(dt.datetime(2026, 1, 5, 3, minute))
        of_ours = ("calls.tasks", "metrics.tasks")
        return sorted(task.name for task in due if type(task).__module__ in of_ours)

    every_minute = ["close_stale_calls", "close_wrap_ups", "look_after_phone_systems"]
    assert due_at(20) == ["check_sums", *every_minute, "tidy_exports"]
    assert due_at(21) == every_minute


# --- make run -------------------------------------------------------------------------------------


def running_calls(installation: Path) -> int:
    with closing(sqlite3.connect(installation / "callmanager.sqlite3")) as database:
        (count,) = database.execute(
            "SELECT COUNT(*) FROM calls_calllog WHERE status = 'IN_PROGRESS'"
        ).fetchone()
    return count


@pytest.mark.once
@pytest.mark.server
def test_make_run_prepares_a_new_installation_keeps_its_data_and_leaves_nothing_behind(tmp_path):
    with MakeRun(tmp_path) as first:
        printed = first.printed_until(READY)
        assert f"http://127.0.0.1:{first.port}/" in printed
        assert "agent1" in printed and "demo" in printed
        assert "Making the demo organisation" in printed and len(printed.splitlines()) < 15
        assert first.listens()
        await_that(
            lambda: running_calls(tmp_path) > 3
        )  # the seed's, and one that was started since
        refused = first.launch()
        assert f"Port {first.port} cannot be used" in refused.communicate(timeout=PATIENCE)[0]
        assert refused.returncode == 1
        check_end_after_a_death(first, "run_huey")
        assert running_calls(tmp_path) == 0

    with MakeRun(tmp_path) as second:
        assert "Making" not in second.printed_until(READY)
        check_end_when_asked_again(second, signal.SIGINT)
