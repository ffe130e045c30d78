"""What the first system's windows read: figures of people, and contacts."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import User
from calls.models import Contact
from common.instants import isoformat
from compat.roles import roles_of
from metrics.definitions import Sums

# The figures of the windows, by the names that programs know; all are made in metrics.definitions.
OF_A_PERSON: Final = (
    *("calls_made", "calls_success", "calls_failed", "avg_call_duration", "success_rate"),
)
OF_A_TEAM: Final = ("calls_made", "calls_success")

NOT_MANAGED: Final = "SIN GESTIONAR"  # of a contact nobody has judged yet, as ours are
LONGEST_NOTE: Final = 2000  # characters, as the windows had them


def rows_of_people(people: Iterable[User], sums: Mapping[int, Sums]) -> list[dict[str, Any]]:
    """The figures of each person of `people`, by the `sums` of their ids."""
    people = list(people)
    roles = roles_of(people)
    contacts = contacts_of(people)
    return [
        {
            "user_id": str(person.pk),
            "username": person.username,
            "role": roles[person.pk],
            "team_name": _("Without a team") if person.team is None else person.team.name,
            "contacts_managed": contacts.get(person.pk, 0),
            **figures(sums.get(person.pk, Sums()), OF_A_PERSON),
        }
        for person in people
    ]


def figures(sums: Sums, names: Iterable[str]) -> dict[str, Any]:
    """Some of the figures as the API writes them."""
    said = sums.as_json()
    return {name: said[name] for name in names}


def contacts_of(people: Iterable[User]) -> dict[int, int]:
    """How many contacts each person owns; who owns none is missing."""
    owned = Contact.objects.filter(owner__in=people).order_by()
    return dict(owned.values_list("owner").annotate(count=Count("pk")))


def contact_body(contact: Contact) -> dict[str, Any]:
    """A contact as the windows keep it, by its id: the one that calls name it by."""
    note = contact.notes[:LONGEST_NOTE]
    return {
        "id": public_id(contact),
        "phone": contact.phone,
        "name": contact.name,
        "note": note,
        "notes": note,  # some of the windows read it by this name
        "status": NOT_MANAGED,
        "company": contact.company,
        "numbers": [number for number, _kind in contact.numbered],
        "created_at": isoformat(contact.created_at),
    }


def public_id(contact: Contact) -> str:
    """As `contact_id` of its calls."""
    return contact.external_id or str(contact.pk)
