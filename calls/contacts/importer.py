"""Taking contacts in from a file, in one go, and taking the whole back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Team, User
from calls.contacts import columns as contact_columns
from calls.contacts.files import Sheet
from calls.errors import BadCallData, CallConflict
from calls.models import Contact, ContactImport
from common.phones import to_e164

_BATCH: Final = 500
_LENGTHS: Final = {"name": 120, "company": 120, "external_id": 100}
_CHANGED: Final = ("name", "phone", "company", "external_id")
_SHOWN_ERRORS: Final = 200
_FORMULA: Final = ("'=", "'+", "'-", "'@")  # how a spreadsheet's file defuses what begins so


@dataclass(frozen=True)
class Entry:
    """One row that makes sense."""

    row: int
    name: str
    phone: str  # E.164
    company: str
    external_id: str


@dataclass
class Plan:
    """What taking the file in would do."""

    new: list[Entry] = field(default_factory=list)
    updates: list[tuple[Contact, Entry]] = field(default_factory=list)
    skipped: list[Entry] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)  # row, sentence

    @property
    def samples(self) -> list[tuple[Entry, str]]:
        """The first rows, and what becomes of each: new, update or skip."""
        marked = [(entry, "new") for entry in self.new[:10]]
        marked += [(entry, "update") for _contact, entry in self.updates[:10]]
        marked += [(entry, "skip") for entry in self.skipped[:10]]
        return sorted(marked, key=lambda pair: pair[0].row)[:10]


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
        first_row=len(sheet.rows) - len(rows) + 1,
        mapping=contact_columns.guess(head, rows),
    )


# --- Looking ------------------------------------------------------------------------------------


def plan(what: ContactImport) -> Plan:
    """What taking `what` in would do now. Changes nothing."""
    planner = _Planner(what)
    for entry in planner.entries:
        planner.place(entry)
    planner.made.errors.sort()
    return planner.made


class _Planner:
    """Decides row by row; remembers what earlier rows of the file have claimed."""

    def __init__(self, what: ContactImport):
        self.made = Plan()
        self.entries = list(_entries(what, self.made.errors))
        self._duplicates = what.duplicates
        self._known = _Known(what.person, self.entries)
        self._places: dict[str, int] = {}  # number or reference -> place in made.new
        self._owners: dict[str, object] = {}  # reference -> whose it will be

    def place(self, entry: Entry) -> None:
        keeps = self._duplicates == ContactImport.KEEP
        contact = None if keeps else self._known.match(entry)
        twin = None if keeps else self._twin(entry)
        if contact is None and twin is None:
            self._make(entry)
        elif self._duplicates == ContactImport.SKIP:
            self.made.skipped.append(entry)
        elif contact is not None:
            self._change(contact, entry)
        elif twin is not None and self._claims(entry, twin):
            self.made.new[twin] = _merged(self.made.new[twin], entry)
            self.made.skipped.append(entry)

    def _twin(self, entry: Entry) -> int | None:
        return next((self._places[key] for key in _keys(entry) if key in self._places), None)

    def _make(self, entry: Entry) -> None:
        place = len(self.made.new)
        if entry.external_id in self._known.by_reference:
            self._refuse(entry)
        elif self._claims(entry, place):
            self._places |= dict.fromkeys(_keys(entry), place)
            self.made.new.append(entry)

    def _change(self, contact: Contact, entry: Entry) -> None:
        if not self._known.may_change(contact):
            self.made.skipped.append(entry)
        elif self._claims(entry, contact):
            self.made.updates.append((contact, entry))

    def _claims(self, entry: Entry, owner: object) -> bool:
        """Whether the entry's reference is free for `owner`, for whom it is then kept."""
        reference = entry.external_id
        free = reference not in self._known.foreign
        if reference and (not free or self._owners.setdefault(reference, owner) != owner):
            self._refuse(entry)
            return False
        return True

    def _refuse(self, entry: Entry) -> None:
        self.made.errors.append((entry.row, _("Another contact has this reference.")))


def _entries(what: ContactImport, errors: list[tuple[int, str]]) -> Iterator[Entry]:
    columns = {name: int(column) for name, column in what.mapping.items()}
    for number, row in enumerate(what.rows, start=what.first_row):
        said = {name: _plain(row[column]) for name, column in columns.items() if column < len(row)}
        wrong = _faults(said)
        if wrong:
            errors += [(number, sentence) for sentence in wrong]
            continue
        yield Entry(
            row=number,
            name=_full_name(said),
            phone=to_e164(said["phone"]),
            company=said.get("company", ""),
            external_id=said.get("external_id", ""),
        )


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith(_FORMULA) else cell


def _full_name(said: dict[str, str]) -> str:
    return " ".join(filter(None, (said.get("name"), said.get("surname"))))


def _faults(said: dict[str, str]) -> list[str]:
    """What is wrong with a row, in words."""
    name, phone = _full_name(said), said.get("phone", "")
    wrong = []
    if not name:
        wrong.append(_("The name is missing."))
    if not phone:
        wrong.append(_("The phone number is missing."))
    elif not to_e164(phone):
        wrong.append(_("“%(text)s” is not a phone number.") % {"text": phone[:40]})
    for field_name, most in _LENGTHS.items():
        text = name if field_name == "name" else said.get(field_name, "")
        if len(text) > most:
            label = contact_columns.FIELDS[field_name]
            wrong.append(
                _("%(field)s is too long: at most %(most)d characters.")
                % {"field": label, "most": most}
            )
    return wrong


def _keys(entry: Entry) -> list[str]:
    """What a contact is known by."""
    return [entry.phone] + ([f"id {entry.external_id}"] if entry.external_id else [])


