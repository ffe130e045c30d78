"""The command line: what the commands print, refuse and change; and what the worker does."""

import datetime as dt
import os
import re
import signal
import socket
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from huey.contrib.djhuey import HUEY

from accounts.models import ApiKey
from calls import services, tasks
from calls.instants import now
from calls.models import CallLog
from metrics import tasks as metrics_tasks
from metrics.models import DailyMetrics, UserMetrics
from tests.people import make_call
from tests.server import ROOT, free_port


def output_of(*command, **options):
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def test_create_api_key_prints_the_key_and_nothing_else(people):
    printed = output_of("create_api_key", "alice", name="desktop")
    assert re.fullmatch(r"cm_[\w-]{43}\n", printed)
    row = ApiKey.objects.get(owner=people.alice)
    assert (row.name, row.digest) == ("desktop", ApiKey.digest_of(printed.strip()))


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


def silent_call(user):
    """A call whose page was last heard of ten minutes ago."""
    begun = now() - dt.timedelta(minutes=20)
    call, _ = services.start_call(user, told=services.Told(begun))
    seen = now() - dt.timedelta(minutes=10)
    CallLog.objects.filter(pk=call.pk).update(last_seen_at=seen)
    return call


def test_close_stale_calls_closes_the_silent_ones(people):
    silent = silent_call(people.alice)
    services.start_call(people.bob)
    assert output_of("close_stale_calls") == "1 stale calls closed\n"
    silent.refresh_from_db()
    assert (silent.status, silent.evidence, silent.duration_seconds) == ("DROPPED", "E", 600)
    assert list(CallLog.objects.active().values_list("user", flat=True)) == [people.bob.pk]


def test_the_worker_knows_its_work_by_the_clock(people, caplog):
    silent = silent_call(people.alice)
    tasks.close_stale_calls.call_local()
    silent.refresh_from_db()
    assert silent.status == "DROPPED"

    metrics_tasks.check_sums.call_local()
    assert "differ" not in caplog.text
    DailyMetrics.objects.filter(user=people.alice).update(calls_unconfirmed=5)
    metrics_tasks.check_sums.call_local()
    assert "1 stored sums differ" in caplog.text

    due = [task.name for task in HUEY.read_periodic(dt.datetime(2026, 1, 5, 3, 20))]
    every_minute = ["close_stale_calls", "close_wrap_ups", "look_after_phone_systems"]
    assert sorted(due) == ["check_sums", *every_minute, "tidy_exports"]
    due = [task.name for task in HUEY.read_periodic(dt.datetime(2026, 1, 5, 3, 21))]
    assert sorted(due) == every_minute


# --- make run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def new_installation(tmp_path_factory):
    """The environment of a machine that has never seen CallManager; its static files too are its
    own, or it would replace those that servers of other tests are reading."""
    ours = {"DATABASE_URL", "REDIS_URL", "DEMO", "SECRET_KEY", "DJANGO_SETTINGS_MODULE"}
    plain = {name: value for name, value in os.environ.items() if name not in ours}
    folder = tmp_path_factory.mktemp("installation")
    return plain | {"DATA_DIR": str(folder), "STATIC_ROOT": str(folder / "static")}


def launch(environment, port):
    return subprocess.Popen(
        [sys.executable, "-m", "callmanager.run", "--port", str(port)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def lines_until(process, wanted):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if wanted in line:
            return "".join(lines)
    raise AssertionError(f"{wanted!r} never came:\n{''.join(lines)}")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.once
@pytest.mark.server
def test_make_run_starts_site_and_worker_keeps_the_data_and_stops_both(new_installation):
    port = free_port()
    process = launch(new_installation, port)
    printed = lines_until(process, "Stop with Ctrl-C")
    assert f"http://127.0.0.1:{port}/" in printed and "agent1" in printed and "demo" in printed
    assert "Making the demo organisation" in printed and len(printed.splitlines()) < 15
    assert listens(port)
    process.send_signal(signal.SIGINT)
    assert "Stopping" in process.communicate(timeout=60)[0]
    assert process.returncode == 0 and not listens(port)

    process = launch(new_installation, port)
    assert "Making" not in lines_until(process, "Stop with Ctrl-C")
    refused = launch(new_installation, port)
    assert f"Port {port} cannot be used" in refused.communicate(timeout=60)[0]
    assert refused.returncode == 1
    process.terminate()
    process.communicate(timeout=60)
    assert not listens(port)


@pytest.mark.once
@pytest.mark.server
@pytest.mark.parametrize("victim", ["daphne", "run_huey"])
def test_when_one_of_the_two_dies_the_other_stops(new_installation, victim):
    port = free_port()
    process = launch(new_installation, port)
    lines_until(process, "Stop with Ctrl-C")
    children = subprocess.run(
        ["ps", "--ppid", str(process.pid), "-o", "pid=,args="], capture_output=True, text=True
    ).stdout.splitlines()
    (pid,) = [int(line.split()[0]) for line in children if victim in line]
    os.kill(pid, signal.SIGKILL)
    printed = process.communicate(timeout=60)[0]
    assert "ended by itself" in printed and process.returncode == 1
    assert not listens(port)


@pytest.mark.once
@pytest.mark.server
def test_who_asks_again_while_it_stops_leaves_no_process_behind(new_installation):
    port = free_port()
    process = launch(new_installation, port)
    lines_until(process, "Stop with Ctrl-C")
    children = subprocess.run(
        ["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True
    ).stdout.split()
    assert len(children) == 2
    for pid in children:  # they do not hear of the end until later
        os.kill(int(pid), signal.SIGSTOP)
    process.terminate()
    lines_until(process, "Stopping")
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        process.send_signal(number)
    for pid in children:
        os.kill(int(pid), signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0 and not listens(port)
    assert subprocess.run(["ps", "-p", ",".join(children)], capture_output=True).returncode == 1
