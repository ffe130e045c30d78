"""The bill as lines that people read: named, sorted, and where each leads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.people import people_of
from common.text import name_key
from reconciliation.billing.bill import REST, Bill, Sums, Unpriced
from reconciliation.billing.countries import name_of


@dataclass(frozen=True)
class BillLine:
    """What one account, agent or country costs in one currency. `query` are its calls."""

    name: str
    currency: str
    sums: Sums
    query: str = ""


@dataclass(frozen=True)
class UnpricedLine:
    """Calls without a price. `beginning` is that of their numbers; "" where no number is known,
    and of those that are too many to be told each."""

    account: str
    country: str
    beginning: str
    calls: Unpriced
    query: str
    is_rest: bool


def totals_of(bill: Bill) -> list[BillLine]:
    return [BillLine("", currency, sums) for currency, sums in sorted(bill.total.items())]


def tables_of(bill: Bill) -> dict[str, list[BillLine]]:
    """The lines of accounts, agents and countries, by name."""
    people = {
        person.pk: (person.display_name, urlencode({"agent": person.username}))
        for person in people_of(User.objects.filter(pk__in={who for who, _c in bill.agents if who}))
    }
    language = get_language() or "en"
    return {
        "accounts": _lines(bill.accounts, lambda name: (name, urlencode({"provider": name}))),
        "agents": _lines(bill.agents, lambda who: people.get(who) or (_("nobody known"), "")),
        "countries": _lines(bill.countries, lambda region: (_country(str(region), language), "")),
    }


def _lines(
    found: dict[tuple[object, str], Sums], named: Callable[[Any], tuple[str, str]]
) -> list[BillLine]:
    lines = []
    for (thing, currency), sums in found.items():
        name, query = named(thing)
        lines.append(BillLine(name, currency, sums, query))
    return sorted(lines, key=lambda line: (name_key(line.name), line.currency))


def _country(region: str, language: str) -> str:
    return name_of(region, language) if region else _("no country known")


def unpriced_of(bill: Bill) -> list[UnpricedLine]:
    """Calls whose numbers no price list knows, those that are most first."""
    language = get_language() or "en"
    lines = [
        UnpricedLine(
            account,
            _country(region, language),
            "" if beginning == REST else beginning,
            calls,
            urlencode({"provider": account, "search": beginning.removeprefix("+")}),
            beginning == REST,
        )
        for (account, region, beginning), calls in bill.unpriced.items()
    ]
    return sorted(lines, key=lambda line: (-line.calls.calls, line.account, line.beginning))
