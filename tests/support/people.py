"""The people of every test: two teams, one supervisor each, one administrator."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import Group

from accounts import roles
from accounts.models import ApiKey, Team, User
from calls import services, timeline
from calls.models import CallLog, ProviderAccount, ProviderIdentity
from common.instants import day_start, now, to_ms, today

PASSWORD = "correct horse battery"
HASHED = MD5PasswordHasher().encode(PASSWORD, "salt")  # once: every test makes all of them anew


@dataclass
class People:
    red: Team
    blue: Team
    alice: User  # agent, red
    bob: User  # agent, red
    carol: User  # agent, blue
    sue: User  # supervisor of red
    sam: User  # supervisor of blue
    ada: User  # administrator


def make_users(people: dict[str, tuple[str, Team | None]], **fields: Any) -> dict[str, User]:
    """People by username, of a role and perhaps a team each."""
    groups = {group.name: group for group in Group.objects.all()}
    users = {
        name: User(
            username=name,
            password=HASHED,
            first_name=name.title(),
            team=team,
            **fields,
        )
        for name, (_, team) in people.items()
    }
    User.objects.bulk_create(users.values())
    belongs = User.groups.through
    belongs.objects.bulk_create(
        belongs(user=users[name], group=groups[role]) for name, (role, _) in people.items()
    )
    return users


def make_user(username: str, role: str, team: Team | None = None, **fields: Any) -> User:
    return make_users({username: (role, team)}, **fields)[username]


def make_people() -> People:
    red, blue = Team.objects.bulk_create([Team(name="Red"), Team(name="Blue")])
    users = make_users(
        {
            "alice": (roles.AGENT, red),
            "bob": (roles.AGENT, red),
            "carol": (roles.AGENT, blue),
            "sue": (roles.SUPERVISOR, None),
            "sam": (roles.SUPERVISOR, None),
            "ada": (roles.ADMIN, None),
        }
    )
    supervises = Team.supervisors.through
    supervises.objects.bulk_create(
        [
            supervises(team=red, user=users["sue"]),
            supervises(team=blue, user=users["sam"]),
        ]
    )
    return People(red=red, blue=blue, **users)


def make_pbx(people: People, kind: str, **settings: str) -> ProviderAccount:
    """A phone system that knows Alice as 1001 and Bob as 1002."""
    account = ProviderAccount.objects.create(kind=kind, name="pbx", settings=settings)
    for identity, user in (("1001", people.alice), ("1002", people.bob)):
        ProviderIdentity.objects.create(account=account, identity=identity, user=user)
    return account


def yesterday_noon() -> int:
    """In epoch ms: from there on no test runs into midnight."""
    return to_ms(day_start(today()) - dt.timedelta(hours=12))


def key_of(user: User) -> str:
    return ApiKey.issue(user)[1]


def make_call(
    user: User,
    seconds: float = 60,
    *,
    ago: float = 3600,
    status: str = timeline.COMPLETED,
    **start: Any,
) -> CallLog:
    """A call of `user` that began `ago` seconds ago and lasted `seconds`, through the services."""
    begun = now() - dt.timedelta(seconds=ago)
    call, _ = services.start_call(
        user, reported=services.ReportedTime(begun, explicit=True), **start
    )
    ended = services.ReportedTime(begun + dt.timedelta(seconds=seconds), explicit=True)
    return services.end_call(call.call_id, user, status=status, reported=ended)


def many_calls(user: User, count: int, **fields: Any) -> None:
    """`count` plain rows like a call of `user`, apart from `fields`, and that call itself."""
    pattern = make_call(user)
    unlike = {"id", "call_id", *fields}
    names = [f.attname for f in CallLog._meta.concrete_fields if f.attname not in unlike]
    fields |= {name: getattr(pattern, name) for name in names}
    CallLog.objects.bulk_create([CallLog(**fields) for _ in range(count)], batch_size=1000)
