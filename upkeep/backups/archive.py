"""The file of a backup: a tar archive compressed with zstd, which `tar --zstd -xf` opens, too.

In it: `manifest.json` (what it is and how to tell that it is whole), the keys of DATA_DIR, and last
the database. Written and read as a stream: memory does not grow with the database.
"""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import zstandard
from django.utils.translation import gettext as _

from upkeep.backups.places import BackupError, keep_on_disk

FORMAT: Final = "callmanager backup"
VERSION: Final = 1  # of the format; a higher one is not ours to read
_MANIFEST: Final = "manifest.json"
_KEYS: Final = "keys/"
_LARGEST_MANIFEST: Final = 4 * 1024 * 1024
_LARGEST_KEY: Final = 64 * 1024
_CHUNK: Final = 1024 * 1024
_LEVEL: Final = 3
_MAGIC: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Manifest:
    """What is in a backup. Instants are ISO 8601, sizes bytes."""

    made_at: str
    release: str  # of CallManager
    engine: str  # sqlite or postgresql
    database: str  # the member's name
    size: int
    sha256: str
    migrations: list[tuple[str, str]]  # applied: (app, name)
    rows: dict[str, int]  # by table
    # Marks of the keys that open the secrets (not the keys), whether they are in here or not.
    needed_keys: list[str]
    doubts: str = ""
    format: str = FORMAT
    version: int = VERSION

    @property
    def calls(self) -> int:
        return self.rows.get("calls_calllog", 0)

    @property
    def events(self) -> int:
        return self.rows.get("calls_callevent", 0)

    @classmethod
    def of_json(cls, text: bytes) -> "Manifest":
        """BackupError where it is none of ours, or one that we cannot know how to read."""
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            raise BackupError(_("This is not a backup of CallManager."))
        if said.get("version") != VERSION:
            raise BackupError(
                _("This backup was made by a newer version of CallManager (%(release)s).")
                % {"release": said.get("release", "?")}
            )
        try:
            return msgspec.convert(said, cls)
        except msgspec.ValidationError as error:
            raise BackupError(_("The backup is damaged.")) from error


@dataclass
class Opened:
    """A backup that was read: what it says, its keys by the names of their files, and where the
    database was put."""

    manifest: Manifest
    keys: dict[str, bytes] = field(default_factory=dict)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(target: Path, manifest: Manifest, keys: Mapping[str, bytes], database: Path) -> None:
    """Writes the backup at `target`, and waits until the disk has it."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with compressor.stream_writer(file, closefd=False) as packed:
            with tarfile.open(fileobj=packed, mode="w|", bufsize=_CHUNK) as tar:
                _add(tar, _MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
                for name, key in keys.items():
                    _add(tar, _KEYS + name, key)
                with database.open("rb") as source:
                    tar.addfile(_entry(manifest.database, manifest.size), source)
    keep_on_disk(target)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_entry(name, len(content)), io.BytesIO(content))


def read_manifest(path: Path) -> Manifest:
    """What the backup says it is; that all of it is there is not looked at."""
    with _opened(path) as (tar, _rest):
        return _first(tar)


def read(path: Path, database: Path | None) -> Opened:
    """Reads the whole backup, and writes the database in it to `database`, unless that is None.

    BackupError where a byte is missing or another one than was written.
    """
    with _opened(path) as (tar, rest):
        opened = Opened(_first(tar))
        is_whole = False
        for entry in tar:
            content: IO[bytes] | None = tar.extractfile(entry) if entry.isfile() else None
            if content is None:
                continue
            if entry.name == opened.manifest.database:
                _take_database(content, opened.manifest, database)
                is_whole = True
            elif entry.name.startswith(_KEYS) and entry.size <= _LARGEST_KEY:
                opened.keys[entry.name.removeprefix(_KEYS)] = content.read()
        while rest.read(_CHUNK):  # to the checksum at its end
            pass
        if not is_whole:
            raise EOFError
    return opened


def _first(tar: tarfile.TarFile) -> Manifest:
    entry = tar.next()
    content = tar.extractfile(entry) if entry is not None and entry.isfile() else None
    if entry is None or content is None or entry.name != _MANIFEST:
        raise BackupError(_("This is not a backup of CallManager."))
    if entry.size > _LARGEST_MANIFEST:
        raise BackupError(_("The backup is damaged."))
    return Manifest.of_json(content.read())


def _take_database(content: IO[bytes], manifest: Manifest, target: Path | None) -> None:
    digest, size = hashlib.sha256(), 0
    handle = os.open(target or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    if (size, digest.hexdigest()) != (manifest.size, manifest.sha256):
        raise EOFError
    if target is not None:
        keep_on_disk(target)


class _Frame(io.RawIOBase):
    """What a file holds, unpacked. EOFError where its frame does not end: the library takes the
    end of half a file for the end of all of it."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._unpacking = zstandard.ZstdDecompressor().decompressobj()
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._unpacking.eof:
            packed = self._file.read(_CHUNK // 8)
            if not packed:
                raise EOFError
            self._ready = self._unpacking.decompress(packed)
        taken = self._ready[: len(buffer)]
        self._ready = self._ready[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[tarfile.TarFile, IO[bytes]]]:
    try:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise BackupError(_("This is not a backup of CallManager."))
            file.seek(0)
            frame = io.BufferedReader(_Frame(file), _CHUNK)
            with tarfile.open(fileobj=frame, mode="r|", bufsize=_CHUNK) as tar:
                yield tar, frame
    except EOFError as error:
        raise BackupError(_("Only a part of the backup is there, or it is damaged.")) from error
    except (tarfile.TarError, zstandard.ZstdError) as error:
        raise BackupError(
            _("This is no backup of CallManager, or it is damaged: %(reason)s.")
            % {"reason": str(error).rstrip(".")}
        ) from error