def _merged(first: Entry, second: Entry) -> Entry:
    """Two rows about one contact: the later one says it better, where it says anything."""
    return Entry(
        row=first.row,
        name=second.name,
        phone=second.phone,
        company=second.company or first.company,
        external_id=second.external_id or first.external_id,
    )


class _Known:
    """The contacts that rows may be about, asked for in few statements."""

    def __init__(self, person: User, entries: Sequence[Entry]):
        self.by_phone: dict[str, Contact] = {}
        self.by_reference: dict[str, Contact] = {}
        self.foreign: set[str] = set()  # references of contacts that the person may not see
        for part in _batches(entries):
            self._learn(person, part)
        editable = Contact.objects.editable_by(person).values_list("pk", flat=True)
        found = {c.pk for c in (*self.by_phone.values(), *self.by_reference.values())}
        self._editable = {
            pk for part in _batches(list(found)) for pk in editable.filter(pk__in=part)
        }

    def _learn(self, person: User, entries: Sequence[Entry]) -> None:
        references = {entry.external_id for entry in entries if entry.external_id}
        rule = Q(phone__in={entry.phone for entry in entries}) | Q(external_id__in=references)
        # The person's own come last, so that they are what a number means.
        seen = sorted(
            Contact.objects.visible_to(person).filter(rule),
            key=lambda c: (c.owner_id == person.pk, -c.pk),
        )
        self.by_phone |= {contact.phone: contact for contact in seen}
        self.by_reference |= {c.external_id: c for c in seen if c.external_id}
        taken = Contact.objects.filter(external_id__in=references)
        self.foreign |= set(taken.values_list("external_id", flat=True)) - self.by_reference.keys()

    def match(self, entry: Entry) -> Contact | None:
        return self.by_reference.get(entry.external_id) or self.by_phone.get(entry.phone)

    def may_change(self, contact: Contact) -> bool:
        return contact.pk in self._editable


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


# --- Taking in ----------------------------------------------------------------------------------


@transaction.atomic
def take_in(what: ContactImport) -> ContactImport:
    """Makes and changes the contacts of a draft. CallConflict if that was done before; BadCallData
    where no column is the name or the number."""
    what = ContactImport.objects.select_for_update().select_related("person").get(pk=what.pk)
    if what.state != ContactImport.DRAFT:
        raise CallConflict(_("This file was taken in already."))
    missing = [contact_columns.FIELDS[n] for n in ("name", "phone") if n not in what.mapping]
    if missing:
        raise BadCallData(
            _("Say which column is: %(what)s.") % {"what": ", ".join(map(str, missing))}
        )
    made = plan(what)
    made_contacts = _create(what, made.new)
    what.changes = {
        "created": [contact.pk for contact in made_contacts],
        "updated": _update(made.updates),
    }
    what.created, what.updated = len(made_contacts), len(what.changes["updated"])
    what.skipped, what.error_count = len(made.skipped), len(made.errors)
    what.errors = made.errors[:_SHOWN_ERRORS]
    what.state, what.rows = ContactImport.DONE, []
    what.save()
    return what


def _create(what: ContactImport, entries: Iterable[Entry]) -> list[Contact]:
    shared = what.team_id is not None or what.for_everybody
    contacts = [
        Contact(
            name=entry.name,
            phone=entry.phone,
            company=entry.company,
            external_id=entry.external_id,
            team_id=what.team_id,
            owner=None if shared else what.person,
        )
        for entry in entries
    ]
    for contact in contacts:
        contact.fold()
    return Contact.objects.bulk_create(contacts, batch_size=_BATCH)


def _update(pairs: Iterable[tuple[Contact, Entry]]) -> dict[str, dict[str, list[str]]]:
    """Writes the entries over their contacts; what changed, field by field."""
    changes: dict[str, dict[str, list[str]]] = {}
    contacts: dict[int, Contact] = {}
    for contact, entry in pairs:
        contact = contacts.setdefault(contact.pk, contact)
        for name in _CHANGED:
            before, after = getattr(contact, name), getattr(entry, name)
            if after and before != after:
                first = changes.setdefault(str(contact.pk), {}).get(name, [before])[0]
                changes[str(contact.pk)][name] = [first, after]
                setattr(contact, name, after)
    _save([contacts[int(pk)] for pk in changes])
    return changes


def _save(contacts: list[Contact]) -> None:
    for contact in contacts:
        contact.fold()
    Contact.objects.bulk_update(contacts, [*_CHANGED, "folded"], batch_size=_BATCH)


# --- Taking back --------------------------------------------------------------------------------


@transaction.atomic
def take_back(what: ContactImport) -> ContactImport:
    """Deletes what the import made and restores what it changed, unless somebody has changed it
    since. Calls keep their numbers. CallConflict if there is nothing to take back."""
    what = ContactImport.objects.select_for_update().get(pk=what.pk)
    if what.state != ContactImport.DONE:
        raise CallConflict(_("There is nothing to take back."))
    for part in _batches(what.changes["created"]):
        Contact.objects.filter(pk__in=part).delete()
    updated = {int(pk): fields for pk, fields in what.changes["updated"].items()}
    for part in _batches(list(updated)):
        _save([_restored(c, updated[c.pk]) for c in Contact.objects.filter(pk__in=part)])
    what.state, what.changes = ContactImport.UNDONE, {}
    what.save(update_fields=["state", "changes"])
    return what


def _restored(contact: Contact, fields: dict[str, list[str]]) -> Contact:
    for name, (before, after) in fields.items():
        taken = name == "external_id" and before and _is_taken(before, contact.pk)
        if getattr(contact, name) == after and not taken:
            setattr(contact, name, before)
    return contact


def _is_taken(reference: str, pk: int) -> bool:
    return Contact.objects.filter(external_id=reference).exclude(pk=pk).exists()
