"""The report of a period: the whole, team by team, agent by agent, day by day."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from accounts.models import User, UserQuerySet
from accounts.people import Person, people_of
from calls.history.fields import NO_TEAM
from common.formats.period_words import period_before_in_words, period_in_words
from common.instants import today
from common.periods import Period
from common.text import name_key
from metrics.definitions import IN_REPORTS, Sums
from metrics.exports.document import DAY, Document, Head, Sheet, kind_of, made_by
from metrics.rollups.daily import sums_by
from metrics.rollups.part_of_day import sums_before, sums_within
from metrics.rollups.shared_calls import SumsBy, shared_parts_of

HEIGHT: Final = 100  # of the drawing of the days, in its own units
# The figures of a line, in order; an average or the like over no calls is nothing.
SUM_HEADS: Final = tuple(Head(f.name, f.short_label, kind_of(f)) for f in IN_REPORTS)


@dataclass(frozen=True)
class ReportLine:
    """One team's, agent's or day's figures; `keys` say whose, as programs read it."""

    keys: dict[str, Any]
    name: Any
    sums: Sums
    team: str = ""

    @property
    def figures(self) -> list[Any]:
        """In the order of SUM_HEADS."""
        return figures_in_order(self.sums)

    @property
    def whose(self) -> str:
        """Which of the period's calls these are, as the history reads it."""
        if "day" in self.keys:
            return urlencode({"start_date": self.keys["day"], "end_date": self.keys["day"]})
        if "username" in self.keys:
            return urlencode({"agent": self.keys["username"]})
        return urlencode({"team": self.keys["team_id"] or NO_TEAM})

    def as_json(self) -> dict[str, Any]:
        return self.keys | self.sums.as_json()


@dataclass(frozen=True)
class Bar:
    """A day of the drawing; y grows downwards."""

    day: dt.date
    made: int
    x: int
    good: int
    failed: int

    @property
    def good_y(self) -> int:
        return HEIGHT - self.good

    @property
    def failed_y(self) -> int:
        return self.good_y - self.failed


@dataclass(frozen=True)
class PeriodReport:
    """What the people whom the viewer may see did in a period, and in the one before."""

    period: Period
    sums: Sums
    before: Sums
    teams: list[ReportLine]
    agents: list[ReportLine]
    days: list[ReportLine]

    @property
    def bars(self) -> list[Bar]:
        most = max((line.sums.calls_made for line in self.days), default=0) or 1
        return [
            Bar(
                line.name,
                line.sums.calls_made,
                number * 10 + 1,
                line.sums.calls_success * HEIGHT // most,
                line.sums.calls_failed * HEIGHT // most,
            )
            for number, line in enumerate(self.days)
        ]

    @property
    def width(self) -> int:
        return len(self.days) * 10


def figures_in_order(sums: Sums) -> list[Any]:
    return [figure.of(sums) if figure.has_value(sums) else None for figure in IN_REPORTS]


def report_of(viewer: User, period: Period) -> PeriodReport:
    """The report of the people whom `viewer` may see; five queries."""
    return report_with_days(viewer, period, period.previous_first)[0]


def report_with_days(viewer: User, period: Period, since: dt.date) -> tuple[PeriodReport, SumsBy]:
    """The same, and the sums of each day from `since` on, which is not after the period before."""
    return report_of_people(User.objects.visible_to(viewer), period, since)


def report_of_people(
    people: UserQuerySet, period: Period, since: dt.date
) -> tuple[PeriodReport, SumsBy]:
    """The same of `people` alone."""
    parts = shared_parts_of(people, since, period.last)
    by_person = sums_by("user", people, period.first, period.last, parts)
    known = [
        person
        for person in people_of(people.order_by("username"))
        if person.pk in by_person or (person.is_active and person.team_id)
    ]
    agents = [_of_person(person, by_person.get(person.pk, Sums())) for person in known]
    by_day = sums_by("day", people, since, period.last, parts)
    report = PeriodReport(
        period=period,
        sums=by_person.total,
        before=sums_before(by_day, period, sums_within(people)),
        teams=_teams(known, by_person),
        agents=sorted(agents, key=lambda line: (name_key(line.team), name_key(line.name))),
        days=list(_days(period, by_day)),
    )
    return report, by_day


def _of_person(person: Person, sums: Sums) -> ReportLine:
    keys = {
        "user_id": person.pk,
        "username": person.username,
        "name": person.display_name,
        "team": person.team or None,
    }
    return ReportLine(keys, person.display_name, sums, person.team)


def _teams(people: list[Person], sums: SumsBy) -> list[ReportLine]:
    """A line a team by name, and at the end the people without one."""
    members: dict[int | None, list[int]] = {}
    names: dict[int | None, str | None] = {}
    for person in people:
        names[person.team_id] = person.team or None
        members.setdefault(person.team_id, []).append(person.pk)
    order = sorted(names, key=lambda pk: (pk is None, name_key(names[pk] or "")))
    return [
        ReportLine(
            {"team_id": pk, "name": names[pk]},
            names[pk] or _("Without a team"),
            sums.total_of(members[pk]),
        )
        for pk in order
    ]


def _days(period: Period, by_day: SumsBy) -> Iterator[ReportLine]:
    """Every day up to today, without calls too."""
    for day in _all_days(period.first, min(period.last, today())):
        yield ReportLine({"day": day.isoformat()}, day, by_day.get(day, Sums()))


def _all_days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for number in range((last - first).days + 1):
        yield first + dt.timedelta(days=number)


# --- As files -------------------------------------------------------------------------------------
def _sheet(title: str, rows: Callable[[], list[list[Any]]], *keys: Head) -> Sheet:
    return Sheet(title, [*keys, *SUM_HEADS], lambda: [list(zip(*rows(), strict=True))])


def sheets_of(report: PeriodReport) -> dict[str, Sheet]:
    """The report's tables under the names that URLs use."""
    return {
        "summary": _sheet(
            _("Summary of the period"),
            lambda: _summary_rows(report),
            Head("period", _("Period")),
            Head("from", _("From"), DAY),
            Head("to", _("To"), DAY),
        ),
        "teams": _sheet(
            _("Teams"),
            lambda: [[line.name, *line.figures] for line in report.teams],
            Head("team", _("Team")),
        ),
        "agents": _sheet(
            _("Agents"),
            lambda: [
                [line.name, line.keys["username"], line.team, *line.figures]
                for line in report.agents
            ],
            Head("agent", _("Agent")),
            Head("username", _("User name")),
            Head("team", _("Team")),
        ),
        "days": _sheet(
            _("Days"),
            lambda: [[line.name, *line.figures] for line in report.days],
            Head("day", _("Day"), DAY),
        ),
    }


def _summary_rows(report: PeriodReport) -> list[list[Any]]:
    period = report.period
    return [
        [_("this period"), period.first, period.last, *figures_in_order(report.sums)],
        [
            period_before_in_words(period),
            period.previous_first,
            period.previous_last,
            *figures_in_order(report.before),
        ],
    ]


def document_of(report: PeriodReport, maker: User, *tables: str) -> Document:
    """The report as a document with those tables, or with all of them."""
    sheets = sheets_of(report)
    return Document(
        title=_("Report of calls"),
        about=made_by(maker, period_in_words(report.period)),
        sheets=[sheets[name] for name in tables or sheets],
        sums=report.sums,
    )
