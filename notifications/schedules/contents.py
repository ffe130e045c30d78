"""What a report says: figures, tables, what may be said of differences, and plots."""

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts.models import User
from calls.history.columns import columns_of
from calls.history.filters import sees_only_self
from common.formats.period_words import compared_with, period_in_words
from metrics.charts.cards import Card, cards_of, change_of
from metrics.charts.plots import status_shares, time_shares
from metrics.charts.trend import trend_of
from metrics.dashboard.figures import figures_from, read_since
from metrics.dashboard.selection import Selection
from metrics.definitions import ON_CARDS, Sums
from metrics.exports.calls import in_words, sheet_of_calls
from metrics.exports.document import Document, Head
from metrics.exports.period_report import (
    PeriodReport,
    ReportLine,
    document_of,
    report_of_people,
)
from metrics.rollups.daily import sums_by
from notifications.schedules.comparing import Compared, Standings, changes_of, standings_of
from notifications.schedules.pictures import calls_picture, plot_picture
from notifications.schedules.subjects import Subject

MOST_LINES: Final = 12  # of a table in the mail; the files have all
MOST_CALLS: Final = 15
IN_MAIL: Final = ("start", "agent", "contact", "status", "duration_seconds")
PLOTTED: Final = "avg_call_duration"


@dataclass(frozen=True)
class Report:
    """Everything that the mail and its files show; the words are the receiver's."""

    subject: Subject
    whose: str
    when: str
    sums: Sums
    document: Document
    cards: list[Card]
    against: str = ""
    teams: list[ReportLine] = field(default_factory=list)
    agents: list[ReportLine] = field(default_factory=list)
    more_agents: int = 0
    standings: Standings | None = None
    changes: list[str] | None = None  # None: there is nothing to compare
    heads: list[Head] = field(default_factory=list)  # of `calls`
    calls: list[list[tuple[Head, Any]]] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    paper: dict[str, Any] = field(default_factory=dict)  # what only the PDF shows

    @property
    def card_rows(self) -> list[list[Card]]:
        """Two beside each other, which a phone has room for, too."""
        return [self.cards[place : place + 2] for place in range(0, len(self.cards), 2)]

    @property
    def is_empty(self) -> bool:
        return not (self.sums.calls_made or self.sums.calls_unconfirmed or self.calls)


def report_on(subject: Subject, viewer: User) -> Report:
    """The report of `subject` in the active language, with nothing that `viewer` may not see."""
    return (
        _of_calls(subject, viewer) if subject.wanted is not None else _of_figures(subject, viewer)
    )


def _of_figures(subject: Subject, viewer: User) -> Report:
    period, chosen = subject.period, subject.chosen
    assert period is not None and chosen is not None
    report, by_day = report_of_people(chosen.people, period, read_since(period))
    figures = figures_from(by_day, period, report.before)
    trend = trend_of(figures.stretches)
    pictures = {"calls": calls_picture(trend)} if trend.most_calls else {}
    for plot in trend.plots:
        if plot.figure.name == PLOTTED:
            pictures["average"] = plot_picture(trend, plot)
    about_one = chosen.agent is not None
    return Report(
        subject=subject,
        whose=_whose(chosen, viewer),
        when=period_in_words(period),
        against=compared_with(period),
        sums=report.sums,
        document=_with_whom(document_of(report, viewer), chosen, viewer),
        cards=[
            replace(card, change=change_of(figure, report.sums, report.before))
            for figure, card in zip(ON_CARDS, cards_of(report.sums), strict=True)
        ],
        teams=[] if about_one or len(report.teams) < 2 else report.teams,
        agents=[] if about_one else _with_calls(report.agents)[:MOST_LINES],
        more_agents=max(0, len(_with_calls(report.agents)) - MOST_LINES),
        standings=None if about_one else standings_of(report.agents),
        changes=_changes(report, chosen, viewer),
        pictures=pictures,
        paper={"bars": report.bars, "width": report.width},
    )


def _whose(chosen: Selection, viewer: User) -> str:
    if chosen.parameters or not viewer.scope.everyone:
        return chosen.name
    return _("the whole organisation")


def _with_whom(document: Document, chosen: Selection, viewer: User) -> Document:
    return replace(document, about=[(_("Whose calls"), _whose(chosen, viewer)), *document.about])


def _with_calls(lines: list[ReportLine]) -> list[ReportLine]:
    """Those with calls, most first."""
    called = [line for line in lines if line.sums.calls_made]
    return sorted(called, key=lambda line: -line.sums.calls_made)


def _changes(report: PeriodReport, chosen: Selection, viewer: User) -> list[str] | None:
    """Of the whole and, where the period is over, of each team."""
    if not (report.sums.calls_made and report.before.calls_made):
        return None
    compared = [Compared(_whose(chosen, viewer), report.sums, report.before)]
    if report.period.until is None and len(report.teams) > 1:
        first, last = report.period.previous_first, report.period.previous_last
        before = sums_by("user__team", chosen.people, first, last)
        compared += [
            Compared(str(line.name), line.sums, before.get(line.keys["team_id"], Sums()))
            for line in report.teams
        ]
    return changes_of(compared)


def _of_calls(subject: Subject, viewer: User) -> Report:
    wanted = subject.wanted
    assert wanted is not None
    alone = sees_only_self(viewer)
    names = [name for name in IN_MAIL if not (alone and name == "agent")]
    newest = sheet_of_calls(wanted.found.qs, columns_of([], names))
    document = wanted.document()
    sums = document.sums
    return Report(
        subject=subject,
        whose=_("your calls") if alone else _("the calls you may see"),
        when=in_words(wanted.found) or _("All dates"),
        sums=sums,
        document=document,
        cards=cards_of(sums),
        heads=newest.heads,
        calls=[
            list(zip(newest.heads, row, strict=True)) for row in islice(newest.rows(), MOST_CALLS)
        ],
        paper={
            "shares": [
                (_("How calls ended"), status_shares(sums), False),
                (_("What the time was spent on"), time_shares(sums), True),
            ]
        },
    )
