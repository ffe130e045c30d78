"""The anchors as lines of a plain file, which can be copied elsewhere or printed.

One line an anchor: day, calls, lines, root. What the file has is never written again; a line that
begins with # says that data of a backup took the place of the others.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings

from calls.models import Anchor
from common.instants import isoformat, now

_RESTORED: Final = "# restored"
_WHOLE: Final = re.compile(r"\d{4}-\d\d-\d\d \d+ \d+ [0-9a-f]{64}")


@dataclass(frozen=True)
class Noted:
    """What a file says: the lines since data were last restored, and those before."""

    lines: list[str]
    before: list[str]

    @property
    def all(self) -> set[str]:
        return {*self.lines, *self.before}


def path() -> Path:
    return Path(settings.DATA_DIR) / "anchors.txt"


def read(file: Path | None = None) -> Noted | None:
    """What `file` (DATA_DIR/anchors.txt) says; None where there is none."""
    try:
        text = (file or path()).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    before: list[str] = []
    lines: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith(_RESTORED):
            before, lines = before + lines, []
        elif _WHOLE.fullmatch(line):  # not one that was cut short while it was written
            lines.append(line)
    return Noted(lines, before)


def catch_up() -> None:
    """Adds the anchors that the file does not have: the end of a process may have come between."""
    noted = read()
    known = noted.all if noted else set()
    anchors = Anchor.objects.order_by("day").iterator()
    _append(line for line in map(Anchor.as_line, anchors) if line not in known)


def note_restored(name: str) -> None:
    """Notes that data of the backup `name` took the place of those that the lines above are of."""
    _append([f"{_RESTORED} {isoformat(now())} {name}"])


def _append(lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if text:
        with os.fdopen(_opened(), "rb+") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() and not _ends_a_line(file):
                text = f"\n{text}"
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def _opened() -> int:
    return os.open(path(), os.O_RDWR | os.O_CREAT, 0o600)


def _ends_a_line(file: BinaryIO) -> bool:
    """Whether the last line is whole; the position is the end before and after."""
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def differing(anchors: Iterable[Anchor], file: Path | None = None) -> Iterator[str]:
    """What the file says otherwise than `anchors`, which are in the order of their days."""
    noted = read(file)
    name = file or path()
    ours = [anchor.as_line() for anchor in anchors]
    if noted is None:
        if ours:
            yield f"{name} is gone"
        return
    days = {line.split()[0]: line for line in ours}
    for line in noted.lines:
        ours_then = days.get(line.split()[0])
        if ours_then is None:
            yield f"the anchor of {line.split()[0]} is gone from the database; the file has: {line}"
        elif ours_then != line:
            yield f"the anchor of {line.split()[0]} was changed; the file has: {line}"
    if file is not None:
        return  # a copy may have been made before others came
    told = {line.split()[0] for line in noted.lines}
    # The end of a process may have come between the last anchor and the file; and on a machine to
    # which data were just restored, it has none of them.
    for line in ours[:-1] if noted.lines else ():
        if line.split()[0] not in told and line not in noted.all:
            yield f"the anchor of {line.split()[0]} is missing in {name}"
