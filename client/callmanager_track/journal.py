"""The durable journal: one SQLite file, one thread that writes it, one fsync for all who wait.

Threads hand their work over and hold no lock while the disk turns. Several processes may share the
file; SQLite lets one write at a time.
"""

from __future__ import annotations

import os
import queue
import sqlite3
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Callable, NamedTuple, TypeVar

T = TypeVar("T")
_BUSY_SECONDS = 20.0
_BATCH = 200
_VERSION = 1

_SCHEMA = """
CREATE TABLE calls (
    call_id TEXT PRIMARY KEY, contact_id TEXT, contact_phone TEXT,
    direction TEXT NOT NULL, provider TEXT NOT NULL,
    wall_ms INTEGER NOT NULL, mono_ns INTEGER NOT NULL, boot TEXT NOT NULL,
    owner TEXT NOT NULL,              -- the running program; '' for a call that no program holds
    last_ms INTEGER NOT NULL,         -- the last event; like all below, ms since the start
    alive_ms INTEGER NOT NULL,        -- the last sign of life
    paused_ms INTEGER NOT NULL DEFAULT 0,
    paused_since INTEGER, held_since INTEGER, answered_ms INTEGER, end_ms INTEGER,
    status TEXT NOT NULL DEFAULT 'IN_PROGRESS',
    server_start INTEGER,             -- epoch ms on the server's clock, as sent or answered
    answer TEXT                       -- what the server said to the end, JSON
);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL, kind TEXT NOT NULL,
    ms INTEGER NOT NULL, data TEXT NOT NULL,
    at_ms INTEGER,                    -- the instant as reported to the server, every time
    attempts INTEGER NOT NULL DEFAULT 0,
    code INTEGER, error TEXT          -- set for a dead letter
);
CREATE INDEX events_call ON events (call_id);
CREATE INDEX events_end ON events (call_id) WHERE kind='end' AND error IS NULL;
CREATE INDEX calls_running ON calls (owner) WHERE end_ms IS NULL;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class JournalError(RuntimeError):
    """The journal cannot be read or written; the message says which file and why."""


class _Work(NamedTuple):
    function: Callable[[sqlite3.Connection], Any]
    durable: bool
    done: Future[Any]


class Journal:
    """Runs functions on the journal's database. Raises JournalError where it cannot."""

    def __init__(self, path: Path):
        self.path = path
        self.set_aside: Path | None = None  # a file that was no journal any more
        self._queue: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._pid = os.getpid()
        self._closed = False
        self._gate = threading.Lock()  # nothing is handed over after the end of the queue
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(opened,), name="call journal", daemon=True
        )
        self._thread.start()
        opened.result()

    def do(self, function: Callable[[sqlite3.Connection], T], durable: bool = False) -> T:
        """What `function` returns, once it is committed; `durable` means on the disk for certain.

        Without `durable` the work outlives a killed process, though perhaps not a power failure.
        """
        return self._hand_over(function, durable).result()

    def post(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        """The same without waiting; what goes wrong is forgotten."""
        self._hand_over(function, durable=False)

    def close(self) -> None:
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _hand_over(self, function: Callable[[sqlite3.Connection], T], durable: bool) -> Future[T]:
        if self._pid != os.getpid():
            raise JournalError("A forked process cannot use its parent's tracker; make a new one.")
        done: Future[T] = Future()
        with self._gate:
            if self._closed:
                raise JournalError("The tracker is closed; make a new one.")
            self._queue.put(_Work(function, durable, done))
        return done

    def _run(self, opened: Future[None]) -> None:
        try:
            connection = self._open()
        except (OSError, sqlite3.Error) as error:
            opened.set_exception(JournalError(f"The journal {self.path} cannot be used: {error}"))
            return
        opened.set_result(None)
        while (batch := self._next_batch()) is not None:
            self._commit(connection, batch)
        connection.close()

    def _next_batch(self) -> list[_Work] | None:
        """All work that waits, at least one; None when the journal closes."""
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < _BATCH and not self._queue.empty():
            work = self._queue.get()
            if work is None:
                self._queue.put(None)
                break
            batch.append(work)
        return batch

    def _commit(self, connection: sqlite3.Connection, batch: list[_Work]) -> None:
        results: list[tuple[Future[Any], Any]] = []
        try:
            durable = any(work.durable for work in batch)
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            for work in batch:
                self._perform(connection, work, results)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            failed = JournalError(f"The journal {self.path} cannot be written: {error}")
            for work in batch:
                if not work.done.done():
                    work.done.set_exception(failed)
            return
        for done, result in results:
            done.set_result(result)

    def _perform(
        self,
        connection: sqlite3.Connection,
        work: _Work,
        results: list[tuple[Future[Any], Any]],
    ) -> None:
        """One function in a savepoint of its own: its mistake undoes nobody else's work."""
        connection.execute("SAVEPOINT work")
        try:
            result = work.function(connection)
        except Exception as error:
            connection.execute("ROLLBACK TO work")
            connection.execute("RELEASE work")
            work.done.set_exception(error)
            return
        connection.execute("RELEASE work")
        results.append((work.done, result))

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return self._connect()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # no database any more: keep it, and begin a new one
            self.set_aside = self.path.with_name(f"{self.path.name}.broken-{time.time_ns()}")
            self.path.rename(self.set_aside)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))  # calls are nobody else's
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA fullfsync=ON")
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > _VERSION:
                raise sqlite3.OperationalError("a newer version of this program made it")
            if version == 0:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={_VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection
