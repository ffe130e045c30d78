"""What somebody with the database does to what is stored, behind the program's back."""

from typing import Any

from django.db import connection

TABLES = {
    "calls_callevent": "calls_callevent_append_only",
    "calls_tombstone": "calls_tombstone_append_only",
    "calls_anchor": "calls_anchor_append_only",
    "calls_anchorpart": "calls_anchorpart_append_only",
}


def attack(statement: str, *values: Any) -> int:
    """Runs the statement with all guards of the tables away; how many rows it has changed."""
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for table, trigger in TABLES.items():
            where = "" if is_sqlite else f" ON {table}"
            cursor.execute(f"DROP TRIGGER IF EXISTS {trigger}{where}")
        if is_sqlite:
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(statement, values)
        changed: int = cursor.rowcount
        if is_sqlite:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")
    return changed
