"""What a format of records is: bytes of a file become records, a line that cannot be read a
sentence. Pure; nothing here knows the database.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from reconciliation.call_record import BadLine, CallRecord

if TYPE_CHECKING:
    from reconciliation.formats.files import Peek

# JSON that says how a file is read: columns {field: name or place from 0}, time_zone, encoding,
# separator, sheet, date_order (dmy, mdy, ymd), length_unit (s, min, h, ms), rounding.
Reading = Mapping[str, Any]


class UnreadableFile(Exception):
    """A file that cannot be read as a whole; the message is for whoever brought it."""


def nobody(name: str) -> bool:
    return False


def present() -> int:
    """ms."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Context:
    """What a file does not say itself: the account that it is of. `knows` tells whether a name or
    number is that of one of our agents; `now` is ms."""

    zone: ZoneInfo
    region: str = ""
    account_settings: Mapping[str, Any] = field(default_factory=dict)
    knows: Callable[[str], bool] = nobody
    now: int = field(default_factory=present)


@dataclass(frozen=True)
class Field:
    """What a column can hold. `column` is which one does, by its name or its place from 0."""

    name: str
    label: Any  # text, translated when it is read
    required: bool = False
    column: str | int | None = None

    def at(self, column: str | int | None) -> "Field":
        return replace(self, column=column)


@dataclass
class Look:
    """What is seen of a file before it is read. `choices` are, by their name in `reading`, the
    values that may be chosen and what people read of them; `remarks` are sentences."""

    head: list[str] = field(default_factory=list)
    samples: list[list[str]] = field(default_factory=list)
    rows_guess: int | None = None
    fields: tuple[Field, ...] = ()
    reading: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    choices: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)


class Format:
    """One format. `account_kinds` are the phone systems for whose accounts it is suggested."""

    code: ClassVar[str] = ""
    title: ClassVar[Any] = ""
    account_kinds: ClassVar[tuple[str, ...]] = ()

    def fits(self, peek: "Peek") -> int:
        """How likely the file is of this format: 0 it is not, 100 it certainly is."""
        raise NotImplementedError

    def look(self, path: Path, reading: Reading) -> Look:
        """The file's beginning, with `reading` completed by what can be guessed. UnreadableFile."""
        raise NotImplementedError

    def read(
        self, path: Path, reading: Reading, context: Context
    ) -> Iterator[CallRecord | BadLine]:
        """The records, lazily and in bounded memory. UnreadableFile comes before the first."""
        raise NotImplementedError


def zone_of(reading: Reading, context: Context, usual: str = "") -> ZoneInfo:
    """The zone of a file's local times: as said for it, the format's own, else the account's.
    UnreadableFile where it is none."""
    name = str(reading.get("time_zone") or usual)
    try:
        return ZoneInfo(name) if name else context.zone
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnreadableFile(_("“%(zone)s” is no time zone.") % {"zone": name[:60]}) from error
