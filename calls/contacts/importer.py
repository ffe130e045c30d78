"""Taking contacts in from a file, in one go, and taking the whole back."""

from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Team, User
from calls.contacts import columns as contact_columns
from calls.contacts.entries import Entry, read
from calls.contacts.files import Sheet
from calls.contacts.planning import CHANGED, Plan, batches, merged, plan
from calls.errors import BadCallData, CallConflict
from calls.models import Contact, ContactImport
from calls.models.contact_number import Numbered, with_preferred

_BATCH: Final = 500
_SHOWN_FAULTS: Final = 200
_Changes = dict[str, list[Any]]  # field -> [before, after]


def draft(
    person: User, file_name: str, sheet: Sheet, team: Team | None, for_everybody: bool
) -> ContactImport:
    """Keeps the rows of a file until its owner has looked at them; earlier drafts go."""
    rows = sheet.rows[1:] if contact_columns.has_head(sheet.rows) else sheet.rows
    head = contact_columns.head_of(sheet.rows)
    ContactImport.objects.filter(person=person, state=ContactImport.DRAFT).delete()
    return ContactImport.objects.create(
        person=person,
        team=team,
        for_everybody=for_everybody,
        file_name=file_name[-120:],
        head=head,
        rows=rows,
        # Cards are counted from the first: their head is our own.
        first_row=1 if sheet.kind == "vcf" else len(sheet.rows) - len(rows) + 1,
        mapping=contact_columns.guess(head, rows),
    )


# --- Taking in ----------------------------------------------------------------------------------


def take_in(what: ContactImport) -> ContactImport:
    """Makes and changes the contacts of a draft. CallConflict if that was done before; BadCallData
    where no column is the name or the number."""
    reading = read(what)  # takes longest, and nobody has to wait for it
    with transaction.atomic():
        held = ContactImport.objects.select_for_update().select_related("person").get(pk=what.pk)
        if held.state != ContactImport.DRAFT:
            raise CallConflict(_("This file was taken in already."))
        missing = [contact_columns.FIELDS[n] for n in _missing(held.mapping)]
        if missing:
            raise BadCallData(
                _("Say which column is: %(what)s.") % {"what": ", ".join(map(str, missing))}
            )
        _carry_out(held, plan(held, reading if held.mapping == what.mapping else None))
    return held


def _carry_out(what: ContactImport, made: Plan) -> None:
    made_contacts = _create(what, made.new)
    what.changes = {
        "created": [contact.pk for contact in made_contacts],
        "updated": _update(made.updates),
    }
    what.created, what.updated = len(made_contacts), len(what.changes["updated"])
    what.skipped, what.error_count = len(made.skipped), len(made.errors)
    what.errors = made.errors[:_SHOWN_FAULTS]
    what.remarks = made.remarks[:_SHOWN_FAULTS]
    what.state, what.rows = ContactImport.DONE, []
    what.save()


def _missing(mapping: dict[str, Any]) -> list[str]:
    """The fields without which nothing can be taken in, and which have no column."""
    names = {"name", "surname", "whole_name", "company", "nickname"}
    return [
        field
        for field, columns in (("name", names), ("phone", {"phone"}))
        if columns.isdisjoint(mapping)
    ]


def _create(what: ContactImport, entries: Iterable[Entry]) -> list[Contact]:
    shared = what.team_id is not None or what.for_everybody
    contacts = (
        Contact(
            name=entry.name,
            company=entry.company,
            external_id=entry.external_id,
            team_id=what.team_id,
            owner=None if shared else what.person,
        )
        for entry in entries
    )
    numbers = (entry.numbers for entry in entries)
    pairs = zip(contacts, numbers, strict=True)
    return Contact.objects.create_with_numbers(pairs, batch_size=_BATCH)


def _update(pairs: Iterable[tuple[Contact, Entry]]) -> dict[str, _Changes]:
    """Writes the entries over their contacts; what changed, field by field."""
    before: dict[int, Contact] = {}
    told: dict[int, dict[str, Any]] = {}
    for contact, entry in pairs:
        before[contact.pk] = contact
        now = told.setdefault(contact.pk, _said_of(contact))
        now |= {name: text for name in CHANGED if (text := getattr(entry, name))}
        now["numbers"] = _as_kept(merged(now["numbers"], entry.numbers))
    changes = {pk: _differences(_said_of(before[pk]), now) for pk, now in told.items()}
    _write((before[pk], now) for pk, now in told.items() if changes[pk])
    return {str(pk): fields for pk, fields in changes.items() if fields}


def _differences(before: dict[str, Any], after: dict[str, Any]) -> _Changes:
    return {name: [was, after[name]] for name, was in before.items() if was != after[name]}


def _said_of(contact: Contact) -> dict[str, Any]:
    """What an import can change of a contact, as `ContactImport.changes` keeps it."""
    said = {name: getattr(contact, name) for name in CHANGED}
    return said | {"numbers": _as_kept(contact.numbered)}


def _as_kept(numbers: Iterable[Numbered]) -> list[list[str]]:
    return [[number, str(kind)] for number, kind in numbers]


def _write(pairs: Iterable[tuple[Contact, dict[str, Any]]]) -> None:
    """Saves contacts with other values of some of their fields."""
    contacts, numbers = [], []
    for contact, fields in pairs:
        for name in CHANGED:
            setattr(contact, name, fields.get(name, getattr(contact, name)))
        contact.fold()
        contacts.append(contact)
        if fields.get("numbers", known := _as_kept(contact.numbered)) != known:
            numbers.append((contact, [(number, kind) for number, kind in fields["numbers"]]))
    Contact.objects.bulk_update(contacts, [*CHANGED, "folded"], batch_size=_BATCH)
    Contact.objects.replace_numbers(numbers, batch_size=_BATCH)


# --- Taking back --------------------------------------------------------------------------------


@transaction.atomic
def take_back(what: ContactImport) -> ContactImport:
    """Deletes what the import made and restores what it changed, unless somebody has changed it
    since. Calls keep their numbers. CallConflict if there is nothing to take back."""
    what = ContactImport.objects.select_for_update().get(pk=what.pk)
    if what.state != ContactImport.DONE:
        raise CallConflict(_("There is nothing to take back."))
    for part in batches(what.changes["created"]):
        Contact.objects.filter(pk__in=part).delete()
    updated = {int(pk): fields for pk, fields in what.changes["updated"].items()}
    for part in batches(list(updated)):
        contacts = Contact.objects.filter(pk__in=part).prefetch_related("numbers")
        _write([(contact, _restored(contact, updated[contact.pk])) for contact in contacts])
    what.state, what.changes = ContactImport.UNDONE, {}
    what.save(update_fields=["state", "changes"])
    return what


def _restored(contact: Contact, fields: _Changes) -> dict[str, Any]:
    """Those of the fields that are as the import left them, as they were before it."""
    now = _said_of(contact) | {"phone": contact.phone}
    back = {
        name: before
        for name, (before, after) in fields.items()
        if now[name] == after
        and not (name == "external_id" and before and _is_taken(before, contact.pk))
    }
    if "phone" in back:  # an import of the time when a contact had one number
        back["numbers"] = with_preferred(contact.numbered[1:], back["phone"])
    return back


def _is_taken(reference: str, pk: int) -> bool:
    return Contact.objects.filter(external_id=reference).exclude(pk=pk).exists()
