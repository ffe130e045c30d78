"""A copy of a SQLite database that is being written, and one put in the place of another.

The copy is one step of SQLite's online backup within one reading transaction: in WAL mode it holds
up no writer, and no writer makes it begin anew, as it would a copy in several steps.
"""

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from upkeep.backups.checks import counts_of
from upkeep.backups.places import BackupError, give_to_owner, keep_on_disk

logger = logging.getLogger(__name__)

_COMPANIONS: Final = ("-wal", "-shm", "-journal")
_LONGEST_ERROR: Final = 200  # characters


def size_of(database: Path) -> int:
    """What a copy may take, in bytes."""
    files = (database, Path(f"{database}-wal"))
    return sum(path.stat().st_size for path in files if path.exists())


def copy(database: Path, target: Path) -> dict[str, int]:
    """Copies the database as it is at one instant; how many rows each table has then."""
    target.touch(mode=0o600)
    source = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, isolation_level=None)
    with closing(source), closing(sqlite3.connect(target)) as copied:
        source.execute("BEGIN")
        tables = _tables_of(source)
        counts = counts_of(tables, source.cursor())
        source.backup(copied, pages=-1)
        source.execute("COMMIT")
        # One file, which is whole without those that WAL mode keeps beside it.
        copied.execute("PRAGMA journal_mode=DELETE")
    return counts


def _tables_of(connection: sqlite3.Connection) -> list[str]:
    """The tables, without those in which SQLite and its index of words keep what is theirs."""
    rows = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND name NOT LIKE 'sqlite|_%' ESCAPE '|' ORDER BY name"
    )
    return [name for (name,) in rows]


def check(copied: Path, counts: dict[str, int]) -> str:
    """BackupError unless the file is sound and has these rows; what rows lead to nothing, if any
    do, in a sentence."""
    with closing(sqlite3.connect(f"{copied.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            said = "; ".join(row[0] for row in connection.execute("PRAGMA integrity_check(5)"))
            found = counts_of(list(counts), connection.cursor())
            orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(1)
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            raise BackupError(
                _("The database is damaged: %(reason)s.") % {"reason": said[:_LONGEST_ERROR]}
            )
    wrong = [table for table, count in counts.items() if found[table] != count]
    if wrong:
        raise BackupError(
            _("The copy has other rows than the database: %(tables)s.")
            % {"tables": ", ".join(wrong)}
        )
    if orphans:
        return _("Rows of %(table)s refer to others that are not there.") % {"table": orphans[0][0]}
    return ""


def number_in(copied: Path, table: str) -> int:
    with closing(sqlite3.connect(f"{copied.as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0])


def staging_of(database: Path) -> Path:
    """Where the database is made ready that is to take this one's place: on the same disk."""
    return database.with_name(f"{database.name}.restoring")


def clear_staging(database: Path) -> None:
    """Removes what a killed restore has left."""
    staging = staging_of(database)
    for path in (staging, *(Path(f"{staging}{end}") for end in _COMPANIONS)):
        path.unlink(missing_ok=True)


def settle(staging: Path) -> None:
    """Makes the file whole by itself, after others have worked on it, and sound."""
    with closing(sqlite3.connect(staging)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    check(staging, {})
    give_to_owner(staging)
    keep_on_disk(staging)


@contextlib.contextmanager
def alone_with(database: Path) -> Iterator[bool]:
    """Nobody else has the database open, or opens it; BackupError where somebody has.

    Whether all of it is in its one file then: a damaged one may have others beside it.
    """
    if not database.exists():
        yield True
        return
    is_sound = False
    with closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            is_sound = True
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise BackupError(
                    _("Somebody has the database open: stop whatever of CallManager runs.")
                ) from error
            logger.warning("The present database cannot be used: %s", error)
        except sqlite3.DatabaseError as error:
            logger.warning("The present database is damaged: %s", error)
        yield is_sound


def exchange(database: Path, staging: Path, aside: Path, *, is_sound: bool) -> bool:
    """Puts the database made ready in the place of the present one, which stays as `aside`; whether
    there was one. One rename does it: at every instant the one or the other is there, whole."""
    had_one = database.exists()
    if had_one:
        for end in () if is_sound else _COMPANIONS:
            if Path(f"{database}{end}").exists():
                Path(f"{database}{end}").rename(f"{aside}{end}")
        try:
            os.link(database, aside)
        except OSError:  # a file system without links
            shutil.copy2(database, aside)
            keep_on_disk(aside)
    staging.replace(database)
    keep_on_disk(database.parent)
    return had_one
