"""A file that nobody has said anything about, read once for all formats that may know it."""

from functools import cached_property
from pathlib import Path

from reconciliation.formats.base import UnreadableFile
from reconciliation.formats.files.opened import Table
from reconciliation.formats.files.text import beginning_of


class Peek:
    """`table` is None where the file is none; `why` says why."""

    def __init__(self, path: Path):
        self.path = path
        self.beginning = beginning_of(path)
        self.why = ""

    @cached_property
    def table(self) -> Table | None:
        try:
            return Table(self.path, {})
        except UnreadableFile as error:
            self.why = str(error)
            return None
