"""Two web processes on PostgreSQL and Redis against one, and one of them against SQLite.

BENCH_DATABASE_URL names a server and a database in which others may be made, BENCH_REDIS_URL a
database of Redis that nobody else uses. Without them the part is left out.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from bench import machine
from bench.installation import Installation
from bench.load import Burst, closed
from bench.parts.pairs import tell
from bench.programs import Keyed
from bench.servers import Server
from bench.stage import FEW, Side, Stage, ratios

_LOCAL: Final = "postgres://postgres@127.0.0.1:5432/postgres"
_DATABASE: Final = os.environ.get("BENCH_DATABASE_URL", _LOCAL)
_REDIS: Final = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:6379/13")
CLIENTS: Final = 16


def measure(stage: Stage) -> None:
    stage.record.head(f"Web processes on PostgreSQL and Redis, {CLIENTS} clients, no pinning")
    try:
        with _engines() as engines:
            _compare(stage, engines)
    except (psycopg.OperationalError, redis.RedisError) as error:
        stage.record.say(f"left out: {error}")


@contextmanager
def _engines() -> Iterator[dict[str, str]]:
    """A new database and an empty Redis, both gone afterwards."""
    name = f"callmanager_bench_{secrets.token_hex(4)}"
    store = redis.Redis.from_url(_REDIS)
    if store.dbsize():
        raise redis.RedisError(f"{_REDIS} is not empty; name another with BENCH_REDIS_URL")
    with psycopg.connect(_DATABASE, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            url = urlunsplit(urlsplit(_DATABASE)._replace(path=f"/{name}"))
            yield {"DATABASE_URL": url, "REDIS_URL": _REDIS}
        finally:
            dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            server.execute(dropped)
            store.flushdb()


def _compare(stage: Stage, engines: dict[str, str]) -> None:
    embedded = stage.copy(FEW, "processes")
    large = Installation(stage.folder / "postgresql", engines)
    try:
        large.folder.mkdir()
        large.seed(FEW)
        machine.unpin()
        alone = embedded.serve(pinned=False)
        two = [large.serve(pinned=False) for _ in range(2)]
        machine.unpin()
        found = _rounds(stage, embedded, alone, large, two)
    finally:
        large.close()
        machine.pin(machine.CLIENT)
    tell(stage, found)
    rates = {name: [burst.rate for burst in bursts] for name, bursts in found.items()}
    stage.record.put("processes-two", ratios(rates["two"], rates["one"]))
    stage.record.put("processes-postgresql-sqlite", ratios(rates["one"], rates["sqlite"]))


def _rounds(
    stage: Stage, embedded: Installation, alone: Server, large: Installation, two: list[Server]
) -> dict[str, list[Burst]]:
    ports = {
        "sqlite": [alone.port],
        "one": [two[0].port],
        "two": [server.port for server in two],
    }
    programs = {
        "sqlite": Keyed(*embedded.keys()),
        "one": Keyed(*large.keys()),
        "two": Keyed(*large.keys()),
    }
    sides = [Side(name, alone, programs[name]) for name in ports]

    def burst(side: Side) -> Burst:
        return closed(ports[side.name], side.program.pair, CLIENTS, stage.options.seconds)

    return stage.interleaved(sides, burst)
