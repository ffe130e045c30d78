"""Which backups stay: the newest 24, the last one of each of 7 days and of each of 4 weeks."""

import datetime as dt
import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

from common.instants import now
from upkeep.backups import archive
from upkeep.backups.places import BackupError, backups_in, begun_of
from upkeep.models import Backup

logger = logging.getLogger(__name__)

NEWEST: Final = 24
DAYS: Final = 7
WEEKS: Final = 4
_FAILURES: Final = 50  # notes of backups that failed


def names_that_go(names: Iterable[str], good: Collection[str]) -> set[str]:
    """Of the names of backups, those that no longer need to be kept. The newest of the `good` ones,
    which passed all checks, stays however old it is; and what is no name of ours is not touched."""
    dated = {name: begun for name in names if (begun := begun_of(name)) is not None}
    newest_first = sorted(dated, key=lambda name: dated[name], reverse=True)
    stay = set(newest_first[:NEWEST])
    for period_of, count in ((dt.datetime.date, DAYS), (_monday_of, WEEKS)):
        last: dict[dt.date, str] = {}
        for name in newest_first:
            last.setdefault(period_of(dated[name]), name)
        stay.update(list(last.values())[:count])  # the newest periods came first
    stay.update([name for name in newest_first if name in good][:1])
    return set(dated) - stay


def _monday_of(instant: dt.datetime) -> dt.date:
    return instant.date() - dt.timedelta(days=instant.weekday())


def rotate(folder: Path) -> None:
    """Removes the backups that need not stay, and the notes of those that are gone."""
    good = set(Backup.objects.good().values_list("name", flat=True))
    for name in names_that_go((path.name for path in backups_in(folder)), good):
        (folder / name).unlink(missing_ok=True)
    there = {path.name for path in backups_in(folder)}
    Backup.objects.kept().exclude(name__in=there).delete()
    failed = Backup.objects.exclude(error="").values_list("pk", flat=True)
    Backup.objects.filter(pk__in=list(failed[_FAILURES:])).delete()


def adopt(folder: Path) -> None:
    """Notes the backups that lie there and that the table does not know: after a restore it is that
    of an earlier day. For who holds the lock of the folder, so that nothing is under way."""
    there = [path.name for path in backups_in(folder)]
    Backup.objects.under_way().filter(name__in=there).delete()  # they were, when they were copied
    Backup.objects.under_way().update(
        ended_at=now(), error=_("The process that made it ended before it was done.")
    )
    known = set(Backup.objects.values_list("name", flat=True))
    for path in backups_in(folder):
        begun = begun_of(path.name)
        if path.name in known or begun is None:
            continue
        try:
            manifest = archive.read_manifest(path)
        except (BackupError, OSError) as error:
            logger.warning("%s is left as it is: %s", path, error)
            continue
        written = path.stat()
        Backup.objects.create(
            name=path.name,
            begun_at=begun,
            ended_at=dt.datetime.fromtimestamp(written.st_mtime, dt.UTC),
            size=written.st_size,
            sha256=archive.sha256_of(path),
            calls=manifest.calls,
            events=manifest.events,
            doubts=manifest.doubts,
        )
