"""Which formats there are, and which of them a file is of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from reconciliation.formats.asterisk import AsteriskCsv, FreePbxCsv
from reconciliation.formats.base import (
    Context,
    Field,
    Format,
    Look,
    Reading,
    UnreadableFile,
)
from reconciliation.formats.exports import (
    AircallCsv,
    RingCentralCsv,
    TeamsCsv,
    ThreeCxCsv,
    TwilioCsv,
    ZoomCsv,
)
from reconciliation.formats.files import Peek
from reconciliation.formats.freeswitch import FreeSwitchCsv, FreeSwitchJson, FreeSwitchXml
from reconciliation.formats.table import AnyTable

__all__ = [
    "FORMATS",
    "Context",
    "Field",
    "Format",
    "Look",
    "Reading",
    "UnreadableFile",
    "detect",
    "formats_for",
]

_ALL: Final[tuple[Format, ...]] = (
    *(AsteriskCsv(), FreePbxCsv(), FreeSwitchCsv(), FreeSwitchJson(), FreeSwitchXml()),
    *(TwilioCsv(), ZoomCsv(), AircallCsv(), RingCentralCsv(), TeamsCsv(), ThreeCxCsv()),
    AnyTable(),
)
FORMATS: Final[Mapping[str, Format]] = {one.code: one for one in _ALL}


def formats_for(kind: str) -> list[Format]:
    """All formats, those of an account of this kind first."""
    return sorted(FORMATS.values(), key=lambda one: kind not in one.account_kinds)


def detect(path: Path, kind: str) -> tuple[str, dict[str, Any]]:
    """The code of the format that a file of such an account most likely has, and how it is read;
    ("", {}) where none of them knows it. UnreadableFile."""
    peek = Peek(path)
    scores = [(one.fits(peek), one) for one in formats_for(kind)]
    best, found = max(scores, key=lambda score: score[0])
    if best:
        return found.code, found.look(path, {}).reading
    if peek.why:
        raise UnreadableFile(peek.why)
    return "", {}
