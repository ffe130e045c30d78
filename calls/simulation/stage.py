"""Where a simulation plays: an account, and people of its own, all gone afterwards."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from calls.models import (
    CallLog,
    ConversationNumber,
    ProviderAccount,
    ProviderIdentity,
    RawEvent,
    Tombstone,
    WaitingFact,
)
from calls.providers import adapters

_AT_ONCE = 200  # rows that are deleted in one go


@dataclass
class Stage:
    """`agents` are the names by which the account knows the people of the simulation."""

    account: ProviderAccount
    agents: list[str]
    people: list[User]
    is_temporary: bool

    def calls(self, ids: Iterable[str]) -> list[CallLog]:
        """The calls of the account with these provider's ids; of a temporary one, all."""
        rows = CallLog.objects.filter(account=self.account)
        if self.is_temporary:
            return list(rows)
        return [call for part in _parts(ids) for call in rows.filter(provider_call_id__in=part)]

    def clear(
        self, ids: Iterable[str], digests: Iterable[str], conversations: Iterable[str]
    ) -> None:
        """Takes all away again: calls with their ledgers, messages and their numbers, people, a
        temporary account."""
        known = list(ids)
        for part in _parts(str(call.pk) for call in self.calls(known)):
            CallLog.objects.filter(pk__in=part).delete(why=Tombstone.TRIAL)
        for part in _parts(digests):
            RawEvent.objects.filter(account=self.account, digest__in=part).delete()
        waiting = WaitingFact.objects.filter(account=self.account)
        for part in _parts(known):
            waiting.filter(call__in=part).delete()
        numbers = ConversationNumber.objects.filter(account=self.account)
        for part in _parts(conversations):
            numbers.filter(conversation__in=part).delete()
        if self.is_temporary:
            self.account.delete()
        for person in self.people:
            person.delete()


def set_up(
    kind: str, name: str | None, settings: dict[str, Any] | None = None, agents: int = 5
) -> Stage:
    """A stage for phone systems of `kind`: on the account `name`, or on a temporary one.

    The people are inactive, in no team and without any role.
    """
    mark = secrets.token_hex(3)
    account = _account(kind, mark, settings or {}) if name is None else _existing(kind, name)
    stage = Stage(account, [], [], is_temporary=name is None)
    for place in range(agents):
        person = User(username=f"sim-{mark}-{place + 1}", is_active=False)
        person.set_unusable_password()
        person.save()
        identity = ProviderIdentity(account=account, identity=_unused_name(account), user=person)
        identity.save()
        stage.people.append(person)
        stage.agents.append(identity.identity)
    return stage


def _existing(kind: str, name: str) -> ProviderAccount:
    return ProviderAccount.objects.get(kind=kind, name=name)


def _account(kind: str, mark: str, settings: dict[str, Any]) -> ProviderAccount:
    account = ProviderAccount(kind=kind, name=f"sim-{kind}-{mark}", settings=settings)
    for secret in adapters()[kind].secret_names:
        account.add_secret(secret, secrets.token_urlsafe(24))
    account.save()
    return account


def _unused_name(account: ProviderAccount) -> str:
    """Six digits, which any phone system takes for an extension and nobody has."""
    while True:
        name = str(secrets.randbelow(900_000) + 100_000)
        taken = ProviderIdentity.objects.filter(identity=name).exists()
        if not taken and not User.objects.filter(extension=name).exists():
            return name


def _parts(values: Iterable[str]) -> list[list[str]]:
    known = list(values)
    return [known[place : place + _AT_ONCE] for place in range(0, len(known), _AT_ONCE)]
