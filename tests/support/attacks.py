"""What somebody with the database does to what is stored, behind the program's back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

_GUARDED = ("calls_callevent", "calls_tombstone", "calls_anchor", "calls_anchorpart")


def attack(statement: str, *values: Any) -> int:
    """Runs the statement with the guards of all tables away; how many rows it has changed."""
    with connection.cursor() as cursor, unguarded(cursor):
        cursor.execute(statement, values)
        changed: int = cursor.rowcount
        return changed


@contextmanager
def unguarded(cursor: Any) -> Iterator[None]:
    if connection.vendor == "postgresql":
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = DEFAULT")
        return
    names = ", ".join(f"'{name}_append_only'" for name in _GUARDED)
    guards_there = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    cursor.execute(f"{guards_there} AND name IN ({names})")
    guards = cursor.fetchall()
    for name, _text in guards:
        cursor.execute(f"DROP TRIGGER {name}")
    yield
    for _name, text in guards:
        cursor.execute(text)
