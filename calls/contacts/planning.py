"""What taking a file of contacts in would do: whom its rows are about, and what becomes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from calls.contacts.entries import Entry, Fault, Reading, is_alike, name_words, read
from calls.models import Contact, ContactImport, ContactNumber, NumberKind
from calls.models.contact_number import Numbered, compared, distinct

CHANGED: Final = ("name", "company", "external_id")  # and the numbers
_BATCH: Final = 500
_Target = Contact | int  # who is there already, or the place in Plan.new


@dataclass
class Plan:
    """What taking the file in would do."""

    new: list[Entry] = field(default_factory=list)
    updates: list[tuple[Contact, Entry]] = field(default_factory=list)
    skipped: list[Entry] = field(default_factory=list)
    errors: list[Fault] = field(default_factory=list)  # rows that are left out
    remarks: list[Fault] = field(default_factory=list)  # rows that are taken, but not as they stand

    @property
    def samples(self) -> list[tuple[Entry, str]]:
        """The first rows, and what becomes of each: new, update or skip."""
        marked = [(entry, "new") for entry in self.new[:10]]
        marked += [(entry, "update") for _contact, entry in self.updates[:10]]
        marked += [(entry, "skip") for entry in self.skipped[:10]]
        return sorted(marked, key=lambda pair: pair[0].row)[:10]


def plan(what: ContactImport, reading: Reading | None = None) -> Plan:
    """What taking `what` in would do now. Changes nothing. `reading` is what has been read of its
    rows already, which takes longest."""
    planner = _Planner(what, reading or read(what))
    for entry in planner.entries:
        planner.place(entry)
    planner.made.errors.sort()
    planner.made.remarks.sort()
    return planner.made


def merged(known: Sequence[Numbered], told: Sequence[Numbered]) -> list[Numbered]:
    """The numbers of a contact once a row has told some: those come first, the others stay. A
    number on a line that is known stays as it was written."""
    written = {compared(number): number for number, _kind in known}
    first = [(written.get(compared(number), number), kind) for number, kind in told]
    return distinct([*first, *known])


class _Planner:
    """Decides row by row; remembers what earlier rows of the file have claimed."""

    def __init__(self, what: ContactImport, reading: Reading):
        self.made = Plan(errors=list(reading.faults), remarks=list(reading.remarks))
        self.entries = reading.entries
        self._duplicates = what.duplicates
        self._known = _Known(what.person, self.entries)
        # Contacts that a row of their own name, or with their reference, is about.
        self._meant = {c.pk for c in map(self._known.certain, self.entries) if c is not None}
        self._changed: set[int] = set()
        self._references: dict[str, int] = {}  # of new ones
        self._lines: dict[str, list[tuple[Entry, _Target]]] = {}
        self._owners: dict[str, _Target] = {}  # reference -> whose it will be

    def place(self, entry: Entry) -> None:
        keeps = self._duplicates == ContactImport.KEEP
        target = None if keeps else self._target(entry)
        if target is None:
            self._make(entry)
            return
        self._remember(entry, target)
        if self._duplicates == ContactImport.SKIP:
            self._skip(entry, target)
        elif isinstance(target, Contact):
            self._change(target, entry)
        elif self._claims(entry, target):
            self.made.new[target] = _merged(self.made.new[target], entry)
            self.made.skipped.append(entry)

    def _target(self, entry: Entry) -> _Target | None:
        """Who the row is about: the same reference; a like name on one of the lines; else whoever
        has the preferred number, unless another row is about them. So colleagues who share a
        number stay two, and somebody who is called otherwise now stays one."""
        certain = self._known.certain(entry)
        if certain is not None:
            return certain
        if entry.external_id in self._references:
            return self._references[entry.external_id]
        for line in entry.lines:
            for other, target in self._lines.get(line, ()):
                if is_alike(entry.words, other.words):
                    return target
        contact = self._known.preferring(entry.lines[0])
        return None if contact is None or contact.pk in self._meant else contact

    def _remember(self, entry: Entry, target: _Target) -> None:
        if isinstance(target, Contact):
            self._meant.add(target.pk)
        for line in entry.lines:
            self._lines.setdefault(line, []).append((entry, target))

    def _make(self, entry: Entry) -> None:
        place = len(self.made.new)
        if entry.external_id in self._known.by_reference:
            self._refuse(entry)
        elif self._claims(entry, place):
            if entry.external_id:
                self._references[entry.external_id] = place
            self._remember(entry, place)
            self.made.new.append(entry)

    def _skip(self, entry: Entry, target: _Target) -> None:
        self.made.skipped.append(entry)
        if isinstance(target, Contact) and not is_alike(entry.words, name_words(target.name)):
            known = {"name": entry.name, "other": target.name}
            self.made.remarks.append(
                (
                    entry.row,
                    _("“%(name)s” has the number of “%(other)s”, who is there already.") % known,
                )
            )

    def _change(self, contact: Contact, entry: Entry) -> None:
        if not self._known.may_change(contact) or not self._changes(contact, entry):
            self.made.skipped.append(entry)
        elif self._claims(entry, contact):
            self._changed.add(contact.pk)
            self.made.updates.append((contact, entry))

    def _changes(self, contact: Contact, entry: Entry) -> bool:
        """Whether the row says anything new, or anything other than an earlier row."""
        fields = ((getattr(entry, name), getattr(contact, name)) for name in CHANGED)
        return (
            contact.pk in self._changed
            or any(told and told != " ".join(known.split()) for told, known in fields)
            or not _has_numbers(contact, entry)
        )

    def _claims(self, entry: Entry, owner: _Target) -> bool:
        """Whether the entry's reference is free for `owner`, for whom it is then kept."""
        reference = entry.external_id
        free = reference not in self._known.foreign
        if reference and (not free or self._owners.setdefault(reference, owner) != owner):
            self._refuse(entry)
            return False
        return True

    def _refuse(self, entry: Entry) -> None:
        self.made.errors.append((entry.row, _("Another contact has this reference.")))


