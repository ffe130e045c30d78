"""The records of a file in the order of time, in a SQLite file of their own: however many they
are, memory holds few of them."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from reconciliation.call_record import BadLine, CallRecord

MOST_FAULTS: Final = 1_000
_AT_ONCE: Final = 1_000
_FIELDS: Final = [field.name for field in fields(CallRecord)]
_TUPLES: Final = [_FIELDS.index(name) for name in ("agents", "lines")]
_PRICE: Final = _FIELDS.index("price")
_TABLES: Final = """
    CREATE TABLE record (
        place INTEGER PRIMARY KEY, start INTEGER NOT NULL, key TEXT NOT NULL UNIQUE,
        said TEXT NOT NULL
    );
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_ADD: Final = "INSERT OR IGNORE INTO record (start, key, said) VALUES (?, ?, ?)"


class Staging:
    """What a file holds: its records, how many lines of it they are of, and the faults."""

    def __init__(self, path: Path):
        self._path = path
        self._file = _opened(path)

    def close(self) -> None:
        self._file.close()

    def is_of(self, name: str) -> bool:
        """Whether it holds all of what is called `name`."""
        try:
            return bool(self._meta().get("name") == name)
        except sqlite3.DatabaseError:  # new, or cut off while it was written
            return False

    def fill(
        self, name: str, found: Iterable[CallRecord | BadLine], beat: Callable[[int], None]
    ) -> None:
        """Takes in all of a file. `beat` is called now and then with how many there are so far."""
        self._empty()
        lines, faults, twice = _Lines(), list[tuple[int, str]](), 0
        unreadable = done = 0
        rest = iter(found)
        while some := list(islice(rest, _AT_ONCE)):
            bad = [one for one in some if isinstance(one, BadLine)]
            good = [one for one in some if isinstance(one, CallRecord)]
            unreadable += len(bad)
            faults += [(one.line, one.why) for one in bad[: MOST_FAULTS - len(faults)]]
            twice += len(good) - self._add(good)
            for one in good:
                lines.add(one.lines)
            done += len(good)
            beat(done)
        self._file.execute("CREATE INDEX by_time ON record (start, place)")
        self._set(
            rows=lines.count + unreadable,
            unreadable=unreadable,
            faults=faults,
            twice=twice,
            records=done - twice,
        )
        self._set(name=name)

    def _empty(self) -> None:
        self._file.close()
        self._path.unlink()
        self._file = _opened(self._path)
        self._file.executescript(_TABLES)

    def _add(self, records: list[CallRecord]) -> int:
        rows = [(one.start, one.key[:160], _written(one)) for one in records]
        self._file.execute("BEGIN")
        before = self._file.total_changes
        self._file.executemany(_ADD, rows)
        self._file.execute("COMMIT")
        return self._file.total_changes - before

    def _set(self, **values: Any) -> None:
        rows = [(name, json.dumps(value)) for name, value in values.items()]
        self._file.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def _meta(self) -> dict[str, Any]:
        rows = self._file.execute("SELECT name, value FROM meta")
        return {name: json.loads(value) for name, value in rows}

    @property
    def counts(self) -> dict[str, Any]:
        """`rows` that the records are of, and bad ones; `records`; `twice`: records of a key that
        an earlier one had; `unreadable` lines and the first of them as `faults`."""
        return self._meta()

    def period(self) -> tuple[int, int] | None:
        """The starts of the first and the last record (ms)."""
        first, last = self._file.execute("SELECT min(start), max(start) FROM record").fetchone()
        return None if first is None else (first, last)

    def chunks(self, size: int, skip: int = 0, ahead: int = 0) -> Iterator["Chunk"]:
        """The records in the order of time, `skip` of them left out, with `ahead` that follow."""
        place = self._place(skip)
        while place is not None:
            rows = self._after(place, size + ahead)
            own = [_read(said) for _start, _place, said in rows[:size]]
            if own:
                yield own, [_read(said) for _start, _place, said in rows[size:]]
            place = rows[size - 1][:2] if len(rows) >= size else None

    def _place(self, skip: int) -> tuple[int, int] | None:
        if not skip:
            return (-(2**62), 0)
        rows = self._file.execute(
            "SELECT start, place FROM record ORDER BY start, place LIMIT 1 OFFSET ?", [skip - 1]
        ).fetchall()
        return rows[0] if rows else None

    def _after(self, place: tuple[int, int], most: int) -> list[tuple[int, int, str]]:
        return self._file.execute(
            "SELECT start, place, said FROM record WHERE (start, place) > (?, ?)"
            " ORDER BY start, place LIMIT ?",
            [*place, most],
        ).fetchall()


Chunk = tuple[list[CallRecord], list[CallRecord]]


def _opened(path: Path) -> sqlite3.Connection:
    """What is in it can be made again from the file itself, so that it need not be safe."""
    path.touch(mode=0o600, exist_ok=True)
    file = sqlite3.connect(path, isolation_level=None)
    file.execute("PRAGMA synchronous=OFF")
    file.execute("PRAGMA journal_mode=MEMORY")
    return file


class _Lines:
    """Which lines of a file were read, a bit each: several records may be of one."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self.count = 0

    def add(self, lines: tuple[int, ...]) -> None:
        self.count += not lines  # a record that has no line of its own
        for line in lines:
            byte, bit = divmod(line, 8)
            if byte >= len(self._bits):
                self._bits.extend(bytes(byte + 4096 - len(self._bits)))
            if not self._bits[byte] >> bit & 1:
                self._bits[byte] |= 1 << bit
                self.count += 1


def _written(record: CallRecord) -> str:
    values = [getattr(record, name) for name in _FIELDS]
    return json.dumps(values, default=str)


def _read(said: str) -> CallRecord:
    values = json.loads(said)
    for place in _TUPLES:
        values[place] = tuple(values[place])
    if values[_PRICE] is not None:
        values[_PRICE] = Decimal(values[_PRICE])
    return CallRecord(*values)
