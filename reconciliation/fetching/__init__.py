"""Asks providers for their call records; one file a provider, found by being there."""

import importlib
import pkgutil
from functools import cache

from calls.models import ProviderAccount
from reconciliation.fetching.base import Fetcher, SignedIn


@cache
def fetchers() -> dict[str, type[Fetcher]]:
    """What fetches, by the kind of account."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = [*Fetcher.__subclasses__(), *SignedIn.__subclasses__()]
    return {one.kind: one for one in sorted(found, key=lambda one: one.kind) if one.kind}


def is_ready(account: ProviderAccount) -> bool:
    """Whether `account` has all that is needed to fetch its records."""
    fetcher = fetchers().get(account.kind)
    return fetcher is not None and not fetcher.lacking(account)


def ready_accounts() -> list[ProviderAccount]:
    """The active accounts whose records can be fetched, by name."""
    kinds = ProviderAccount.objects.filter(is_active=True, kind__in=fetchers())
    return [account for account in kinds.order_by("name") if is_ready(account)]
