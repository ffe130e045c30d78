"""A file of records before anything is written: kept, read, looked at."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from accounts.models import User
from calls.models import ProviderAccount
from reconciliation.models import RecordImport


def start(
    account: ProviderAccount,
    person: User | None,
    file_name: str,
    source: BinaryIO | Path,
    *,
    origin: str = RecordImport.FILE,
    format: str = "",
) -> RecordImport:
    """A draft of the file, whose format is guessed where none is given. ValidationError, with a
    sentence for the person, for a file that cannot be read at all."""
    raise NotImplementedError


def set_reading(what: RecordImport, format: str, reading: Mapping[str, Any]) -> None:
    """Says how the draft's file is read. ValidationError where it cannot be read so."""
    raise NotImplementedError


def examine(what: RecordImport) -> None:
    """Looks at the draft as if it were taken in, and writes nothing but its `plan`: `state`
    ("running", "done" or "failed", then with `message`), the counts of the import by their names,
    `skew_ms`, `examples` (at most some of each outcome). The worker does it for a large file."""
    raise NotImplementedError


def remove_draft(what: RecordImport) -> None:
    """Deletes a draft, or an import that failed and wrote nothing, with its file."""
    raise NotImplementedError
