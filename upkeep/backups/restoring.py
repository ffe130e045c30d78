"""Puts the data of a backup in the place of the present ones, which are kept beside.

Everything is made ready beside them first: read to the last byte, checked, brought up to this
version. Then one rename exchanges the two. Whatever ends this at whichever moment leaves either
the one or the other, whole.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _
from huey.contrib.djhuey import HUEY

from calls.proof import anchor_file
from common.instants import now
from upkeep.backups import archive, keys, locks, rotation
from upkeep.backups.archive import Manifest
from upkeep.backups.engines import postgresql, sqlite
from upkeep.backups.places import (
    UNFINISHED,
    BackupError,
    clear_unfinished,
    need_room,
    plain_words,
    prepared_folder,
)

logger = logging.getLogger(__name__)

_LONGEST_ERROR: Final = 300  # characters
Say = Callable[[str], None]


@dataclass(frozen=True)
class Restored:
    manifest: Manifest
    kept_as: str  # the file or database that was there before; "" where there was none
    opens_secrets: bool  # whether the secrets in it can be opened here


def restore(file: Path, say: Say) -> Restored:
    """Restores the backup; `say` is told what is being done. BackupError: nothing has changed."""
    manifest = _readable_manifest(file)
    folder = prepared_folder(settings.BACKUP_DIR)
    with locks.site_at_rest(), locks.only_one(folder):
        engine = _restore_sqlite if connection.vendor == "sqlite" else _restore_postgresql
        with plain_words(folder):
            restored = engine(file, manifest, folder, say)
        _settle_in(folder)
    return restored


def _readable_manifest(file: Path) -> Manifest:
    """BackupError for a file that is not ours, of another engine, or of a newer version."""
    try:
        manifest = archive.read_manifest(file)
    except OSError as error:
        reason = {"path": file, "reason": error.strerror or error}
        raise BackupError(_("%(path)s cannot be read: %(reason)s.") % reason) from error
    if manifest.engine != connection.vendor:
        engines = {"theirs": manifest.engine, "ours": connection.vendor}
        raise BackupError(
            _("This is a backup of a %(theirs)s database, and the one here is %(ours)s.") % engines
        )
    known = MigrationLoader(None).disk_migrations
    replaced = {one for migration in known.values() for one in migration.replaces}
    unknown = [one for one in manifest.migrations if one not in known and one not in replaced]
    if unknown:
        newer = {"release": manifest.release, "migration": ".".join(unknown[0])}
        raise BackupError(
            _(
                "This backup was made by a newer version of CallManager (%(release)s): "
                "the migration %(migration)s is not known here."
            )
            % newer
        )
    return manifest


def _restore_sqlite(file: Path, manifest: Manifest, folder: Path, say: Say) -> Restored:
    database = Path(connection.settings_dict["NAME"]).resolve()
    staging = sqlite.staging_of(database)
    connections.close_all()
    sqlite.clear_staging(database)
    try:
        need_room(database.parent, manifest.size + manifest.size // 10)
        say(_("Reading the backup of %(when)s ...") % {"when": manifest.made_at})
        opened = archive.read(file, staging)
        sqlite.check(staging, manifest.rows)
        _migrate(f"sqlite:////{quote(str(staging).lstrip('/'))}", say)
        sqlite.settle(staging)
        aside = database.with_name(f"{database.stem}-before-{_mark()}{database.suffix}")
        with sqlite.alone_with(database) as is_sound:
            keys.add(opened.keys)
            anchor_file.note_restored(file.name)  # before: it may be ended after the exchange
            had_one = sqlite.exchange(database, staging, aside, is_sound=is_sound)
    finally:
        sqlite.clear_staging(database)
    opens = keys.opens(manifest.needed_keys, opened.keys)
    return Restored(manifest, str(aside) if had_one else "", opens)


def _restore_postgresql(file: Path, manifest: Manifest, folder: Path, say: Say) -> Restored:
    postgresql.refuse_old_program("pg_restore")
    postgresql.refuse_guests()
    if not postgresql.may_make_databases():
        raise BackupError(
            _("The database's user may not make databases: ALTER ROLE %(user)s CREATEDB allows it.")
            % {"user": connection.settings_dict["USER"]}
        )
    clear_unfinished(folder)
    raw = folder / f"{UNFINISHED}database"
    try:
        need_room(folder, manifest.size + manifest.size // 10)
        say(_("Reading the backup of %(when)s ...") % {"when": manifest.made_at})
        opened = archive.read(file, raw)
        ready, aside = (postgresql.beside_name(mark) for mark in ("restoring", f"before_{_mark()}"))
        with postgresql.database_of(raw, ready):
            raw.unlink()
            _migrate(_address_of(ready), say)
            keys.add(opened.keys)
            anchor_file.note_restored(file.name)
            postgresql.exchange(ready, aside)
    finally:
        raw.unlink(missing_ok=True)
    return Restored(manifest, aside, keys.opens(manifest.needed_keys, opened.keys))


def _mark() -> str:
    return f"{now():%Y%m%dT%H%M%S}"


def _address_of(database: str) -> str:
    """Another database on the same server as a URL."""
    present = urlsplit(os.environ["DATABASE_URL"])
    return present._replace(path=f"/{quote(database)}").geturl()


def _migrate(address: str, say: Say) -> None:
    """Brings the database at that address up to this version, in a process that has no other."""
    say(_("Bringing it up to this version ..."))
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--noinput", "-v0"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": address, "DATA_DIR": str(settings.DATA_DIR)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stderr.strip() or "?").splitlines()[-1][:_LONGEST_ERROR]
        raise BackupError(
            _("The backup cannot be brought up to this version: %(reason)s") % {"reason": said}
        )


def _settle_in(folder: Path) -> None:
    """What stands beside the database follows it. Where this is cut short, nothing is wrong: the
    next backup notes what lies in the folder, and a task that waits finds nothing to do."""
    rotation.adopt(folder)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # or the first questions take long
    with suppress(Exception):  # its queue may be out of reach
        HUEY.flush()
