"""Where else something is kept of a person: what was imported, files, searches that were saved,
what the administration noted, messages that made no call."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import QueryDict

from calls.models import CallLog, Contact, ContactImport, ContactNumber, RawEvent, WaitingFact
from metrics.exports import jobs
from metrics.models import Export, SavedView
from reconciliation.models import RecordImport
from upkeep.personal_data import records
from upkeep.personal_data.people import Person
from upkeep.personal_data.texts import Mentions

_CHUNK: Final = 200
_IN_IMPORTS: Final = ("file_name", "rows", "errors", "remarks", "changes")


# --- Messages, waiting facts ----------------------------------------------------------------------
def messages_about(person: Person) -> Iterator[int]:
    """Keys of the stored messages that tell a number of the person. Reads all of them."""
    mentions = person.mentions
    rows = RawEvent.objects.exclude(body=b"", query="", note="").order_by("pk")
    told = rows.values_list("pk", "query", "body", "note", "account__region")
    for pk, query, body, note, region in told.iterator(chunk_size=_CHUNK):
        text = f"{query}\n{bytes(body).decode(errors='replace')}\n{note}"
        if mentions.number_in(text, region or None):
            yield pk


def waiting_about(person: Person) -> list[WaitingFact]:
    mentions = person.mentions
    facts = WaitingFact.objects.select_related("account")
    return [
        fact
        for fact in facts
        if mentions.number_in(str(fact.fact.get("number", "")), fact.account.region or None)
    ]


# --- Imports, exports, saved views ----------------------------------------------------------------
def imports_about(person: Person) -> Iterator[ContactImport]:
    mentions = person.mentions
    for one in ContactImport.objects.order_by("pk").iterator(chunk_size=20):
        if _has_made(one, person) or any(
            mentions.in_value(getattr(one, name)) for name in _IN_IMPORTS
        ):
            yield one


def _has_made(one: ContactImport, person: Person) -> bool:
    updated = {int(pk) for pk in one.changes.get("updated", {})}
    return bool(person.contacts & (updated | set(one.changes.get("created", []))))


def _forget_in(one: ContactImport, person: Person) -> None:
    """Takes the person's rows and changes out of an import; the others can still be taken in, or
    back."""
    mentions = person.mentions
    if mentions.in_text(one.file_name):
        one.file_name = "…"
    one.rows = [[""] * len(row) if mentions.in_value(row) else row for row in one.rows]
    one.errors = [said for said in one.errors if not mentions.in_value(said)]
    one.remarks = [said for said in one.remarks if not mentions.in_value(said)]
    if one.changes:
        made = one.changes.get("created", [])
        updated = one.changes.get("updated", {})
        one.changes = one.changes | {
            "created": [pk for pk in made if pk not in person.contacts],
            "updated": {
                pk: fields
                for pk, fields in updated.items()
                if int(pk) not in person.contacts and not mentions.in_value(fields)
            },
        }
    one.save(update_fields=_IN_IMPORTS)


def _views_about(mentions: Mentions) -> list[SavedView]:
    return [view for view in SavedView.objects.all() if _asks_for(view.query, mentions)]


def _asks_for(query: str, mentions: Mentions) -> bool:
    return any(mentions.in_text(value) for _name, value in _pairs(query))


def _pairs(query: str) -> list[tuple[str, str]]:
    asked = QueryDict(query)
    return [(name, value) for name in asked for value in asked.getlist(name)]


def _without(query: str, mentions: Mentions) -> str:
    kept = QueryDict(mutable=True)
    for name, value in _pairs(query):
        if not mentions.in_text(value):
            kept.appendlist(name, value)
    return kept.urlencode()


def _remove_exports() -> int:
    """All files of calls that lie ready: which calls are in them is not known, and they are made
    anew in a moment."""
    exports = list(Export.objects.all())
    for export in exports:
        jobs.path_of(export).unlink(missing_ok=True)
        jobs.path_of(export).with_suffix(".part").unlink(missing_ok=True)
    Export.objects.filter(pk__in=[export.pk for export in exports]).delete()
    return len(exports)


# --- What the administration noted ----------------------------------------------------------------
def forget_log_of(model: type[Model], keys: Sequence[int]) -> int:
    """Leaves of the administration's notes on these objects who did something, and when."""
    kind = ContentType.objects.get_for_model(model)
    notes = LogEntry.objects.filter(content_type=kind, object_id__in=[str(key) for key in keys])
    return notes.exclude(object_repr="", change_message="").update(
        object_repr="", change_message=""
    )


def _log_about(mentions: Mentions) -> list[int]:
    rows = LogEntry.objects.order_by("pk").values_list("pk", "object_repr", "change_message")
    return [
        pk
        for pk, name, message in rows.iterator(chunk_size=2000)
        if mentions.in_text(f"{name}\n{message}")
    ]


# --- All of them ----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Traces:
    """Keys of what speaks of a person. Found by reading it all, which no writer should wait for."""

    waiting: list[int]
    imports: list[int]
    views: list[int]
    log: list[int]
    records: list[int]

    @classmethod
    def of(cls, person: Person) -> "Traces":
        mentions = person.mentions
        return cls(
            [fact.pk for fact in waiting_about(person)],
            [one.pk for one in imports_about(person)],
            [view.pk for view in _views_about(mentions)],
            _log_about(mentions),
            list(records.records_about(person).values_list("pk", flat=True)),
        )

    def counts(self) -> dict[str, int]:
        """How much there is of each kind; of exports all, which go in any case."""
        found = {name: len(keys) for name, keys in vars(self).items()}
        return found | {
            "files": Export.objects.count(),
            "drafts": RecordImport.objects.filter(state=RecordImport.DRAFT).count(),
        }

    def forget(self, person: Person) -> Counter[str]:
        """Takes the person out of all of them; how many of each kind. Within a transaction."""
        mentions = person.mentions
        for fact in WaitingFact.objects.filter(pk__in=self.waiting):
            fact.fact["number"] = ""
            fact.save(update_fields=["fact"])
        for one in ContactImport.objects.filter(pk__in=self.imports).iterator(chunk_size=20):
            _forget_in(one, person)
        for view in SavedView.objects.filter(pk__in=self.views):
            view.query = _without(view.query, mentions)
            view.save(update_fields=["query"])
        log = LogEntry.objects.filter(pk__in=self.log)
        log.update(object_repr="", change_message="")
        counts = self.counts() | {"files": _remove_exports(), "drafts": records.remove_files()}
        counts["records"] = records.blank(records.records_about(person))
        records.forget_in_imports(mentions)
        return Counter(counts)


def counts_before(cutoff: dt.datetime) -> dict[str, int]:
    return {
        "imports": ContactImport.objects.filter(created_at__lt=cutoff).count(),
        "log": _old_log(cutoff).count(),
        "records": records.to_blank(records.before(cutoff)).count(),
    }


def forget_before(cutoff: dt.datetime) -> dict[str, int]:
    """The same of what is older: imports can no longer be taken back then."""
    imports, _of_each = ContactImport.objects.filter(created_at__lt=cutoff).delete()
    return {
        "imports": imports,
        "log": _old_log(cutoff).update(object_repr="", change_message=""),
    }


def _old_log(cutoff: dt.datetime) -> Any:
    kinds = ContentType.objects.get_for_models(CallLog, Contact, ContactNumber).values()
    old = LogEntry.objects.filter(content_type__in=list(kinds), action_time__lt=cutoff)
    return old.exclude(object_repr="", change_message="")
