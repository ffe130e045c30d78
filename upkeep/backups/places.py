"""Where backups lie, what their files are called, and whether there is room for one more."""

import datetime as dt
import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from common.private_files import keep_private

_NAME: Final = re.compile(r"callmanager-(\d{8}T\d{6})Z\.tar\.zst")
# What is being written: never a backup, whatever becomes of the process.
UNFINISHED: Final = ".unfinished-"


class BackupError(Exception):
    """Why there is no backup, or nothing was restored: a sentence for people."""


def name_at(begun: dt.datetime) -> str:
    """The name of the file of a backup that began then."""
    return f"callmanager-{begun.astimezone(dt.UTC):%Y%m%dT%H%M%S}Z.tar.zst"


def begun_of(name: str) -> dt.datetime | None:
    """When the backup of that name began; None if it is no name of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        return dt.datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def backups_in(folder: Path) -> list[Path]:
    """The finished backups, newest first."""
    found = [path for path in folder.iterdir() if begun_of(path.name) is not None]
    return sorted(found, key=lambda path: path.name, reverse=True)


def prepared_folder(folder: Path) -> Path:
    """The folder, made if need be, for its owner alone; BackupError where it will not do."""
    refuse_public(folder)
    with plain_words(folder):
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            give_to_owner(folder)
        keep_private(folder)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return folder


def refuse_public(folder: Path) -> None:
    """BackupError for a folder whose files the site gives to everybody."""
    real = folder.resolve()
    for public in (settings.STATIC_ROOT, *settings.STATICFILES_DIRS):
        if real.is_relative_to(Path(public).resolve()):
            raise BackupError(
                _("%(path)s lies among the files that everybody may fetch: choose another folder.")
                % {"path": folder}
            )


def clear_unfinished(folder: Path) -> None:
    """Removes what killed runs have left. For who holds the lock of the folder."""
    for path in folder.glob(f"{UNFINISHED}*"):
        path.unlink(missing_ok=True)


def need_room(folder: Path, wanted: int) -> None:
    """BackupError unless `wanted` bytes are free there."""
    free = shutil.disk_usage(folder).free
    if free < wanted:
        room = {"path": folder, "wanted": filesizeformat(wanted), "free": filesizeformat(free)}
        raise BackupError(
            _("There is not enough room in %(path)s: %(wanted)s are needed, %(free)s are free.")
            % room
        )


@contextmanager
def plain_words(place: Path) -> Iterator[None]:
    """What the file system refuses becomes a BackupError that says where and why."""
    try:
        yield
    except OSError as error:
        reason = {"path": place, "reason": error.strerror or error}
        raise BackupError(_("%(path)s cannot be written: %(reason)s.") % reason) from error


def give_to_owner(path: Path) -> None:
    """What root makes belongs to whose folder it is in, or the site could not work with it."""
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.chown(path, folder.st_uid, folder.st_gid)


def keep_on_disk(path: Path) -> None:
    """Has the disk have the file, or the names in the folder, before anything relies on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
