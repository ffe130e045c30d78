"""A dump of a PostgreSQL database through `pg_dump`, and one put in the place of another.

Passwords go to the programs in their environment, which only the same user may read.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.client import DatabaseClient
from django.utils.translation import gettext as _

from upkeep.backups.checks import counts_of
from upkeep.backups.places import BackupError

_LONGEST_ERROR: Final = 300  # characters
_LOCK_SECONDS: Final = 60  # while a migration alters a table
_LONGEST_NAME: Final = 63  # bytes of a database's name
_ROWS_BEGIN: Final = re.compile(rb'COPY (?:\w+|"[^"]+")\.(\w+|"[^"]+") .*FROM stdin;\n')


def size_of() -> int:
    """What a dump may take, in bytes: it has no indexes, so it takes less."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def dump(target: Path, look: Callable[[], str]) -> tuple[dict[str, int], str]:
    """Dumps the database as it is at one instant; how many rows each table has then, and what
    `look` says, which sees the same."""
    refuse_old_program("pg_dump")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # It stands still while pg_dump works, however short the server's patience.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            tables = connection.introspection.table_names(cursor)
            counts = counts_of(tables, cursor)
        said = look()
        plain = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
        plain += [f"--lock-wait-timeout={_LOCK_SECONDS * 1000}", f"--dbname={_name()}"]
        run("pg_dump", *plain, f"--snapshot={snapshot}", f"--file={target}")
    return counts, said


def refuse_old_program(program: str) -> None:
    """BackupError where the program is missing, or older than the server."""
    if shutil.which(program) is None:
        raise BackupError(
            _("%(program)s is not installed: on Debian and Ubuntu, postgresql-client has it.")
            % {"program": program}
        )
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    found = re.search(r"(\d+)(?:\.\d+)*", said)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    if found is None or int(found[1]) < server:
        raise BackupError(
            _("%(program)s is older than the server: version %(server)d or newer is needed.")
            % {"program": program, "server": server}
        )


def run(program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs at our server; BackupError with its words if it fails."""
    client, secrets = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    server = client[1:-1]  # without psql's own name, and that of the database
    command = [program, *server, *arguments]
    environment = os.environ | (secrets or {})
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise _failure(program, done.stderr)


def _failure(program: str, words: str) -> BackupError:
    said = words.strip().splitlines()
    reason = {"program": program, "reason": said[-1][:_LONGEST_ERROR] if said else "?"}
    return BackupError(_("%(program)s failed: %(reason)s") % reason)


def check(dumped: Path, counts: dict[str, int]) -> None:
    """BackupError unless the whole dump can be read, and has these rows."""
    run("pg_restore", "--list", str(dumped))
    found = dict.fromkeys(counts, 0) | _rows_of(dumped)
    wrong = [table for table, count in counts.items() if found[table] != count]
    if wrong:
        raise BackupError(
            _("The copy has other rows than the database: %(tables)s.")
            % {"tables": ", ".join(wrong)}
        )


def _rows_of(dumped: Path) -> dict[str, int]:
    """How many rows of each table are in the dump: it is read as it would be restored."""
    command = ["pg_restore", "--data-only", "--file=-", str(dumped)]
    found: dict[str, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        assert reading.stdout is not None and reading.stderr is not None
        lines = iter(reading.stdout)
        for line in lines:
            begin = _ROWS_BEGIN.match(line)
            if begin is not None:
                table = begin[1].decode().strip('"')
                found[table] = sum(1 for _row in iter(lambda: next(lines, b"\\.\n"), b"\\.\n"))
        words = reading.stderr.read().decode(errors="replace")
    if reading.returncode:
        raise _failure("pg_restore", words)
    return found


def may_make_databases() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


@contextmanager
def database_of(dumped: Path, name: str) -> Iterator[str]:
    """A new database of that name with what the dump holds; it goes away again at the end, unless
    it has another name by then."""
    with _server() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(name)}")
        # From template0: what an administrator has added to template1 is none of ours.
        cursor.execute(f"CREATE DATABASE {_quoted(name)} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        plain = ["--no-owner", "--no-privileges", "--exit-on-error", f"--dbname={name}"]
        run("pg_restore", *plain, str(dumped))
        yield name
    finally:
        # Where the server is gone, the next backup or restore removes it.
        with suppress(DatabaseError), _server() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {_quoted(name)}")


def beside_name(mark: str) -> str:
    """The name of a database beside ours, for the time of our work or for longer."""
    return f"{_name()[: _LONGEST_NAME - len(mark) - 1]}_{mark}"


def refuse_guests() -> None:
    """BackupError while others are connected to the database, from whichever machine."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        guests = cursor.fetchone()[0]
    if guests:
        raise BackupError(
            _("The site is running: %(n)d others are connected to the database. Stop them first.")
            % {"n": guests}
        )


def exchange(ready: str, aside: str) -> None:
    """Gives the database made ready the name of the present one, which becomes `aside`, in one
    transaction. BackupError where somebody is connected to either."""
    present = _name()
    connection.close()
    try:
        with _server() as cursor:
            cursor.execute(
                f"BEGIN; ALTER DATABASE {_quoted(present)} RENAME TO {_quoted(aside)}; "
                f"ALTER DATABASE {_quoted(ready)} RENAME TO {_quoted(present)}; COMMIT"
            )
    except DatabaseError as error:
        said = str(error).strip().splitlines()[0]
        raise BackupError(
            _("The databases could not be exchanged: %(reason)s") % {"reason": said}
        ) from error


def _server() -> Any:
    """A cursor of a connection to the server, in none of our databases; each statement counts by
    itself."""
    return connection._nodb_cursor()


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
