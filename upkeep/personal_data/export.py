"""All that is held about somebody, as plain values that JSON can say."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType

from calls.models import CallEvent, CallLog, Contact, RawEvent
from common.instants import isoformat, now
from upkeep.personal_data import records, traces
from upkeep.personal_data.people import Person

_CHUNK = 500


def held_about(person: Person) -> dict[str, Any]:
    """Contacts, calls with their ledgers, messages and records of phone systems, rows of imported
    files and notes of the administration. Instants are ISO 8601 in UTC, lengths whole seconds."""
    calls = person.keys_of_calls()
    return {
        "made_at": isoformat(now()),
        "numbers": sorted(person.lines | person.texts),
        "contacts": [_contact(one) for one in Contact.objects.filter(pk__in=person.contacts)],
        "calls": [call for keys in _parts(calls) for call in _calls(keys)],
        "messages": list(_messages(person, calls)),
        "waiting_facts": [
            {"received_at": isoformat(fact.received_at), "call": fact.call, "fact": fact.fact}
            for fact in traces.waiting_about(person)
        ],
        "records": list(records.held(person, calls)),
        "imports": [_import(one, person) for one in traces.imports_about(person)],
        "administration": _log(person, calls),
    }


def _parts(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.pk,
        "name": contact.name,
        "company": contact.company,
        "external_id": contact.external_id,
        "notes": contact.notes,
        "numbers": [{"number": number, "kind": str(kind)} for number, kind in contact.numbered],
        "owner": contact.owner.username if contact.owner else None,
        "team": contact.team.name if contact.team else None,
        "created_at": isoformat(contact.created_at),
    }


def _calls(keys: list[int]) -> Iterator[dict[str, Any]]:
    ledgers: dict[int, list[dict[str, Any]]] = {key: [] for key in keys}
    lines = CallEvent.objects.filter(call__in=keys).select_related("actor")
    for line in lines.order_by("call", "occurred_at", "pk"):
        ledgers[line.call_id].append(
            {
                "kind": line.kind,
                "occurred_at": isoformat(line.occurred_at),
                "received_at": isoformat(line.received_at),
                "source": line.source,
                "actor": line.actor.username if line.actor else None,
                "data": line.data,
            }
        )
    calls = CallLog.objects.filter(pk__in=keys).select_related("user", "contact")
    for call in calls.order_by("start_time", "pk"):
        yield {
            "call_id": str(call.call_id),
            "agent": call.user.username if call.user else None,
            "contact": call.contact.name if call.contact else None,
            "contact_ref": call.contact_ref,
            "phone": call.contact_phone,
            "direction": call.direction,
            "provider": call.provider,
            "start_time": isoformat(call.start_time),
            "answered_time": isoformat(call.answered_time),
            "end_time": isoformat(call.end_time),
            "status": call.status,
            "duration_seconds": call.duration_seconds,
            "talk_seconds": call.talk_seconds,
            "notes": call.notes,
            "disposition": call.disposition,
            "events": ledgers[call.pk],
        }


def _messages(person: Person, calls: list[int]) -> Iterator[dict[str, Any]]:
    keys = set(traces.messages_about(person))
    for part in _parts(calls):
        lines = CallEvent.objects.filter(call__in=part).exclude(payload_hash="")
        digests = lines.order_by().values("payload_hash")
        keys.update(RawEvent.objects.filter(digest__in=digests).values_list("pk", flat=True))
    for part in _parts(sorted(keys)):
        for one in RawEvent.objects.filter(pk__in=part).select_related("account").order_by("pk"):
            yield {
                "account": one.account.name,
                "received_at": isoformat(one.received_at),
                "content_type": one.content_type,
                "query": one.query,
                "body": bytes(one.body).decode(errors="replace"),
                "outcome": one.outcome,
            }


def _import(one: Any, person: Person) -> dict[str, Any]:
    mentions = person.mentions
    updated = one.changes.get("updated", {})
    return {
        "file_name": one.file_name,
        "person": one.person.username,
        "created_at": isoformat(one.created_at),
        "rows": [row for row in one.rows if mentions.in_value(row)],
        "changes": [
            fields
            for pk, fields in updated.items()
            if int(pk) in person.contacts or mentions.in_value(fields)
        ],
    }


def _log(person: Person, calls: list[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for model, keys in ((CallLog, calls), (Contact, sorted(person.contacts))):
        kind = ContentType.objects.get_for_model(model)
        for part in _parts(keys):
            notes = LogEntry.objects.filter(content_type=kind, object_id__in=map(str, part))
            found += [
                {
                    "at": isoformat(note.action_time),
                    "object": note.object_repr,
                    "message": note.get_change_message(),
                }
                for note in notes.order_by("action_time")
            ]
    return found
