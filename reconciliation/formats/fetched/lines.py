"""What was fetched of a provider's interface: its JSON objects as they came, one a line."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

from django.utils.translation import gettext as _

from calls.providers import adapters
from calls.providers.base import Adapter, Unknown, Unreadable
from calls.providers.reading import text
from reconciliation.call_record import BadLine, CallRecord
from reconciliation.formats.base import Context, Format, Look, Reading, UnreadableFile
from reconciliation.formats.files import Peek
from reconciliation.formats.files.text import LONGEST

_SAMPLES: Final = 5
_SURE: Final = 95
_LONGEST_WHY: Final = 200

Object = Mapping[str, Any]


class FetchedFormat(Format):
    """`kind` is the phone system's, `marks` are names that each of its objects has."""

    kind: ClassVar[str] = ""
    marks: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...]] = ()  # of an object, when people look at it

    def fits(self, peek: Peek) -> int:
        first = next((found for _line, found in each_object(peek.path)), None)
        return _SURE if first is not None and all(name in first for name in self.marks) else 0

    def look(self, path: Path, reading: Reading) -> Look:
        """There is nothing to choose: the interface says what each field is."""
        _refuse_other(path)
        objects = (found for _line, found in each_object(path) if found is not None)
        samples = [
            [text(found.get(name)) for name in self.shown]
            for found, _place in zip(objects, range(_SAMPLES), strict=False)
        ]
        return Look(head=list(self.shown), samples=samples, reading=dict(reading))

    def read(
        self, path: Path, reading: Reading, context: Context
    ) -> Iterator[CallRecord | BadLine]:
        _refuse_other(path)
        adapter = adapters()[self.kind](
            self.kind, context.account_settings, region=context.region, knows=context.knows
        )
        for line, found in self.objects(path):
            yield from _records_at(line, self, found, adapter)

    def objects(self, path: Path) -> Iterator[tuple[int, Object | None]]:
        """What one record or more are made of, by its line; None for what is no object."""
        return each_object(path)

    def parts_of(self, found: Object, adapter: Any) -> Iterator[CallRecord]:
        """The records of an object. Raises Unreadable or Unknown."""
        raise NotImplementedError


def _records_at(
    line: int, format: FetchedFormat, found: Object | None, adapter: Adapter
) -> Iterator[CallRecord | BadLine]:
    if found is None:
        yield BadLine(line, _("This is no JSON object."))
        return
    try:
        for record in format.parts_of(found, adapter):
            yield replace(record, lines=(line,))
    except (Unreadable, Unknown) as error:
        yield BadLine(line, str(error)[:_LONGEST_WHY])


def each_object(path: Path) -> Iterator[tuple[int, Object | None]]:
    """The objects by their line, from 1; empty lines are none."""
    with path.open("rb") as file:
        for line, raw in enumerate(iter(lambda: file.readline(LONGEST), b""), start=1):
            if raw.strip():
                yield line, object_in(raw)


def object_in(raw: bytes) -> Object | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse_other(path: Path) -> None:
    if next(each_object(path), (0, None))[1] is None:
        raise UnreadableFile(_("The file does not begin with a JSON object."))
