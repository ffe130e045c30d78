"""The files of imports, in DATA_DIR/records: for the installation's own user alone, and no longer
than they are needed. They hold numbers and names."""

import hashlib
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from reconciliation.models import RecordImport

MOST_BYTES: Final = 2 * 1024**3
_AT_ONCE: Final = 1024 * 1024
_STAGED: Final = ".sqlite3"
_BESIDE: Final = ("", _STAGED, f"{_STAGED}-journal")


def folder() -> Path:
    place = Path(settings.DATA_DIR) / "records"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def keep(what: RecordImport, source: BinaryIO | Path) -> None:
    """Keeps a copy of `source` and notes its name, size and digest. ValidationError where it is
    empty or too large."""
    what.token = secrets.token_hex(16)
    try:
        if isinstance(source, Path):
            with source.open("rb") as file:
                _copy(what, file)
        else:
            _copy(what, source)
    except Exception:
        remove(what)
        raise


def _copy(what: RecordImport, source: BinaryIO) -> None:
    digest = hashlib.sha256()
    size = 0
    path = path_of(what)
    path.touch(mode=0o600)
    with path.open("wb") as copy:
        while part := source.read(_AT_ONCE):
            size += len(part)
            if size > MOST_BYTES:
                raise ValidationError(_("The file is too large: at most 2 GB are taken."))
            digest.update(part)
            copy.write(part)
    if not size:
        raise ValidationError(_("The file is empty."))
    what.size, what.digest = size, digest.hexdigest()


def path_of(what: RecordImport) -> Path:
    return folder() / what.token


def staged_path(what: RecordImport) -> Path:
    """Where its records lie in order while it is looked at or taken in."""
    return folder() / f"{what.token}{_STAGED}"


def remove(what: RecordImport) -> None:
    """Removes all that lies there of the import."""
    if what.token:
        for end in _BESIDE:
            (folder() / f"{what.token}{end}").unlink(missing_ok=True)


def remove_all_but(tokens: Iterable[str]) -> int:
    """Removes the files of imports that need none any more, or are gone; how many."""
    needed = set(tokens)
    found = [path for path in folder().iterdir() if path.name.split(".")[0] not in needed]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)
