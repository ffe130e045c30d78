"""What a call costs by a price list. Pure: a number, a direction and seconds give an amount.

    steps = ceil(billed seconds / step), at least one
    cost  = connection + per_minute x steps x step / 60

Billed seconds are those from the answer to the end, holds included, in whole seconds as phone
systems count them (62.9 s are 62). Of several rates the one with the longest prefix holds, and of
two with the same prefix the one for that direction. Amounts are decimal and are not rounded here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_MINUTE = Decimal(60)


@dataclass(frozen=True)
class Rate:
    """`prefix`: the first digits of an E.164 number after its +, "" for all others; `direction`:
    outbound, inbound, or "" for both; `step`: seconds that are billed as a whole."""

    prefix: str
    direction: str
    per_minute: Decimal
    connection: Decimal = Decimal()
    step: int = 60

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Rate":
        """As a price list keeps it."""
        return cls(
            str(kept["prefix"]),
            str(kept["direction"]),
            Decimal(kept["per_minute"]),
            Decimal(kept["connection"]),
            int(kept["step"]),
        )

    @property
    def kept(self) -> dict[str, Any]:
        return {
            "prefix": self.prefix,
            "direction": self.direction,
            "per_minute": f"{self.per_minute:f}",  # ten is 10, never 1E+1
            "connection": f"{self.connection:f}",
            "step": self.step,
        }

    def steps(self, seconds: int) -> int:
        """How many steps an answered call of so many billed seconds has begun."""
        return max(1, -(-seconds // self.step))

    def cost_of(self, calls: int, steps: int) -> Decimal:
        """Of so many answered calls that have begun `steps` steps together."""
        return self.connection * calls + self.per_minute * steps * self.step / _MINUTE

    def cost(self, seconds: int) -> Decimal:
        """Of one answered call of so many billed seconds."""
        return self.cost_of(1, self.steps(seconds))


class Tariff:
    """The rates that hold from a day on, in one currency."""

    def __init__(self, currency: str, rates: Iterable[Rate]):
        self.currency = currency
        self._rates = {(rate.prefix, rate.direction): rate for rate in rates}
        self.longest = max((len(prefix) for prefix, _ in self._rates), default=0)

    def rate_for(self, digits: str, direction: str) -> Rate | None:
        """What holds for a number, given as its digits after the +; None where nothing does."""
        for length in range(min(self.longest, len(digits)), -1, -1):
            for way in (direction, ""):
                rate = self._rates.get((digits[:length], way))
                if rate is not None:
                    return rate
        return None
