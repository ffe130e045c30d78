"""What phone systems' own records, and the files that they came in, say of somebody."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from common.instants import isoformat
from reconciliation.imports import files
from reconciliation.models import ProviderRecord, RecordImport
from upkeep.personal_data.people import Person
from upkeep.personal_data.texts import Mentions

_TEXTS = ("number", "number_line", "agent_name", "note")
_BLANK = Q(**dict.fromkeys(_TEXTS, ""))
_EMPTY = {"file_name": "…", "message": "", "plan": {}, "faults": []}


def records_about(person: Person) -> QuerySet[ProviderRecord]:
    """Records with a number of the person, as it was told or of their line."""
    return ProviderRecord.objects.filter(
        Q(number_line__in=person.lines) | Q(number__in=person.texts)
    )


def blank(records: QuerySet[ProviderRecord]) -> int:
    """Takes numbers, names and notes out; times, lengths and what came of them stay."""
    return to_blank(records).update(**dict.fromkeys(_TEXTS, ""))


def to_blank(records: QuerySet[ProviderRecord]) -> QuerySet[ProviderRecord]:
    """Those that still say something."""
    return records.exclude(_BLANK)


def of_calls(keys: Sequence[int]) -> QuerySet[ProviderRecord]:
    return ProviderRecord.objects.filter(call__in=keys)


def before(cutoff: dt.datetime) -> QuerySet[ProviderRecord]:
    return ProviderRecord.objects.filter(start_time__lt=cutoff)


def remove_files() -> int:
    """All files that nobody has taken in yet, with their drafts: whom they name is not known, and
    they can be brought once more. How many. The file of an import that runs goes as that ends."""
    drafts = list(RecordImport.objects.filter(state=RecordImport.DRAFT))
    for what in drafts:
        files.remove(what)
    RecordImport.objects.filter(pk__in=[what.pk for what in drafts]).delete()
    return len(drafts)


def forget_in_imports(mentions: Mentions) -> None:
    """Takes the person out of what is noted of imports."""
    for what in RecordImport.objects.order_by("pk").iterator(chunk_size=20):
        said = (what.file_name, what.message, what.plan, what.faults)
        if any(map(mentions.in_value, map(_lists, said))):
            RecordImport.objects.filter(pk=what.pk).update(**_EMPTY)


def forget_imports_before(cutoff: dt.datetime) -> None:
    """Takes out what is noted of older imports; their counts stay."""
    RecordImport.objects.filter(created_at__lt=cutoff).update(**_EMPTY)


def _lists(value: Any) -> Any:
    """JSON's values, tuples as lists."""
    return [list(one) for one in value] if isinstance(value, list | tuple) else value


def held(person: Person, calls: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The records of the person's calls, or with their number, as plain values."""
    found = records_about(person) | of_calls(calls)
    for record in found.select_related("account").order_by("start_time", "pk").distinct():
        yield {
            "account": record.account.name,
            "agent": record.agent_name,
            "number": record.number,
            "direction": record.direction,
            "start_time": isoformat(record.start_time),
            "answered_time": isoformat(record.answered_time),
            "end_time": isoformat(record.end_time),
            "status": record.status,
            "outcome": record.outcome,
            "note": record.note,
        }
