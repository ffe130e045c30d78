"""Makes one backup: copies the database as it is at one instant, checks the copy, packs it, and
only then gives it its name. Whatever ends this in between leaves no file that looks like one."""

import datetime as dt
import logging
import sqlite3
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from common.instants import local_day, now
from upkeep import signals
from upkeep.backups import archive, checks, copies, keys, rotation
from upkeep.backups.engines import postgresql, sqlite
from upkeep.backups.locks import only_one, only_one_of_the_database
from upkeep.backups.places import (
    UNFINISHED,
    BackupError,
    clear_unfinished,
    give_to_owner,
    keep_on_disk,
    name_at,
    need_room,
    plain_words,
    prepared_folder,
)
from upkeep.models import Backup

logger = logging.getLogger(__name__)

_SQLITE_NAME: Final = "callmanager.sqlite3"
_POSTGRESQL_NAME: Final = "callmanager.dump"


def make_backup() -> Backup:
    """The backup, made, checked and copied; its `doubts` and `copy_error` say what is wrong all the
    same. BackupError where there is none: AlreadyUnderWay, without a note of it, where another
    process makes one just now."""
    try:
        folder = prepared_folder(settings.BACKUP_DIR)
    except BackupError as error:
        _fail(_begin(), error)
        raise
    with only_one(folder), only_one_of_the_database():
        clear_unfinished(folder)
        rotation.adopt(folder)
        backup = _begin()
        try:
            _make(folder, backup)
        except BackupError as error:
            _fail(backup, error)
            raise
        except (OSError, sqlite3.Error, DatabaseError) as error:
            logger.exception("The backup failed")
            sentence = BackupError(_("The backup failed: %(reason)s") % {"reason": error})
            _fail(backup, sentence)
            raise sentence from error
        finally:
            clear_unfinished(folder)
        rotation.rotate(folder)
        _copy(folder, backup)
    signals.backup_made.send(Backup, backup=backup)
    for trouble in (backup.doubts, backup.copy_error):
        if trouble:
            logger.error("A backup was made, but: %s", trouble)
            signals.backup_failed.send(Backup, error=trouble)
    return backup


def _begin() -> Backup:
    """A note that a backup was begun, under a name of its own."""
    begun = now().replace(microsecond=0)
    while Backup.objects.filter(name=name_at(begun)).exists():
        begun += dt.timedelta(seconds=1)
    return Backup.objects.create(name=name_at(begun), begun_at=begun)


def _fail(backup: Backup, error: BackupError) -> None:
    backup.error, backup.ended_at = str(error), now()
    logger.error("There is no backup: %s", error)
    try:
        backup.save()
        signals.backup_failed.send(Backup, error=str(error))
    except DatabaseError:  # the disk that is full may be the database's, too
        logger.exception("That cannot be noted either")


def _make(folder: Path, backup: Backup) -> None:
    raw = folder / f"{UNFINISHED}database"
    packed = folder / f"{UNFINISHED}{backup.name}"
    with plain_words(folder):
        manifest = _copied(folder, raw)
        archive.write(packed, manifest, keys.kept_keys(), raw)
        raw.unlink()
        archive.read(packed, None)  # what was written can be read, to its last byte
        backup.sha256 = archive.sha256_of(packed)
        give_to_owner(packed)
        packed.replace(folder / backup.name)
        keep_on_disk(folder)
    backup.size = (folder / backup.name).stat().st_size
    backup.calls, backup.events = manifest.calls, manifest.events
    backup.doubts, backup.ended_at = manifest.doubts, now()
    backup.save()


def _copied(folder: Path, raw: Path) -> archive.Manifest:
    """Copies the database to `raw` and checks it there."""
    with connection.cursor() as cursor:
        connection.introspection.table_names(cursor)  # raises where the database does not serve
    made_at = now()
    if connection.vendor == "sqlite":
        name, (counts, doubts) = _SQLITE_NAME, _copy_sqlite(folder, raw)
    else:
        name, (counts, doubts) = _POSTGRESQL_NAME, _dump_postgresql(folder, raw)
    return archive.Manifest(
        made_at=made_at.isoformat(),
        release=settings.VERSION,
        engine=connection.vendor,
        database=name,
        size=raw.stat().st_size,
        sha256=archive.sha256_of(raw),
        migrations=sorted(MigrationRecorder(connection).applied_migrations()),
        rows=counts,
        needed_keys=keys.marks(),
        doubts=doubts,
    )


def _copy_sqlite(folder: Path, raw: Path) -> tuple[dict[str, int], str]:
    database = Path(connection.settings_dict["NAME"])
    need_room(folder, _with_packed(sqlite.size_of(database)))
    counts = sqlite.copy(database, raw)
    doubts = sqlite.check(raw, counts)
    with checks.beside(str(raw)) as alias:
        return counts, doubts or checks.doubts_about(alias)


def _dump_postgresql(folder: Path, raw: Path) -> tuple[dict[str, int], str]:
    """Once a day the dump is also restored for trial, where our role may make a database: that
    takes the server longer than all else."""
    need_room(folder, _with_packed(postgresql.size_of()))
    counts, doubts = postgresql.dump(raw, lambda: checks.doubts_about("default"))
    postgresql.check(raw, counts)
    if _is_first_of_day() and postgresql.may_make_databases():
        with postgresql.database_of(raw, postgresql.beside_name("trial")) as trial:
            with checks.beside(trial) as alias:
                doubts = doubts or checks.doubts_about(alias)
    return counts, doubts


def _is_first_of_day() -> bool:
    last = Backup.objects.kept().first()
    return last is None or local_day(last.begun_at) != local_day(now())


def _with_packed(size: int) -> int:
    """Room for a copy of so many bytes and for what it is packed into, by what the last one was."""
    last = Backup.objects.kept().exclude(size=None).first()
    packed = last.size if last is not None and last.size else size // 2
    return size + packed + packed // 4


def _copy(folder: Path, backup: Backup) -> None:
    if not settings.BACKUP_COPY_TO:
        return
    good = set(Backup.objects.good().values_list("name", flat=True))
    try:
        backup.copied_to = copies.copy(folder / backup.name, backup.sha256, good)
    except BackupError as error:
        backup.copy_error = _("The backup was made, but not copied: %(reason)s") % {"reason": error}
    backup.save(update_fields=["copied_to", "copy_error"])
