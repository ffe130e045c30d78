"""`manage.py doctor`: what is in order, what could be better, and what is not."""

import datetime as dt
import os
import subprocess
import sys
from collections import Counter
from io import StringIO

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from callmanager.doctor.checks import findings
from callmanager.doctor.findings import Level
from callmanager.serving import proxies
from common.instants import now
from tests.support.processes import closed_port
from tests.support.server import ROOT
from upkeep.models import Backup, WorkerBeat


@pytest.fixture
def installation(db, settings, tmp_path):
    """One in earnest, where nothing is wrong."""
    tmp_path.chmod(0o700)
    settings.DATA_DIR = tmp_path
    settings.DEBUG = settings.DEMO = False
    settings.SECRET_KEY = "k" * 50
    settings.PUBLIC_BASE_URL = "https://calls.example.com"
    settings.ALLOWED_HOSTS = ["calls.example.com"]
    settings.TRUSTED_PROXIES = 1
    requests_came(through=Counter({1: 97, 0: 2, 2: 1}))
    WorkerBeat.objects.create(worker="here:1", begun_at=now(), seen_at=now())
    Backup.objects.create(name="good", begun_at=now(), ended_at=now(), size=1)
    return settings


def requests_came(through):
    proxies.sample_file().write_bytes(msgspec.json.encode(proxies.Seen(0, through)))


def found(level):
    with translation.override("en"):
        return [one.sentence for one in findings() if one.level == level]


@pytest.mark.engines
def test_an_installation_in_order_is_told_so(installation):
    out = StringIO()
    call_command("doctor", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) >= 8 and all(line.startswith("OK ") for line in lines), lines
    assert "TRUSTED_PROXIES=1" in lines[-1] and "97" in lines[-1] and "100" in lines[-1]


FAULTS = [
    (Level.ERROR, "DEBUG", {"DEBUG": True}),
    (Level.WARNING, "DEMO", {"DEMO": True}),
    (Level.ERROR, "SECRET_KEY", {"SECRET_KEY": "short"}),
    (Level.WARNING, "not set", {"PUBLIC_BASE_URL": ""}),
    (Level.WARNING, "unencrypted", {"PUBLIC_BASE_URL": "http://calls.example.com"}),
    (Level.ERROR, "ALLOWED_HOSTS", {"ALLOWED_HOSTS": ["localhost"]}),
    (Level.WARNING, "97 of the last 100 requests came through 1", {"TRUSTED_PROXIES": 0}),
    (Level.ERROR, "can choose the address", {"TRUSTED_PROXIES": 2}),
]


@pytest.mark.once
@pytest.mark.parametrize(("level", "word", "changes"), FAULTS)
def test_each_fault_is_told_alone(installation, level, word, changes):
    for name, value in changes.items():
        setattr(installation, name, value)
    told = found(Level.WARNING) + found(Level.ERROR)
    assert len(told) == 1 and word in told[0]
    assert found(level) == told


@pytest.mark.once
def test_a_worker_that_does_not_run_is_told(installation):
    WorkerBeat.objects.update(seen_at=now() - dt.timedelta(minutes=5))
    assert found(Level.ERROR) == ["No worker is running: start manage.py run_huey."]


@pytest.mark.once
def test_what_others_may_read_is_told(installation, tmp_path):
    copy = tmp_path / "copy.sqlite3"
    copy.touch()
    copy.chmod(0o644)  # whatever the umask
    assert found(Level.WARNING) == [] and any("copy.sqlite3" in line for line in found(Level.OK))
    tmp_path.chmod(0o755)
    assert [str(tmp_path) in line for line in found(Level.WARNING)] == [True]


@pytest.mark.once
def test_before_any_request_there_is_nothing_to_compare(installation):
    proxies.sample_file().unlink()
    assert "no request" in found(Level.OK)[-1]


@pytest.mark.once
def test_an_error_is_the_exit_code(installation):
    installation.SECRET_KEY = "short"
    with pytest.raises(CommandError, match="1"):
        call_command("doctor", stdout=StringIO())


def test_what_does_not_answer_is_a_line_and_the_others_follow(tmp_path):
    """A new folder, nothing migrated, no Redis where it should be."""
    said = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=os.environ
        | {"DATA_DIR": str(tmp_path), "DATABASE_URL": "", "LANGUAGE_CODE": "en"}
        | {"REDIS_URL": f"redis://127.0.0.1:{closed_port()}/0"},
        capture_output=True,
        text=True,
    )
    errors = [line for line in said.stdout.splitlines() if line.startswith("error ")]
    assert said.returncode == 1
    assert len(errors) == 5 and "migrate" in errors[0] and "redis" in errors[1]
    assert "TRUSTED_PROXIES=0" in said.stdout.splitlines()[-1]