def _has_numbers(contact: Contact, entry: Entry) -> bool:
    """Whether the contact has just the row's numbers, perhaps others after them."""
    numbers = list(contact.numbers.all())[: len(entry.lines)]
    kinds = zip(entry.numbers, numbers, strict=False)
    return [number.line for number in numbers] == entry.lines and all(
        kind in (NumberKind.OTHER, known.kind) for (_number, kind), known in kinds
    )


def _merged(first: Entry, second: Entry) -> Entry:
    """Two rows about one contact: the later one says it better, where it says anything."""
    return replace(
        first,
        name=second.name,
        numbers=tuple(merged(first.numbers, second.numbers)),
        company=second.company or first.company,
        external_id=second.external_id or first.external_id,
    )


class _Known:
    """The contacts that rows may be about, asked for in few statements."""

    def __init__(self, person: User, entries: Sequence[Entry]):
        self.by_reference: dict[str, Contact] = {}
        self.foreign: set[str] = set()  # references of contacts that the person may not see
        self._by_line: dict[str, list[Contact]] = {}
        found: dict[int, Contact] = {}
        for part in batches(entries):
            self._learn(person, part, found)
        # The person's own come first, so that they are what a number means.
        for contact in sorted(found.values(), key=lambda c: (c.owner_id != person.pk, c.pk)):
            for number in contact.numbers.all():
                self._by_line.setdefault(number.line, []).append(contact)
        editable = Contact.objects.editable_by(person).values_list("pk", flat=True)
        self._editable = {
            pk for part in batches(list(found)) for pk in editable.filter(pk__in=part)
        }

    def _learn(self, person: User, entries: Sequence[Entry], found: dict[int, Contact]) -> None:
        references = {entry.external_id for entry in entries if entry.external_id}
        lines = {line for entry in entries for line in entry.lines}
        having = ContactNumber.objects.filter(line__in=lines).values("contact")
        rule = Q(pk__in=having) | Q(external_id__in=references)
        seen = Contact.objects.visible_to(person).filter(rule).order_by()
        for contact in seen.prefetch_related("numbers"):
            contact = found.setdefault(contact.pk, contact)
            if contact.external_id:
                self.by_reference[contact.external_id] = contact
        taken = Contact.objects.filter(external_id__in=references)
        self.foreign |= set(taken.values_list("external_id", flat=True)) - self.by_reference.keys()

    def certain(self, entry: Entry) -> Contact | None:
        """The contact with the entry's reference; else with a like name on one of its lines."""
        return self.by_reference.get(entry.external_id) or next(
            (
                contact
                for line in entry.lines
                for contact in self._by_line.get(line, ())
                if is_alike(entry.words, name_words(contact.name))
            ),
            None,
        )

    def preferring(self, line: str) -> Contact | None:
        """The contact whose preferred number is on this line."""
        those = self._by_line.get(line, ())
        return next((c for c in those if c.numbers.all()[0].line == line), None)

    def may_change(self, contact: Contact) -> bool:
        return contact.pk in self._editable


def batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """`items` in parts that one statement can ask for."""
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
