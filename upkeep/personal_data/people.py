"""Somebody whose data is removed or taken out: by a number, or as a contact."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from calls.models import CallEvent, CallLog, CallQuerySet, Contact, ContactNumber
from calls.services.forgetting import that_say_something
from common.phones import digits_of, line_of
from upkeep.personal_data.texts import Mentions

_CHUNK: Final = 2000


class NobodyMeant(ValueError):
    """What was given names no number and no contact; the message says so."""


@dataclass(frozen=True)
class Person:
    """Lines (common.phones.line_of), texts that are no readable number, and contacts' keys."""

    lines: frozenset[str]
    texts: frozenset[str]
    contacts: frozenset[int]
    names: frozenset[str]

    @classmethod
    def of_phone(cls, number: str) -> "Person":
        """Whoever has this number, however it is written: contacts that have it go with all their
        numbers. Raises NobodyMeant for what has no digits."""
        text = number.strip()
        line = line_of(text)
        if not line and len(digits_of(text)) < 3:
            raise NobodyMeant(_("“%(text)s” is not a phone number.") % {"text": text})
        contacts = Contact.objects.on_line(line) if line else Contact.objects.none()
        contacts |= Contact.objects.filter(numbers__number=text)
        return cls._of(contacts, {line} if line else set(), set() if line else {text})

    @classmethod
    def of_contact(cls, reference: str) -> "Person":
        """The contact with this key, or this reference in another system. Raises NobodyMeant."""
        reference = reference.strip()
        rule = Q(external_id=reference) if reference else Q(pk__in=())
        if reference.isascii() and reference.isdigit() and len(reference) < 19:
            rule |= Q(pk=int(reference))
        contacts = Contact.objects.filter(rule)
        if not contacts:
            raise NobodyMeant(_("There is no contact “%(text)s”.") % {"text": reference})
        return cls._of(contacts, set(), set())

    @classmethod
    def _of(cls, contacts: QuerySet[Contact], lines: set[str], texts: set[str]) -> "Person":
        found = {contact.pk: contact for contact in contacts}
        numbers = ContactNumber.objects.filter(contact__in=found)
        for number in numbers:
            # The number of a company belongs to others, too: it stays where it is theirs.
            others = ContactNumber.objects.filter(line=number.line).exclude(contact__in=found)
            if not others.exists():
                (lines if line_of(number.number) else texts).add(number.line)
        names = {text for c in found.values() for text in (c.name, c.external_id) if text}
        return cls(frozenset(lines), frozenset(texts), frozenset(found), frozenset(names))

    @property
    def mentions(self) -> Mentions:
        return Mentions(self.lines, self.names)

    def calls(self) -> CallQuerySet:
        """The calls with this person; those of other people where a ledger alone names a number
        are `named_in_ledgers`."""
        rule = Q(contact__in=self.contacts) | Q(contact_phone__in=self.texts)
        if self.lines:
            rule |= Q(phone_line__in=self.lines)
        return CallLog.objects.filter(rule)

    def named_in_ledgers(self) -> set[int]:
        """Keys of calls whose ledger has the number, whatever the call itself has: two sources may
        have told different ones. Reads every line that tells a number."""
        found: set[int] = set()
        for line in self.lines:
            told = CallEvent.objects.filter(data__number__icontains=line[-1:])
            rows = told.order_by().values_list("call__pk", "data__number", "call__account__region")
            for call, number, region in rows.iterator(chunk_size=_CHUNK):
                if digits_of(str(number))[-2:] == line[-2:] and (
                    line_of(str(number), region or None) == line
                ):
                    found.add(call)
        return found

    def keys_of_calls(self) -> list[int]:
        """Of all calls, in order; none twice."""
        keys = set(self.calls().order_by().values_list("pk", flat=True))
        return sorted(keys | self.named_in_ledgers())


def keys_before(cutoff: dt.datetime, size: int) -> Iterator[list[int]]:
    """Keys of the ended calls that began before `cutoff` and still say something of a person, by
    `size`."""
    calls = that_say_something(CallLog.objects.filter(start_time__lt=cutoff))
    ordered = calls.order_by("start_time", "pk").values_list("start_time", "pk")
    after: tuple[dt.datetime, int] | None = None
    while True:
        rest = ordered
        if after is not None:
            start, pk = after
            rest = ordered.filter(start_time__gte=start)
            rest = rest.filter(Q(start_time__gt=start) | Q(pk__gt=pk))
        chunk = list(rest[:size])
        if not chunk:
            return
        after = chunk[-1]
        yield [pk for _start, pk in chunk]
