"""The bill of a period: what calls cost by our price lists, beside what the providers bill."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from accounts.models import User
from calls.models import ProviderAccount
from common.periods import Period
from reconciliation.billing.calls import Billed, billed_calls, count_of, told_prices
from reconciliation.billing.countries import Countries
from reconciliation.billing.tariff import Rate, Tariff
from reconciliation.models import PriceList

_DAY = dt.timedelta(days=1)
_UNPRICED_DIGITS = 5  # of a number without a price, that are told
REST = "…"  # all other beginnings
MOST_UNPRICED = 1000  # beginnings of numbers; beyond them they are told together


@dataclass
class Sums:
    """Calls, billed seconds and amount by our lists; calls and amount by the provider."""

    calls: int = 0
    seconds: int = 0
    amount: Decimal = Decimal()
    told_calls: int = 0
    told_amount: Decimal = Decimal()

    @property
    def difference(self) -> Decimal:
        """What the provider bills above our lists."""
        return self.told_amount - self.amount

    @property
    def more_calls(self) -> int:
        """How many calls more the provider bills."""
        return self.told_calls - self.calls

    @property
    def fewer_calls(self) -> int:
        return -self.more_calls

    def add(self, calls: int, seconds: int, cost: Decimal) -> None:
        self.calls += calls
        self.seconds += seconds
        self.amount += cost

    def add_told(self, amount: Decimal) -> None:
        self.told_calls += 1
        self.told_amount += amount


def _sums() -> dict[tuple[object, str], Sums]:
    return defaultdict(Sums)


@dataclass
class Unpriced:
    """Calls whose numbers begin alike and that have no price."""

    calls: int = 0
    seconds: int = 0

    def add(self, calls: int, seconds: int) -> None:
        self.calls += calls
        self.seconds += seconds


@dataclass
class Bill:
    """Sums by thing and currency: never are two currencies added. `unpriced` are calls to or from
    numbers that a price list does not know, `unlisted` those of days without a price list."""

    total: dict[str, Sums] = field(default_factory=lambda: defaultdict(Sums))
    accounts: dict[tuple[object, str], Sums] = field(default_factory=_sums)
    agents: dict[tuple[object, str], Sums] = field(default_factory=_sums)
    countries: dict[tuple[object, str], Sums] = field(default_factory=_sums)
    unpriced: dict[tuple[str, str, str], Unpriced] = field(
        default_factory=lambda: defaultdict(Unpriced)
    )  # by account, country and beginning of the number
    unlisted: dict[str, Unpriced] = field(default_factory=lambda: defaultdict(Unpriced))
    has_told: bool = False

    def sums_of(self, account: str, agent: int | None, country: str, currency: str) -> list[Sums]:
        return [
            self.total[currency],
            self.accounts[account, currency],
            self.agents[agent, currency],
            self.countries[country, currency],
        ]

    def without_price(self, account: str, country: str, line: str, seconds: int) -> None:
        key = account, country, line[: _UNPRICED_DIGITS + 1]
        if key not in self.unpriced and len(self.unpriced) >= MOST_UNPRICED:
            key = account, country, REST
        self.unpriced[key].add(1, seconds)


def bill_of(viewer: User, accounts: Iterable[ProviderAccount], period: Period) -> Bill:
    """One pass over the calls and one over the records of each account, in bounded memory."""
    bill, countries = Bill(), Countries()
    for account in accounts:
        for tariff, first, last in tariffs_of(account, period.first, period.last):
            if tariff is None:
                counted = count_of(viewer, account, first, last)
                if counted[0]:
                    bill.unlisted[account.name].add(*counted)
            else:
                calls = billed_calls(viewer, account, first, last)
                _add_calls(bill, countries, account.name, tariff, calls)
        for agent, _way, line, price, currency in told_prices(account, period.first, period.last):
            bill.has_told = True
            for sums in bill.sums_of(account.name, agent, countries.of(line), currency):
                sums.add_told(price)
    return bill


def _add_calls(
    bill: Bill, countries: Countries, account: str, tariff: Tariff, calls: Iterable[Billed]
) -> None:
    """Counts steps and multiplies once: a million calls take seconds."""
    rate_for = lru_cache(maxsize=2**16)(tariff.rate_for)
    counts: dict[tuple[int | None, str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for agent, way, line, seconds in calls:
        rate = rate_for(line[1 : tariff.longest + 1], way)
        country = countries.of(line)
        if rate is None:
            bill.without_price(account, country, line, seconds)
            continue
        counted = counts[agent, country, rate.prefix, rate.direction]
        counted[0] += 1
        counted[1] += seconds
        counted[2] += rate.steps(seconds)
    for (agent, country, prefix, way), (number, seconds, steps) in counts.items():
        rate = rate_for(prefix, way)
        assert rate is not None
        cost = rate.cost_of(number, steps)
        for sums in bill.sums_of(account, agent, country, tariff.currency):
            sums.add(number, seconds, cost)


def tariffs_of(
    account: ProviderAccount, first: dt.date, last: dt.date
) -> Iterator[tuple[Tariff | None, dt.date, dt.date]]:
    """Which tariff holds on which of the local days first..last; None where there is none."""
    lists = PriceList.objects.filter(account=account, valid_from__lte=last).order_by("valid_from")
    known = [(one.valid_from, one.currency, one.rates) for one in lists]
    begun = [place for place, (since, *_rest) in enumerate(known) if since <= first]
    earlier = known[begun[-1]] if begun else None
    spans = [(first, earlier)] + [(one[0], one) for one in known if one[0] > first]
    for place, (since, found) in enumerate(spans):
        until = spans[place + 1][0] - _DAY if place + 1 < len(spans) else last
        tariff = Tariff(found[1], map(Rate.of, found[2])) if found else None
        yield tariff, since, until
