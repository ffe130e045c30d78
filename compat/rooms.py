"""Who hears of a contact: the people who may see it, as `Contact.objects.visible_to` says."""

from typing import Any, Final

from accounts.models import User
from calls.models import Contact
from metrics.live import rooms

ALL_CONTACTS: Final = "contacts"
NOBODYS_CONTACTS: Final = "contacts:nobody"


def contacts_of_user(user_id: int) -> str:
    return f"contacts:user:{user_id}"


def contacts_of_team(team_id: int) -> str:
    return f"contacts:team:{team_id}"


def rooms_of(user: User) -> list[str]:
    """The rooms in which a desktop program of `user` sits: those of calls and of contacts."""
    return [*rooms.rooms_of(user), *_contact_rooms_of(user)]


def _contact_rooms_of(user: User) -> list[str]:
    if user.scope.everyone:
        return [ALL_CONTACTS]
    teams = set(user.scope.team_ids) | ({user.team_id} if user.team_id else set())
    of_teams = map(contacts_of_team, sorted(teams))
    return [NOBODYS_CONTACTS, contacts_of_user(user.pk), *of_teams]


def addressed(contact: Contact, event: dict[str, Any]) -> list[tuple[list[str], dict[str, Any]]]:
    """`event` about `contact`, with the rooms that hear it. An owner hears it as the owner, so the
    team hears it `besides` them: each person once."""
    if contact.owner_id is None and contact.team_id is None:
        return [([ALL_CONTACTS, NOBODYS_CONTACTS], event)]
    told = [([ALL_CONTACTS], event)]
    if contact.owner_id is not None:
        told[0][0].append(contacts_of_user(contact.owner_id))
    if contact.team_id is not None:
        rooms_of_team = [contacts_of_team(contact.team_id)]
        told.append((rooms_of_team, event | {"besides": contact.owner_id}))
    return told
