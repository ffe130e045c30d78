"""The keys that an installation has made for itself, which a backup takes along.

Without the one that opens the secrets of phone systems and channels these must all be entered
anew. Keys that the environment gives are kept wherever that is kept, and are in no backup.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from django.conf import settings

from upkeep.backups.places import UNFINISHED, give_to_owner, keep_on_disk

FIELD_KEY: Final = "field_encryption_key"
_NAMES: Final = ("secret_key", FIELD_KEY)


def kept_keys() -> dict[str, bytes]:
    """The files of keys in DATA_DIR, by name."""
    paths = [Path(settings.DATA_DIR, name) for name in _NAMES]
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def marks() -> list[str]:
    """By which the keys are known that open our secrets; they give nothing of them away."""
    return [mark_of(key) for key in settings.FIELD_ENCRYPTION_KEYS]


def mark_of(key: str) -> str:
    return hashlib.sha256(b"callmanager:" + key.strip("= \n").encode()).hexdigest()[:16]


def add(keys: Mapping[str, bytes]) -> list[str]:
    """Adds the keys to ours, a line each: the first makes, any of them opens. So neither what was
    there nor what comes is ever without its key. The names of the files that have one more."""
    changed = []
    for name in _NAMES:
        path = Path(settings.DATA_DIR, name)
        ours = path.read_text().split() if path.exists() else []
        more = [key for key in keys.get(name, b"").decode().split() if key not in ours]
        if more:
            _replace(path, [*ours, *more])
            changed.append(name)
    return changed


def _replace(path: Path, lines: Iterable[str]) -> None:
    part = path.with_name(f"{UNFINISHED}{path.name}")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write("\n".join(lines))
    give_to_owner(part)
    keep_on_disk(part)
    part.replace(path)
    keep_on_disk(path.parent)


def opens(needed: list[str], brought: Mapping[str, bytes]) -> bool:
    """Whether this installation, once it has the keys that were brought, can open what was closed
    with the `needed` ones. Those in the environment outweigh its files."""
    from_file = brought.get(FIELD_KEY, b"").decode().split() if _uses_files() else []
    ours = {*marks(), *map(mark_of, from_file)}
    return set(needed) <= ours


def _uses_files() -> bool:
    return not os.environ.get("FIELD_ENCRYPTION_KEY", "").strip()
