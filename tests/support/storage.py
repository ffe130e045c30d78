"""Faults of the machine under the server, all of them real: a lock, a small disk, a dead Redis."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from calls.providers.generic import signature
from tests.support.doors import client_of
from tests.support.hooks import SECRET
from tests.support.patience import PATIENCE
from tests.support.people import key_of
from tests.support.processes import HeldPort, kill, spawn
from tests.support.server import Server

HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
TOKEN = "t" * 32
# One of each kind of door, as the person and their program come in.
LOOKS = ["/", "/timer/", "/calls/", "/admin/", "/api/calls/active", "/api/metrics/me"]
WRITES = ["/calls/start/", "/api/calls/start", "/hooks/generic/pbx/"]


@contextmanager
def lock_held() -> Iterator[None]:
    """Another process writes into SQLite's file and does not come to an end."""
    holder = spawn(
        [sys.executable, "-c", HOLDER, connection.settings_dict["NAME"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        yield
    finally:
        holder.communicate(timeout=PATIENCE)


class Visitor:
    """A signed-in person's browser and program, at a real server."""

    def __init__(self, server: Server, user: User):
        session = client_of(user).cookies["sessionid"].value
        self._web = httpx.Client(
            base_url=server.url,
            timeout=PATIENCE,
            headers={"X-CSRFToken": TOKEN, "Accept-Language": "en"},
            cookies={"sessionid": session, "csrftoken": TOKEN},
        )
        self.key = key_of(user)

    def request(self, method: str, path: str, **options: Any) -> httpx.Request:
        if path.startswith("/api/"):
            options["headers"] = {"X-API-Key": self.key} | options.get("headers", {})
            if method == "POST":
                options.setdefault("json", {})
        if path.startswith("/hooks/"):
            proof = {"X-CallManager-Timestamp": "1767607311"}
            proof["X-CallManager-Signature"] = signature(SECRET, "1767607311", b"{}")
            options |= {"content": b"{}", "headers": {"Content-Type": "application/json"} | proof}
        return self._web.build_request(method, path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._web.send(self.request(method, path, **options))

    def statuses(self, method: str, paths: list[str]) -> dict[str, int]:
        return {path: self.ask(method, path).status_code for path in paths}


def alter_database(how: str) -> None:
    """Changes the test database from beside it, for sessions that begin from now on."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} {how}")


def refusal(answer: Any) -> str:
    """The words of a 503, after a look at what else it must say."""
    assert answer.status_code == 503, answer.content
    assert int(answer.headers["Retry-After"]) > 0
    assert "X-Part" not in answer.headers  # the page keeps its click
    text = answer.content.decode()
    if answer.headers["Content-Type"] == "application/json":
        error = answer.json()["error"]
        assert error
        return error
    assert "css/base" in text and 'id="content"' in text  # in the site's clothes
    return text


def assert_nothing_serves(visitor: Visitor) -> None:
    """Every door answers 503; nobody who sent something is told that all is safe."""
    for path in LOOKS:
        assert "Try again in a few seconds" in refusal(visitor.ask("GET", path))
    refusal(visitor.ask("GET", "/timer/", headers={"HX-Request": "true"}))
    assert_nothing_is_stored(visitor)


def assert_nothing_is_stored(visitor: Visitor) -> None:
    for path in WRITES:
        words = refusal(visitor.ask("POST", path))
        assert "may not have been stored" in words and "stays recorded" not in words


class SmallDisk:
    """A disk of some megabytes for an installation of its own."""

    def __init__(self, place: Path):
        self.place = place
        self.database = place / "calls.sqlite3"
        self._ballast = place / "ballast"
        self._mount("-t", "tmpfs", "-o", "size=6m,mode=755", "none")

    def _mount(self, *options: str) -> None:
        subprocess.run(["mount", *options, str(self.place)], check=True, capture_output=True)

    def writable(self, wanted: bool) -> None:
        self._mount("-o", f"remount,{'rw' if wanted else 'ro'}")

    @contextmanager
    def database_read_only(self) -> Iterator[Callable[[], None]]:
        """The file cannot be written, in a folder that can, until what this gives is called."""
        file = str(self.database)
        subprocess.run(["mount", "--bind", file, file], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", file], check=True)
        yield lambda: subprocess.run(["mount", "-o", "remount,bind,rw", file], check=True)
        subprocess.run(["umount", "-l", file], check=True)

    def fill(self) -> None:
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def empty(self) -> None:
        self._ballast.unlink()

    def install(self, user: User) -> tuple[Server, Visitor]:
        """A server, not yet started, with a copy of the test database, and `user` before it."""
        url = f"sqlite:///{self.database}"
        keys = ",".join(settings.FIELD_ENCRYPTION_KEYS)
        server = Server(DATABASE_URL=url, DATA_DIR=str(self.place), FIELD_ENCRYPTION_KEY=keys)
        visitor = Visitor(server, user)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(self.database)])
        with closing(sqlite3.connect(self.database)) as copy:
            copy.execute("PRAGMA journal_mode=WAL")
        self.database.chmod(0o644)
        return server, visitor

    def unmount(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], check=True)


@pytest.fixture
def small_disk(live_people, tmp_path) -> Iterator[SmallDisk]:
    if os.getuid() != 0:
        pytest.skip("only root may mount a small disk")
    try:
        disk = SmallDisk(tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no small disk can be mounted here: {error.stderr.decode().strip()}")
    yield disk
    disk.unmount()


class OwnRedis:
    """A Redis that may be killed, always at the same address."""

    def __init__(self) -> None:
        self._port = HeldPort()
        number = self._port.number
        self.url = f"redis://127.0.0.1:{number}/0"
        self._command = ["redis-server", "--bind", "127.0.0.1", "--port", number, "--save", ""]
        self.start()

    def start(self) -> None:
        self._process = spawn(self._command, stdout=subprocess.PIPE, text=True)
        assert any("Ready to accept connections" in line for line in self._process.stdout)

    def kill(self) -> None:
        kill(self._process)
