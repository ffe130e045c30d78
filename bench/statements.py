"""The statements of a piece of work and their times, however they reach SQLite.

They are heard at the connection itself, below Django, so that none passes by: prepared ones, raw
ones, and the beginning and end of transactions.
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

_WIDTH: Final = 110


@dataclass(frozen=True)
class Statement:
    """A statement, shortened, and milliseconds until its first row, without fetching the rest."""

    text: str
    milliseconds: float


_heard: list[Statement] | None = None


@contextmanager
def heard() -> Iterator[list[Statement]]:
    """What is executed inside, on connections made by `TimedConnection`."""
    global _heard
    before, _heard = _heard, []
    try:
        yield _heard
    finally:
        _heard = before


def shortened(text: str, width: int = _WIDTH) -> str:
    """On one line, without quotes; long lists of columns and of placeholders are cut."""
    text = re.sub(r"\s+", " ", text.replace('"', "")).strip()
    text = re.sub(r"SELECT (.{30}).+? FROM ", r"SELECT \1… FROM ", text, count=1)
    text = re.sub(r"\(([^()]{30})[^()]+\)", r"(\1…)", text)
    return text if len(text) <= width else text[: width - 1] + "…"


def _timed(run: Callable[..., Any], text: str, *rest: Any) -> Any:
    begun = time.perf_counter()
    try:
        return run(text, *rest)
    finally:
        if _heard is not None:
            _heard.append(Statement(shortened(text), (time.perf_counter() - begun) * 1000))


@cache
def _timed_cursor(kind: type[sqlite3.Cursor]) -> type[sqlite3.Cursor]:
    """`kind`, whose statements are heard where they reach SQLite: below what Django adds."""

    class Timed(sqlite3.Cursor):
        def execute(self, text: str, *rest: Any) -> Any:
            return _timed(super().execute, text, *rest)

        def executemany(self, text: str, *rest: Any) -> Any:
            return _timed(super().executemany, text, *rest)

    if kind is sqlite3.Cursor:
        return Timed
    return type(kind.__name__, (kind, Timed), {})


class TimedConnection(sqlite3.Connection):
    """For `OPTIONS["factory"]` of a database."""

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(_timed_cursor(factory or sqlite3.Cursor))

    def execute(self, text: str, *rest: Any) -> Any:
        return self.cursor().execute(text, *rest)

    def executemany(self, text: str, *rest: Any) -> Any:
        return self.cursor().executemany(text, *rest)

    def commit(self) -> None:
        _timed(lambda _text: super(TimedConnection, self).commit(), "COMMIT")

    def rollback(self) -> None:
        _timed(lambda _text: super(TimedConnection, self).rollback(), "ROLLBACK")
