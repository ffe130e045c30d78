"""The environment: a value that cannot be read stops the start with its name."""

import ast
import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from callmanager import environment
from tests.support.server import ROOT

BAD_VALUES = {
    "DEBUG": "perhaps",
    "DEMO": "2",
    "PUBLIC_BASE_URL": "calls.example.com",
    "LANGUAGE_CODE": "xx",
    "TIME_ZONE": "Costa Rica",
    "TIMER_AMBER_SECONDS": "two minutes",
    "TIMER_RED_SECONDS": "0",
    "LONG_CALL_SECONDS": "-1",
    "STALE_CALL_SECONDS": "5m",
    "MAX_CALL_SECONDS": "1.5",
    "MAX_BACKDATE_SECONDS": "x",
    "DEFAULT_PHONE_REGION": "Costa Rica",
    "WEB_THREADS": "many",
    "DATABASE_URL": "mysql://root@localhost/calls",
    "REDIS_URL": "localhost:6379",
    "SQLITE_SYNCHRONOUS": "OFF",
    "API_RATE_LIMIT": "a lot",
    "TRUSTED_PROXIES": "-1",
    "REQUEST_TIMEOUT_SECONDS": "0",
    "HSTS_SUBDOMAINS": "perhaps",
    "HSTS_PRELOAD": "perhaps",
}


SAY_DATA = "import callmanager.settings as s; print(s.DATABASES, s.REDIS_URL)"


def check(tmp_path, script=SAY_DATA, **variables):
    ours = {*BAD_VALUES, "SECRET_KEY", "ALLOWED_HOSTS", "DJANGO_SETTINGS_MODULE"}
    ours |= {"DJANGO_ALLOW_ASYNC_UNSAFE"}  # the tests' own
    plain = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=plain | {"DATA_DIR": str(tmp_path)} | variables,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", BAD_VALUES)
def test_a_bad_value_stops_the_start_with_its_name(name, tmp_path):
    answer = check(tmp_path, **{name: BAD_VALUES[name]})
    assert answer.returncode == 1
    last = answer.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last and name in last and "cannot be read" in last


def test_so_does_a_time_to_wait_for_the_database_that_is_no_number(tmp_path):
    answer = check(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/calls.sqlite3?timeout=long")
    assert answer.returncode == 1
    assert "DATABASE_URL cannot be read: timeout" in answer.stderr


def test_manage_py_says_it_too(tmp_path):
    answer = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {"DATA_DIR": str(tmp_path), "TIME_ZONE": "Mars/Base"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert "TIME_ZONE='Mars/Base' cannot be read" in answer.stderr


SAY_SECURITY = """
import callmanager.settings as s
print(getattr(s, "SECURE_SSL_REDIRECT", None), getattr(s, "SECURE_HSTS_SECONDS", None))
"""


def test_an_installation_in_earnest_passes_djangos_checks(tmp_path):
    ours = {"PUBLIC_BASE_URL": "https://calls.example.com", "TRUSTED_PROXIES": "1"}
    script = (
        "import sys; sys.argv = ['manage.py', 'check', '--deploy']; import manage; manage.main()"
    )
    answer = check(tmp_path, script, **ours)
    assert answer.returncode == 0 and "no issues" in answer.stdout, answer.stderr
    assert "WARNING" not in answer.stderr


@pytest.mark.parametrize("address", ["", "http://192.168.1.5:8000"])
def test_an_installation_without_tls_is_left_on_http(tmp_path, address):
    ours = {"PUBLIC_BASE_URL": address, "TRUSTED_PROXIES": "1", "HSTS_SUBDOMAINS": "1"}
    assert check(tmp_path, SAY_SECURITY, **ours).stdout.splitlines()[-1] == "None None"


def test_without_a_proxy_that_tells_how_it_was_asked_nobody_is_sent_in_circles(tmp_path):
    said = check(tmp_path, SAY_SECURITY, PUBLIC_BASE_URL="https://calls.example.com").stdout
    assert said.splitlines()[-1].startswith("False ")


def test_nothing_is_needed_and_blank_is_nothing(tmp_path):
    answer = check(tmp_path, **dict.fromkeys(BAD_VALUES, " "))
    assert answer.returncode == 0, answer.stderr
    assert str(tmp_path / "callmanager.sqlite3") in answer.stdout


@pytest.mark.parametrize(("wanted", "level"), [("", 1), ("full", 2)])
def test_how_sqlite_is_set(tmp_path, wanted, level):
    script = (
        "import django; django.setup(); from common.databases.sqlite.pragmas import pragmas; "
        "print(pragmas())"
    )
    variables = {"DJANGO_SETTINGS_MODULE": "callmanager.settings", "SQLITE_SYNCHRONOUS": wanted}
    answer = check(tmp_path, script, **variables)
    said = ast.literal_eval(answer.stdout)
    assert said["journal_mode"] == "wal" and said["foreign_keys"] == 1
    assert said["synchronous"] == level and said["busy_timeout"] == 20_000


def test_a_server_with_its_data_in_files_loads_no_drivers_of_others(tmp_path):
    script = (
        "import sys, callmanager.asgi, callmanager.urls; from huey.contrib.djhuey import HUEY; "
        "print(type(HUEY).__name__, {'redis', 'psycopg'} & set(sys.modules)); import redis, psycopg"
    )
    answer = check(tmp_path, script)
    assert answer.stdout.split("\n")[0] == "FileHuey set()", answer.stderr
    assert answer.returncode == 0, answer.stderr


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path):
    file = tmp_path / "new" / "secret_key"
    made = environment.stored_secret(file)
    assert len(made) > 50 and environment.stored_secret(file) == made
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("TRUE", True), ("off", False), ("0", False), ("", False)]
)
def test_flags(monkeypatch, text, value):
    monkeypatch.setenv("SOME_FLAG", text)
    assert environment.flag("SOME_FLAG") is value


def test_seconds_are_whole_and_positive(monkeypatch):
    monkeypatch.setenv("SOME_SECONDS", "90")
    assert environment.seconds("SOME_SECONDS", 5) == 90
    monkeypatch.setenv("SOME_SECONDS", "0")
    with pytest.raises(ImproperlyConfigured, match="SOME_SECONDS"):
        environment.seconds("SOME_SECONDS", 5)
