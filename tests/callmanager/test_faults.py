"""A database, a disk or Redis that does not serve: 503 at every door, and then all is well."""

import asyncio
import http.client
import select
import shutil
import sys
from contextlib import closing

import pytest
from call_tracking import CallTracker
from django.conf import settings
from django.db import connection, transaction
from websockets.asyncio.client import connect

from accounts.models import ApiKey
from calls.models import CallLog
from tests.support.doors import ADMIN, API, PAGES, client_of, make_things, rows
from tests.support.hooks import SECRET
from tests.support.lines import answer as answer_of
from tests.support.patience import PATIENCE, await_that
from tests.support.people import key_of, make_pbx
from tests.support.processes import kill, spawn
from tests.support.server import ROOT, Server, end_sessions, test_database_url
from tests.support.storage import (
    LOOKS,
    OwnRedis,
    Visitor,
    alter_database,
    assert_nothing_is_stored,
    assert_nothing_serves,
    lock_held,
    refusal,
    small_disk,  # noqa: F401  (fixture)
)

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's faults")
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="a server's faults")


@pytest.fixture
def pbx(live_people) -> None:
    account = make_pbx(live_people, "generic")
    account.add_secret("secret", SECRET)
    account.save()


def begun(server: Server, visitor: Visitor, path: str) -> http.client.HTTPConnection:
    """A POST that is on its way, on a connection of its own."""
    request = visitor.request("POST", path)
    sent = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    sent.request("POST", path, request.content, dict(request.headers))
    return sent


async def join(server: Server, visitor: Visitor) -> None:
    """Opens a live line."""
    headers = {"X-API-Key": visitor.key}
    async with connect(
        server.ws_url, additional_headers=headers, origin=server.url, open_timeout=PATIENCE
    ) as line:
        await answer_of(line)


def is_waited_for() -> bool:
    """Whether somebody waits for a lock that this test holds; those of others do not count.

    (`pg_stat_activity` shows a transaction what its first look saw; this one is looked up anew.)
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks "
            "WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return cursor.fetchone() is not None


@pytest.mark.once
@on_sqlite
def test_who_only_looks_waits_for_no_writer(live_people, tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    monkeypatch.setattr(settings, "BACKUP_DIR", tmp_path / "backups")
    things = make_things(live_people)
    ApiKey.objects.update(last_used_at=None)
    # Whoever wants to write waits there for longer than anybody waits for an answer here.
    server = Server(DATABASE_URL=f"{test_database_url()}?timeout=600").start()
    visitor = Visitor(server, live_people.ada)
    try:
        with lock_held():
            count = settings.WEB_THREADS + 1
            writes = [begun(server, visitor, "/calls/start/") for _ in range(count)]
            for method, address, expected in rows(PAGES + API + ADMIN):
                # Drawing a PDF takes long, and who takes a backup along is written down first.
                if method == "GET" and not address.endswith((".pdf", "{backup}/file/")):
                    answer = visitor.ask("GET", address.format(**things))
                    assert answer.status_code == expected["ada"], (address, answer.text)
            asyncio.run(join(server, visitor))
            assert not select.select([one.sock for one in writes], [], [], 0)[0]
        assert [one.getresponse().status for one in writes] == [302] * len(writes)
    finally:
        server.kill()


@pytest.mark.once
@on_sqlite
def test_a_forged_message_is_refused_alike_where_it_cannot_be_counted(pbx, client, monkeypatch):
    """Only of an account that there is it would be."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.01)
    client.raise_request_exception = False
    with lock_held():
        answers = [client.post(f"/hooks/generic/{name}/") for name in ("pbx", "nobody")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].content == answers[1].content


@pytest.mark.once
@on_sqlite
def test_a_lock_that_is_held_for_too_long(live_people, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.01)
    client = client_of(live_people.alice)
    client.raise_request_exception = False
    key = {"X-API-Key": key_of(live_people.alice)}
    english = {"Accept-Language": "en"}
    with lock_held():
        refused = [
            client.post("/calls/start/", headers=english),
            client.post("/api/calls/start", {}, "application/json", headers=key | english),
            client.post("/login/", {"username": "ada", "password": "x"}, headers=english),
        ]
    words = [refusal(answer) for answer in refused[:2]]
    assert all("may not have been stored" in text for text in words)
    assert client.post("/api/calls/start", {}, "application/json", headers=key).status_code == 201
    connection.close()


@pytest.mark.once
@on_sqlite
def test_a_disk_that_could_not_be_written_at_the_start(small_disk, live_people, pbx):  # noqa: F811
    server, visitor = small_disk.install(live_people.ada)
    small_disk.writable(False)
    server.start()
    log = server.log.with_suffix(".worker")
    with log.open("wb") as said:
        command = [sys.executable, "manage.py", "run_huey"]
        worker = spawn(command, cwd=ROOT, env=server.surroundings(), stderr=said)
    try:
        await_that(lambda: "Error reading from queue" in log.read_text())
        assert f"{small_disk.database} can be used by others" in server.log.read_text()
        assert_nothing_is_stored(visitor)
        small_disk.writable(True)
        assert visitor.ask("POST", "/api/calls/start").status_code == 201
        assert visitor.ask("POST", "/calls/start/").status_code == 302
        assert visitor.ask("POST", "/exports/new/", data={"form": "csv"}).status_code == 302
        await_that(lambda: "/file/" in visitor.ask("GET", "/exports/").text)  # the worker made it
        assert set(visitor.statuses("GET", LOOKS).values()) == {200}
    finally:
        server.kill()
        kill(worker)


