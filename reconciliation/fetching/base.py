"""What fetches records: a subclass of Fetcher in a module of its own."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from calls.models import ProviderAccount
from calls.providers.base import Unreadable
from calls.providers.reading import instant_of, text
from common.instants import to_ms
from reconciliation.fetching.asking import Expired, Interface

Record = Mapping[str, Any]  # as the provider's interface gives it
_DAY = dt.timedelta(days=1)


class Fetcher:
    """The interface. `needs` and `needs_secrets` name the account's settings and secrets."""

    kind: ClassVar[str] = ""
    format: ClassVar[str] = ""  # of reconciliation.formats, which reads what is fetched
    address: ClassVar[str] = ""  # of the provider's interface
    needs: ClassVar[tuple[str, ...]] = ()
    needs_secrets: ClassVar[tuple[str, ...]] = ()
    longest = 30 * _DAY  # that is asked for at once

    def __init__(self, account: ProviderAccount, interface: Interface):
        self.account, self.interface = account, interface

    @classmethod
    def lacking(cls, account: ProviderAccount) -> list[str]:
        """The names of the settings and secrets that `account` lacks."""
        return [name for name in cls.needs if not text(account.settings.get(name))] + [
            name for name in cls.needs_secrets if not any(account.secrets.get(name, ()))
        ]

    @classmethod
    def base_of(cls, account: ProviderAccount) -> str:
        return (text(account.settings.get("api_address")) or cls.address).rstrip("/")

    def setting(self, name: str) -> str:
        return text(self.account.settings.get(name))

    def secret(self, name: str) -> str:
        """The newest value of a secret."""
        return self.account.secrets[name][0]

    def records(self, since: dt.datetime, until: dt.datetime) -> Iterator[Record]:
        """The records of the calls that began from `since` to before `until`, a page at a time."""
        while since < until:
            end = min(since + self.longest, until)
            yield from self.part(since, end)
            since = end

    def part(self, since: dt.datetime, until: dt.datetime) -> Iterator[Record]:
        """The same of a period that is no longer than `longest`."""
        raise NotImplementedError


class SignedIn(Fetcher):
    """One whose interface wants a token, which is had with the credentials and expires."""

    _token = ""

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """What is at `path`; with a new token where the one we have has expired meanwhile."""
        is_old = bool(self._token)
        self._token = self._token or self.sign_in()
        try:
            return self.interface.get(path, query, {"Authorization": f"Bearer {self._token}"})
        except Expired:
            self._token = ""
            if not is_old:
                raise
            return self.get(path, query)

    def sign_in(self) -> str:
        """A new token."""
        raise NotImplementedError


def link_in(page: Record, name: str) -> str:
    """What leads to the next page; "" on the last. It may be long."""
    link = page.get(name)
    return link if isinstance(link, str) else ""


def began_in(written: Any, since: dt.datetime, until: dt.datetime | None = None) -> bool:
    """Whether an instant is of the period. One that cannot be read is: so it gets to be seen."""
    try:
        began = instant_of(written)[0]
    except Unreadable:
        return True
    return to_ms(since) <= began and (until is None or began < to_ms(until))
