"""How SQLite is set, for whoever looks after an installation."""

from typing import Final

from django.db import connection

_PRAGMAS: Final = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")


def pragmas() -> dict[str, str | int]:
    """What the connection is set to, by name; nothing on another engine.

    `synchronous`: 1 is NORMAL, 2 FULL; `busy_timeout` in milliseconds.
    """
    if connection.vendor != "sqlite":
        return {}
    with connection.cursor() as cursor:
        return {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS}
