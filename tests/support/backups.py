"""An installation of its own with a copy of the test database, whose commands run as people run
them; and what may be asked of a backup."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from tests.support.patience import PATIENCE
from tests.support.processes import spawn
from tests.support.server import ROOT, Server


class OwnInstallation:
    """Its database begins as a copy of the tests'. `with` it, it goes away again."""

    def __init__(self, place: Path):
        self.place = place
        self.folder = place / "backups"
        self.is_sqlite = connection.vendor == "sqlite"
        self.database = str(place / "callmanager.sqlite3")
        if not self.is_sqlite:
            self.database = f"{connection.settings_dict['NAME']}_own"
        ours = {
            "DATABASE_URL": self._address(),
            "DATA_DIR": str(place),
            "BACKUP_DIR": str(self.folder),
            "SECRET_KEY": settings.SECRET_KEY,
            "LANGUAGE_CODE": "en",
            "API_RATE_LIMIT": "1000000/h",
        }
        self.environment = ours

    def _address(self) -> str:
        if self.is_sqlite:
            return f"sqlite:///{self.database}"
        return f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{self.database}"

    def __enter__(self) -> "OwnInstallation":
        if self.is_sqlite:
            with connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [self.database])
            with closing(sqlite3.connect(self.database)) as copied:
                copied.execute("PRAGMA journal_mode=WAL")
        else:
            self._drop()
            self.on_server(f'CREATE DATABASE "{self.database}" TEMPLATE template0')
            source = f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/"
            source += connection.settings_dict["NAME"]
            dump = self.place / "dump"
            subprocess.run(["pg_dump", "-Fc", "-f", str(dump), source], check=True)
            subprocess.run(["pg_restore", "-d", self._address(), str(dump)], check=True)
            dump.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_sqlite:
            self._drop()

    def _drop(self) -> None:
        """The database, and those that were made of it."""
        like = self.database.replace("_", r"\_")
        for (name,) in self.on_server(
            f"SELECT datname FROM pg_database WHERE datname LIKE '{like}%'"
        ):
            self.on_server(f'DROP DATABASE "{name}" WITH (FORCE)')

    def on_server(self, statement: str) -> list[Any]:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
            found = server.execute(statement)
            return found.fetchall() if found.description else []

    def ask(self, statement: str) -> Any:
        """The first value that the database answers with."""
        if self.is_sqlite:
            with closing(sqlite3.connect(self.database, timeout=PATIENCE)) as asked:
                return asked.execute(statement).fetchone()[0]
        with psycopg.connect(self._address()) as asked:
            return asked.execute(statement).fetchone()[0]

    def begin(self, *command: Any, **more: str) -> "subprocess.Popen[str]":
        """`manage.py` with that command, under way."""
        return spawn(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=os.environ | self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: Any, **more: str) -> tuple[int, str]:
        """The exit code of a command, and what it has said."""
        process = self.begin(*command, **more)
        said = process.communicate(timeout=4 * PATIENCE)[0]
        return process.returncode, said

    def begin_code(self, code: str, **more: str) -> "subprocess.Popen[str]":
        """A Python program of its own in this installation, under way."""
        surroundings = {"DJANGO_SETTINGS_MODULE": "callmanager.settings", "PYTHONPATH": str(ROOT)}
        return spawn(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | surroundings | self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run_code(self, code: str, **more: str) -> str:
        process = self.begin_code(code, **more)
        said = process.communicate(timeout=4 * PATIENCE)[0]
        assert process.returncode == 0, said
        return str(said)

    def backups(self) -> list[Path]:
        return sorted(self.folder.glob("callmanager-*.tar.zst"))

    def server(self) -> Server:
        return Server(**self.environment)


# Starts and ends calls through the services, as fast as it can, and says how many have ended.
WRITER = """
import django; django.setup()
from accounts.models import User
from calls import services
people = list(User.objects.order_by("pk"))
most = int(__import__("os").environ.get("MOST", 10**9))
for number in range(1, most + 1):
    user = people[number % len(people)]
    call, _ = services.start_call(user)
    services.end_call(call.call_id, user, notes=f"call {number}")
    print(number, flush=True)
"""
# Folds every ledger anew, and counts the calls that are something else.
REFOLD = """
import django; django.setup()
from calls.models import CallEvent, CallLog
from calls import timeline
wrong = [
    call for call in CallLog.objects.iterator()
    if call.apply(timeline.fold(CallEvent.facts_of(call)))
]
print("differ:", len(wrong))
"""


def calls_in(installation: OwnInstallation) -> int:
    return int(installation.ask("SELECT COUNT(*) FROM calls_calllog"))
