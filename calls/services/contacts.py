"""What becomes of calls when their contacts are saved, merged, or known at last.

A call's contact follows from its number and may be assigned at any time: the ledger keeps the
number as it was told.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import VIEW_ALL_CALLS
from calls.errors import BadCallData
from calls.models import CallLog, Contact, ContactImport, ContactNumber
from calls.models.contact_number import Numbered

_BATCH: Final = 2000


def save_number(call: CallLog, actor: User, name: str, company: str, kind: str) -> Contact:
    """Makes a contact of the number of `call`, whom nobody knows yet; earlier calls have it too.

    Where `actor` may see a contact with this number already, it is that one: doing it twice is
    once. It is the agent's own, or their team's if somebody else saves it. Raises BadCallData.
    """
    if call.user is None or not call.phone_line:
        raise BadCallData(_("This call has no number that can be saved."), "phone")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=call.user.pk)  # two clicks are one
        contact = Contact.objects.visible_to(actor).on_line(call.phone_line).first()
        if contact is None:
            own = actor.pk == call.user_id or call.user.team_id is None
            contact = Contact(
                name=name,
                company=company,
                owner=call.user if own else None,
                team=None if own else call.user.team,
            )
            contact.set_numbers([(call.phone_e164 or call.contact_phone, kind)])
        link_calls(contact)
    return contact


def link_calls(contact: Contact) -> int:
    """Gives the calls with one of its numbers that are with nobody known to `contact`, where their
    agents may see it; how many there were."""
    lines = [number.line for number in contact.numbers.all()]
    calls = CallLog.objects.filter(phone_line__in=lines, contact=None).exclude(phone_line="")
    return calls.filter(_agents_who_see(contact)).update(contact=contact)


def link_calls_of(contacts: Sequence[int]) -> None:
    """The same for many contacts by their keys, few of whom anybody has spoken with."""
    for start in range(0, len(contacts), _BATCH):
        numbers = ContactNumber.objects.filter(contact__in=contacts[start : start + _BATCH])
        calls = CallLog.objects.filter(phone_line__in=numbers.values("line"), contact=None)
        lines = set(calls.exclude(phone_line="").order_by().values_list("phone_line", flat=True))
        # Of two with one number the first, as for calls that come.
        spoken_with = (
            numbers.filter(line__in=lines).select_related("contact").order_by("contact_id")
        )
        for number in spoken_with if lines else ():
            link_calls(number.contact)


def _agents_who_see(contact: Contact) -> Q:
    if contact.owner_id is None and contact.team_id is None:
        return Q(user__isnull=False)
    everywhere = User.objects.with_perm(VIEW_ALL_CALLS).values("pk")
    rule = Q(user__in=everywhere)
    if contact.owner_id is not None:
        rule |= Q(user=contact.owner_id)
    if contact.team_id is not None:
        watching = User.objects.filter(supervised_teams=contact.team_id).values("pk")
        members = User.objects.filter(team=contact.team_id).values("pk")
        rule |= Q(user__in=members) | Q(user__in=watching)
    return rule


def save_contact(contact: Contact, numbers: Iterable[Numbered]) -> Contact:
    """Saves `contact` with these numbers, the first of which is preferred; calls with a number that
    is new get their name."""
    with transaction.atomic():
        contact.set_numbers(numbers)
        link_calls(contact)
    return contact


def merge(kept: Contact, other: Contact) -> Contact:
    """Makes one contact of two: `kept` has the numbers and calls of both, and what it lacks of
    `other`, which goes. Whose it is stays. Raises BadCallData for a contact and itself."""
    if kept.pk == other.pk:
        raise BadCallData(_("A contact cannot be merged with itself."), "other")
    with transaction.atomic():
        ContactImport.objects.let_go(kept.pk, other.pk)  # first, as taking it back locks it first
        ids = sorted([kept.pk, other.pk])
        both = {c.pk: c for c in Contact.objects.select_for_update().filter(pk__in=ids)}
        if len(both) < 2:
            raise BadCallData(_("One of the two is gone. Nothing was changed."), "other")
        kept, other = both[kept.pk], both[other.pk]
        numbers = [*kept.numbered, *other.numbered]
        other.leave_reference()
        other.calls.update(contact=kept)
        other.delete()
        kept.company = kept.company or other.company
        kept.external_id = kept.external_id or other.external_id
        kept.notes = "\n\n".join(filter(None, dict.fromkeys([kept.notes, other.notes])))
        return save_contact(kept, numbers)
