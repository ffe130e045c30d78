"""The real server in a process of its own, and a real browser."""

import itertools
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from django.conf import settings
from django.db import connection

from tests.support.processes import HeldPort, kill, spawn

if TYPE_CHECKING:
    import subprocess

ROOT = Path(__file__).resolve().parents[2]
# The first is the same browser without a window's parts: a third quicker.
CHROMIUM_NAMES = ["chromium-headless-shell", "chromium", "google-chrome"]
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def test_database_url() -> str:
    """The test database as a URL for another process; call it with a test database in place."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    base = os.environ["DATABASE_URL"].rsplit("/", 1)[0]
    return f"{base}/{name}"


test_database_url.__test__ = False  # type: ignore[attr-defined]


APPLICATION = "callmanager.asgi:application"
_logs = tempfile.TemporaryDirectory(prefix="logs-", dir=settings.DATA_DIR)
LOGS = Path(_logs.name)  # what the servers of this run say: a file for each
_serial = itertools.count(1)


class Server:
    """One Daphne process on the test database, always at the same address."""

    def __init__(self, **environment: str):
        self._held = HeldPort()
        self.port = self._held.number
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.log = LOGS / f"server-{next(_serial)}.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/dashboard/"

    def start(self) -> "Server":
        with self.log.open("ab") as log:
            self.process = spawn(
                [
                    sys.executable,
                    "-X",
                    "faulthandler",
                    *self.command(),
                    "callmanager.asgi:application",
                ],
                cwd=ROOT,
                env=self.surroundings(),
                stdout=log,
                stderr=log,
            )
        self.wait()
        return self

    def command(self) -> list[str]:
        return ["-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(self.port)]

    def surroundings(self) -> dict[str, str]:
        """The environment of the server, and of the processes beside it."""
        ours = {
            "DATABASE_URL": test_database_url(),
            "DATA_DIR": str(settings.DATA_DIR),
            "SECRET_KEY": settings.SECRET_KEY,
            "API_RATE_LIMIT": "1000000/h",
        }
        return os.environ | ours | self.environment

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/api/calls/active", timeout=30)
                return
            except httpx.TransportError:
                assert self.is_running, f"the server died: {self.log.read_text()}"
                time.sleep(0.02)
        raise AssertionError(f"the server did not answer within 90 s: {self.log.read_text()}")

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self.process is not None:
            kill(self.process)
            self.process = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


@pytest.fixture(scope="session")
def standing_server(django_db_setup, django_db_blocker) -> Iterator[Server]:
    """One server for all tests, at the same address when one of them has killed it."""
    running = Server()
    yield running
    running.kill()
    with django_db_blocker.unblock():
        end_sessions()


def end_sessions() -> None:
    """PostgreSQL keeps the session of a killed process for a moment, and the database with it. They
    are gone when this returns: a request would be under way on a session that is told to end."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture
def server(transactional_db, standing_server) -> Iterator[Server]:
    """The server, running; a test that kills it may start it again or leave that to the next."""
    yield standing_server if standing_server.is_running else standing_server.start()
    wait_for_quiet()


def wait_for_quiet() -> None:
    """Until no request is under way: PostgreSQL would empty the tables under it, or deadlock."""
    if connection.vendor != "postgresql":
        return
    busy = (
        "SELECT query FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state <> 'idle'"
    )
    deadline = time.monotonic() + 60
    while True:
        with connection.cursor() as cursor:
            cursor.execute(busy)
            under_way = cursor.fetchall()
        if not under_way:
            return
        assert time.monotonic() < deadline, f"requests do not end: {under_way}"
        time.sleep(0.02)


def chromium_path() -> str | None:
    found = (shutil.which(name) for name in CHROMIUM_NAMES)
    return os.environ.get("CHROMIUM") or next(filter(None, found), None)


@pytest.fixture(scope="session")
def browser():
    """A session's Chromium; skipped where there is none, unless CI or REQUIRE_BROWSER says not."""
    path = chromium_path()
    if path is None:
        message = "no Chromium: apt-get install chromium, or set CHROMIUM=/path"
        if os.environ.get("CI") or os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()
