"""Reads records from bytes as an import does: the format is found, and read lazily."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reconciliation.call_record import BadLine, CallRecord
from reconciliation.formats.catalogue import FORMATS, Context, detect

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
RECORDS = FIXTURES / "records"


def ms(text: str) -> int:
    """`2026-01-05 10:00:00` in UTC."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


NOW = ms("2027-03-01 00:00:00")


def context(zone: str = "UTC", agents: Iterable[str] = (), **settings: Any) -> Context:
    return Context(
        ZoneInfo(zone), account_settings=settings, knows=set(agents).__contains__, now=NOW
    )


def read_file(
    path: Path, kind: str = "generic", zone: str = "UTC", agents: Iterable[str] = (), **reading: Any
) -> tuple[str, list[CallRecord], list[BadLine]]:
    """The format that was found, the records and the lines that could not be read."""
    code, guessed = detect(path, kind)
    found = list(FORMATS[code].read(path, {**guessed, **reading}, context(zone, agents)))
    records = [one for one in found if isinstance(one, CallRecord)]
    return code, records, [one for one in found if isinstance(one, BadLine)]


class Desk:
    """Puts bytes into files and reads them."""

    def __init__(self, folder: Path):
        self._folder = folder

    def file(self, content: bytes | str, name: str = "calls.csv") -> Path:
        path = self._folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def read(
        self, content: bytes | str, kind: str = "generic", **more: Any
    ) -> tuple[list[CallRecord], list[BadLine]]:
        return read_file(self.file(content), kind, **more)[1:]
