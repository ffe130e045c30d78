"""The people, teams and contacts of the demo organisation."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from accounts import roles
from accounts.models import Team, User
from calls.models import Contact, ContactNumber, Disposition, NumberKind
from calls.models.contact_number import Numbered
from metrics.demo import names

PASSWORD = "demo"
_WITH_SECOND_NUMBER: Final = 0.3
FIRST_EXTENSION = 1001
CONTACTS_PER_TEAM = 100
# What Costa Rican numbers begin with: fixed lines with 2, mobiles with the others.
_FIRST_DIGITS = "2245667788"

# Code, in Spanish, in English; in the order of the keys 1 to 6.
_OUTCOMES = (
    ("sale", "Venta", "Sale"),
    ("interested", "Interesado", "Interested"),
    ("call-back", "Volver a llamar", "Call back"),
    ("not-interested", "No interesado", "Not interested"),
    ("voicemail", "Buzón de voz", "Voicemail"),
    ("wrong-number", "Número equivocado", "Wrong number"),
)


@dataclass
class Organisation:
    """Who there is, as stored: the agents in order, and the contacts of each agent's team."""

    agents: list[User] = field(default_factory=list)
    contacts: dict[int, list[Contact]] = field(default_factory=dict)

    def contacts_of(self, agent: User) -> list[Contact]:
        assert agent.team_id is not None
        return self.contacts[agent.team_id]


def make_organisation(
    rng: random.Random, teams: int, agents: int, joined: dt.datetime
) -> Organisation:
    """Makes (or finds, after an interrupted start) everybody; `joined` is their date_joined."""
    stored_teams = _make_teams(teams)
    people = _make_people(rng, stored_teams, agents, joined)
    _give_supervisors(stored_teams, people)
    _make_outcomes()
    organisation = Organisation(agents=people[:agents])
    for contact in _make_contacts(rng, stored_teams):
        organisation.contacts.setdefault(contact.team_id or 0, []).append(contact)
    return organisation


def _make_outcomes() -> None:
    rows = [
        Disposition(code=code, label_es=spanish, label_en=english, order=place)
        for place, (code, spanish, english) in enumerate(_OUTCOMES, start=1)
    ]
    Disposition.objects.bulk_create(rows, ignore_conflicts=True)


def deal(agents: int, teams: int) -> Iterator[int]:
    """The team number (from 0) of each agent: blocks, as even as can be, the extra ones first."""
    size, extra = divmod(agents, teams)
    for team in range(teams):
        for _ in range(size + (team < extra)):
            yield team


def mobile_or_fixed(rng: random.Random) -> str:
    """A plausible Costa Rican number, E.164."""
    return f"+506{rng.choice(_FIRST_DIGITS)}{rng.randrange(10**7):07d}"


def _make_teams(count: int) -> list[Team]:
    wanted = [*names.TEAMS, *(f"Equipo {n + 1}" for n in range(len(names.TEAMS), count))]
    return [Team.objects.get_or_create(name=name)[0] for name in wanted[:count]]


def _make_people(
    rng: random.Random, teams: list[Team], agents: int, joined: dt.datetime
) -> list[User]:
    """Agents, then the two supervisors and the administrator."""
    called = _full_names(rng)
    password = make_password(PASSWORD)  # hashed once: hashing is slow on purpose

    def person(username: str, **fields: object) -> User:
        first, last = next(called)
        return User(
            username=username,
            first_name=first,
            last_name=last,
            email=f"{username}@example.com",
            password=password,
            date_joined=joined,
            **fields,
        )

    users = [
        person(f"agent{n + 1}", team=teams[team], extension=str(FIRST_EXTENSION + n))
        for n, team in enumerate(deal(agents, len(teams)))
    ]
    users += [person("supervisor1"), person("supervisor2")]
    users.append(person("admin", is_staff=True, is_superuser=True))
    User.objects.bulk_create(users, ignore_conflicts=True)
    stored = {u.username: u for u in User.objects.filter(username__in=[u.username for u in users])}
    people = [stored[user.username] for user in users]
    _give_roles(people, agents)
    return people


def _give_roles(people: list[User], agents: int) -> None:
    groups = {group.name: group for group in Group.objects.filter(name__in=roles.ROLES)}
    role_names = [roles.AGENT] * agents + [roles.SUPERVISOR] * 2 + [roles.ADMIN]
    membership = User.groups.through
    membership.objects.bulk_create(
        [
            membership(user=person, group=groups[name])
            for person, name in zip(people, role_names, strict=True)
        ],
        ignore_conflicts=True,
    )


def _give_supervisors(teams: list[Team], people: list[User]) -> None:
    first, second = people[-3], people[-2]
    first.supervised_teams.set(teams[:2])
    second.supervised_teams.set(teams[2:])


def _make_contacts(rng: random.Random, teams: list[Team]) -> list[Contact]:
    called = _full_names(rng)
    contacts = []
    for number in range(CONTACTS_PER_TEAM * len(teams)):
        first, last = next(called)
        contacts.append(
            Contact(
                name=f"{first} {last}",
                phone=mobile_or_fixed(rng),
                company=rng.choice(names.COMPANIES),
                external_id=f"contact_{number + 1}",
                team=teams[number // CONTACTS_PER_TEAM],
            )
        )
    for contact in contacts:
        contact.fold()
    Contact.objects.bulk_create(contacts, ignore_conflicts=True)
    wanted = [contact.external_id for contact in contacts]
    stored = Contact.objects.filter(external_id__in=wanted).order_by("pk")
    alone = stored.filter(numbers__isnull=True)
    spare = random.Random("second numbers")  # apart from what the seed decides
    ContactNumber.objects.add({c.pk: _numbers_of(c, spare) for c in alone})
    return list(stored)


def _numbers_of(contact: Contact, rng: random.Random) -> list[Numbered]:
    """The contact's number and, of some, a second one."""
    phones = [contact.phone]
    if rng.random() < _WITH_SECOND_NUMBER:
        phones.append(mobile_or_fixed(rng))
    return [
        (phone, NumberKind.WORK if phone.startswith("+5062") else NumberKind.MOBILE)
        for phone in phones
    ]


def _full_names(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Endless; without repetition as long as there are fresh combinations."""
    while True:
        firsts = rng.sample(names.FIRST_NAMES, len(names.FIRST_NAMES))
        lasts = rng.sample(names.LAST_NAMES, len(names.LAST_NAMES))
        for shift in range(len(lasts)):
            for place, first in enumerate(firsts):
                yield (
                    first,
                    (f"{lasts[(place + shift) % len(lasts)]} {rng.choice(names.LAST_NAMES)}"),
                )
