"""How much of the talk time of a period the phone systems' records confirm: in all, by team, agent
and day."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from accounts.models import User
from calls import timeline
from common.periods import Period
from metrics.dashboard.figures import Figures, Stretch, figures_from, read_since
from metrics.dashboard.tables import MOST_ROWS
from metrics.definitions import Sums
from metrics.exports.period_report import PeriodReport, ReportLine, report_with_days
from metrics.models import DailyMetrics
from reconciliation.dashboard.visible import begun_within, records_visible_to
from reconciliation.models import ProviderRecord

HEIGHT: Final = 100  # of the drawing of the days, in its own units
_LEVELS: Final = (0, 50, 90, 99.5)  # up to how many percent a day has the next darker colour
_STRIP_DAYS: Final = 31  # more days than these are no longer seen beside a name


@dataclass(frozen=True)
class Share:
    """Talk time in seconds, and how much of it is confirmed."""

    seconds: int
    confirmed: int

    @classmethod
    def of(cls, sums: Sums) -> "Share":
        return cls(sums.total_talk_time, sums.confirmed_seconds)

    @property
    def percent(self) -> float | None:
        """Not 100.0 before everything is."""
        if not self.seconds:
            return None
        rounded = round(self.confirmed * 100 / self.seconds, 1)
        return rounded if self.confirmed >= self.seconds else min(rounded, 99.9)

    @property
    def level(self) -> int:
        """0 (nobody spoke) to 5 (all of it is confirmed)."""
        if self.percent is None:
            return 0
        return 1 + sum(self.percent > most for most in _LEVELS)


@dataclass(frozen=True)
class Bar:
    """A stretch of days in the drawing. Heights are of HEIGHT; y grows downwards."""

    stretch: Stretch
    share: Share
    x: int
    height: int
    confirmed_height: int

    @property
    def y(self) -> int:
        return HEIGHT - self.height

    @property
    def confirmed_y(self) -> int:
        return HEIGHT - self.confirmed_height

    @property
    def is_one_day(self) -> bool:
        return self.stretch.first == self.stretch.last


@dataclass(frozen=True)
class Line:
    """A team's or an agent's share; `query` is how the pages of calls and of differences know them
    and the period, `days` are those of an agent."""

    name: str
    query: str
    share: Share
    differences: int
    team: str = ""
    days: Sequence[tuple[dt.date, Share]] = ()

    @property
    def confirmed_query(self) -> str:
        return f"{self.query}&evidence={timeline.RECORD}" if self.query else ""


@dataclass(frozen=True)
class Confirmed:
    """What the page shows of a period."""

    share: Share
    bars: list[Bar]
    teams: list[Line]
    agents: list[Line]
    differences: int
    has_strips: bool

    @property
    def width(self) -> int:
        return 10 * len(self.bars)


def confirmed_of(viewer: User, period: Period, *, with_all: bool = False) -> Confirmed:
    """The shares of the people whom `viewer` may see. `with_all`: the days of every agent, not only
    of those whom a page shows at first."""
    report, by_day = report_with_days(viewer, period, read_since(period))
    figures = figures_from(by_day, period, report.before)
    differences = _open_differences(viewer, period)
    shown = report.agents if with_all else report.agents[:MOST_ROWS]
    days = _days_of([line.keys["user_id"] for line in shown], period)
    return Confirmed(
        share=Share.of(report.sums),
        bars=_bars(figures),
        teams=list(_teams(report, differences, period)),
        agents=[_agent(line, differences, period, days) for line in report.agents],
        differences=differences.total(),
        has_strips=bool(days),
    )


def _bars(figures: Figures) -> list[Bar]:
    shares = [Share.of(one.sums) for one in figures.stretches]
    most = max((share.seconds for share in shares), default=0)
    return [
        Bar(
            stretch,
            share,
            number * 10 + 1,
            _height(share.seconds, most),
            _height(share.confirmed, most),
        )
        for number, (stretch, share) in enumerate(zip(figures.stretches, shares, strict=True))
    ]


def _height(value: int, most: int) -> int:
    """At least a line for what is not nothing."""
    return max(1, value * HEIGHT // most) if value else 0


def _open_differences(viewer: User, period: Period) -> "Counter[int | None]":
    """How many differences of the period are open, by agent."""
    records = records_visible_to(viewer).filter(outcome=ProviderRecord.DIFFERENT)
    agents = begun_within(records, period.first, period.last).values_list("call__user", flat=True)
    return Counter(agents.order_by())


def _days_of(people: list[int], period: Period) -> dict[int, list[tuple[dt.date, Share]]]:
    """Day by day, where the days can still be told apart; without those that have no calls."""
    if not 1 < period.days <= _STRIP_DAYS:
        return {}
    rows = DailyMetrics.objects.filter(user__in=people, day__range=(period.first, period.last))
    columns = rows.order_by().values_list("user", "day", "total_talk_time", "confirmed_seconds")
    found = {(user, day): Share(seconds, sure) for user, day, seconds, sure in columns}
    days = [period.first + dt.timedelta(days=number) for number in range(period.days)]
    return {pk: [(day, found.get((pk, day), Share(0, 0))) for day in days] for pk in people}


def _teams(
    report: PeriodReport, differences: "Counter[int | None]", period: Period
) -> Iterator[Line]:
    counts: Counter[str] = Counter()
    for agent in report.agents:
        counts[agent.team] += differences[agent.keys["user_id"]]
    for line in report.teams:
        key, name = line.keys["team_id"], line.keys["name"] or ""
        query = _query({"team": key}, period) if key else ""
        yield Line(line.name, query, Share.of(line.sums), counts[name])


def _agent(
    line: ReportLine,
    differences: "Counter[int | None]",
    period: Period,
    days: Mapping[int, Sequence[tuple[dt.date, Share]]],
) -> Line:
    user = line.keys["user_id"]
    return Line(
        line.name,
        _query({"agent": line.keys["username"]}, period),
        Share.of(line.sums),
        differences[user],
        line.team,
        days.get(user, ()),
    )


def _query(whose: Mapping[str, Any], period: Period) -> str:
    return urlencode({**whose, **period.parameters})


def most_of(bars: Iterable[Bar]) -> int:
    """The longest talk time that a bar stands for, in seconds."""
    return max((bar.share.seconds for bar in bars), default=0)
