"""What lies in DATA_DIR is the installation's own user's alone: folders 700, files 600."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

_OTHERS: Final = 0o077
# Ours; others in DATA_DIR may be anybody's.
_FOLDERS: Final = ("backups", "exports", "live", "records")


def keep_private(folder: Path, database: str = "") -> None:
    """New files of this process are its user's alone, and so is from now on what lies there.

    `database`: SQLite's file, wherever it lies. What cannot be changed is a warning in the log.
    """
    os.umask(_OTHERS)
    for path in permission_faults(folder, database):
        _close_to_others(path)


def permission_faults(folder: Path, database: str = "") -> list[Path]:
    """Folders and files of the installation that others than their owner may use."""
    return [path for path in _private_paths(folder, database) if _mode_of(path) & _OTHERS]


def _private_paths(folder: Path, database: str) -> Iterator[Path]:
    yield folder
    with suppress(OSError):
        yield from (path for path in folder.iterdir() if not path.is_dir())
    for name in _FOLDERS:
        yield from (folder / name, *(folder / name).rglob("*"))
    for end in ("", "-wal", "-shm", "-journal") if database else ():
        path = Path(database + end)
        if path.parent != folder:
            yield path


def _mode_of(path: Path) -> int:
    """Its bits; 0 where there is nothing, or a link: what it leads to is not ours to change."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return 0
    return 0 if stat.S_ISLNK(mode) else stat.S_IMODE(mode)


def _close_to_others(path: Path) -> None:
    mode = _mode_of(path)
    try:
        if mode & stat.S_ISVTX:  # such as /tmp: others have their files there
            raise PermissionError("it is a folder that everybody shares")
        path.chmod(mode & ~_OTHERS)
    except FileNotFoundError:  # SQLite takes its files away meanwhile
        pass
    except OSError as error:
        reason = error.strerror or error
        logger.warning("%s can be used by others (mode %o): %s", path, mode, reason)
