"""How many of something happened within the period that ends now.

What is let through is kept in groups of a sixtieth of the period, each with the instants of its
first and its last. A group counts until its last is older than the period: a little longer than
exact counting would for the others of it, and never shorter. So no period, wherever it begins, has
more than the limit, and a window is a few numbers however high the limit is. What is refused does
not count, or whoever asks again and again would never be let through.

`common/databases/redis_cache.py` does the same in Redis, where all processes count together.
"""

from dataclasses import dataclass, field
from typing import Final

_GROUPS: Final = 60
_UNITS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True)
class Rate:
    """At most `limit` within any `period` (milliseconds)."""

    limit: int
    period: int

    @classmethod
    def of(cls, text: str) -> "Rate":
        """The rate that is written `1000/h` or `20/10m`."""
        limit, period = text.split("/")
        return cls(int(limit), int(period[:-1] or 1) * _UNITS[period[-1]])

    @property
    def step(self) -> int:
        """Milliseconds from the first of a group to the first of the next."""
        return max(1, self.period // _GROUPS)


@dataclass(frozen=True)
class Usage:
    """What one more came to. `wait`: milliseconds until the oldest that count no longer do;
    `place`: what gives it back."""

    limit: int
    count: int
    is_allowed: bool
    wait: int
    place: int


@dataclass
class Window:
    groups: list[list[int]] = field(default_factory=list)  # [first, last, how many]

    def take(self, rate: Rate, now: int) -> Usage:
        """One more at `now` (milliseconds), if there is room for it."""
        self.groups = [group for group in self.groups if group[1] > now - rate.period]
        count = sum(many for _first, _last, many in self.groups)
        is_allowed = count < rate.limit
        if is_allowed:
            count += 1
            self._add(rate, now)
        first, last = self.groups[-1][0], self.groups[0][1]
        return Usage(rate.limit, count, is_allowed, last + rate.period - now, first)

    def _add(self, rate: Rate, now: int) -> None:
        if not self.groups or now - self.groups[-1][0] >= rate.step:
            self.groups.append([now, now, 0])
        group = self.groups[-1]
        group[1] = max(group[1], now)  # clocks may go back
        group[2] += 1

    def give_back(self, place: int) -> None:
        """As if the one that was let through at `place` had not been."""
        for group in self.groups:
            if group[0] == place:
                group[2] -= 1
        self.groups = [group for group in self.groups if group[2]]