@pytest.mark.once
@on_sqlite
def test_a_file_that_could_not_be_written_at_the_start(small_disk, live_people, pbx):  # noqa: F811
    server, visitor = small_disk.install(live_people.ada)
    with small_disk.database_read_only() as mend:
        server.start()
        try:
            assert set(visitor.statuses("GET", LOOKS).values()) == {200}
            assert_nothing_is_stored(visitor)
            # Who is signed in is only led on: this opens a handle that cannot write.
            assert visitor.ask("POST", "/login/").status_code == 302
            mend()
            assert visitor.ask("POST", "/calls/start/").status_code == 302
            assert visitor.ask("POST", "/api/calls/start").status_code == 201
        finally:
            server.kill()


@pytest.mark.once
@on_sqlite
def test_a_disk_that_is_full_and_a_file_that_is_gone(
    small_disk,  # noqa: F811
    live_people,
    pbx,
    tmp_path_factory,
):
    server, visitor = small_disk.install(live_people.ada)
    server.start()
    journal = tmp_path_factory.mktemp("client") / "calls"
    try:
        assert visitor.ask("POST", "/api/calls/start").status_code == 201
        small_disk.fill()
        assert_nothing_is_stored(visitor)
        assert set(visitor.statuses("GET", LOOKS).values()) == {200}
        problems = []
        program = CallTracker(server.url, visitor.key, journal=journal, on_error=problems.append)
        with closing(program):
            call = program.start_call()
            assert "503" in await_that(lambda: problems)[0].message  # and it keeps the call
            small_disk.empty()
            await_that(lambda: visitor.ask("GET", f"/api/calls/{call}").status_code == 200)
        elsewhere = small_disk.database.rename(small_disk.place / "elsewhere")
        assert_nothing_serves(visitor)
        elsewhere.rename(small_disk.database)
        assert visitor.ask("POST", "/calls/start/").status_code == 302
        assert set(visitor.statuses("GET", LOOKS).values()) == {200}
    finally:
        server.kill()


@pytest.mark.engines
@on_postgresql
def test_a_connection_that_is_ended_under_a_request(server, live_people):
    visitor = Visitor(server, live_people.ada)
    call = visitor.ask("POST", "/api/calls/start").json()["call_id"]
    with transaction.atomic():
        CallLog.objects.select_for_update().get(call_id=call)
        holding = begun(server, visitor, f"/api/calls/{call}/hold")
        await_that(is_waited_for)
        end_sessions()
        answer = holding.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert visitor.ask("POST", f"/api/calls/{call}/hold").status_code == 200
    end_sessions()  # between two requests
    assert set(visitor.statuses("GET", LOOKS).values()) == {200}


@pytest.mark.engines
@on_postgresql
def test_a_database_that_takes_no_writes(server, live_people, pbx):
    visitor = Visitor(server, live_people.ada)
    try:
        alter_database("SET default_transaction_read_only = on")
        end_sessions()
        assert set(visitor.statuses("GET", LOOKS).values()) == {200}
        assert_nothing_is_stored(visitor)
    finally:
        alter_database("RESET default_transaction_read_only")
        end_sessions()
    assert visitor.ask("POST", "/api/calls/start").status_code == 201


@pytest.mark.engines
@on_postgresql
def test_a_database_that_lets_nobody_in(server, live_people, pbx):
    visitor = Visitor(server, live_people.ada)
    try:
        alter_database("ALLOW_CONNECTIONS false")  # not even to a superuser
        end_sessions()
        assert_nothing_serves(visitor)
    finally:
        alter_database("ALLOW_CONNECTIONS true")
    assert visitor.ask("POST", "/api/calls/start").status_code == 201
    assert set(visitor.statuses("GET", LOOKS).values()) == {200}


@pytest.mark.once
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server")
def test_redis_is_killed_and_comes_back(live_people):
    redis = OwnRedis()
    server = Server(REDIS_URL=redis.url).start()
    visitor = Visitor(server, live_people.ada)
    try:
        assert visitor.ask("POST", "/exports/new/", data={"form": "csv"}).status_code == 302
        redis.kill()
        assert visitor.ask("POST", "/api/calls/start").status_code == 201
        refusal(visitor.ask("POST", "/exports/new/", data={"form": "csv"}))
        redis.start()
        assert visitor.ask("POST", "/exports/new/", data={"form": "csv"}).status_code == 302
    finally:
        server.kill()
        redis.kill()
