"""What a report is about: everything, or a page with its filters, as one person sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.http import Http404, QueryDict
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import VIEW_ALL_CALLS, VIEW_TEAM_CALLS, start_page_of
from calls.history.columns import default_on_pages
from calls.history.filters import sees_only_self
from common.instants import local_now
from common.periods import MONTH, PARAMETERS, RANGE, TODAY, Period, PeriodError, period_of
from metrics.dashboard.selection import (
    Selection,
    of_agent,
    of_all_teams,
    of_team,
    own_selection,
    selection_of,
)
from metrics.definitions import EXPLAINED
from metrics.exports.jobs import Wanted

EXECUTIVE: Final = ""  # in place of the path of a page
_RIGHTS: Final = {
    "team": VIEW_TEAM_CALLS,
    "wall": VIEW_TEAM_CALLS,
    "organization": VIEW_ALL_CALLS,
    "reports": VIEW_TEAM_CALLS,
}
_DAYS: Final = (*PARAMETERS, "start_date", "end_date")


class CannotBeReported(Exception):
    """The report is not for this person, or its page cannot be read; the message says why."""


@dataclass(frozen=True)
class Subject:
    """Whose figures of which days, or which calls (`wanted`), and the page that shows them."""

    title: str
    path: str
    query: str
    period: Period | None  # None: calls of all days
    chosen: Selection | None = None
    wanted: Wanted | None = None

    @property
    def address(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


def subject_of(person: User, path: str, query: str, period: Period | None = None) -> Subject:
    """What `person` may see of the page. `period`: the days, instead of those that `query` says.

    Raises CannotBeReported.
    """
    asked = QueryDict(query, mutable=True)
    asked.pop("cursor", None)
    if period is not None:
        for name in _DAYS:
            asked.pop(name, None)
    try:
        return (
            _executive(person, period) if path == EXECUTIVE else _page(person, path, asked, period)
        )
    except Http404 as error:
        raise CannotBeReported(_refused(person)) from error
    except PeriodError as error:
        raise CannotBeReported(error.message) from error


def _refused(person: User) -> str:
    return _("%(name)s may not see what this report is about.") % {"name": person.display_name}


def _executive(person: User, period: Period | None) -> Subject:
    """Everybody whom the person may see."""
    chosen = selection_of(person, {})
    days = period or period_of({}, local_now(), MONTH)
    path = reverse(start_page_of(person))
    return Subject(_("Executive report"), path, _days_query(days), days, chosen)


def _page(person: User, path: str, asked: QueryDict, period: Period | None) -> Subject:
    try:
        match = resolve(path)
    except Resolver404 as error:
        raise CannotBeReported(_("This page does not exist any more.")) from error
    name = match.url_name or ""
    right = _RIGHTS.get(name)
    if right is not None and not person.has_perm(right):
        raise CannotBeReported(_refused(person))
    if name == "history":
        return _history(person, path, asked, period)
    choose = _CHOOSERS.get(name)
    if choose is None:
        raise CannotBeReported(_("This page cannot be sent as a report."))
    chosen = choose(person, asked, match.kwargs)
    days = period or period_of(asked, local_now(), MONTH if name == "reports" else TODAY)
    for parameter in PARAMETERS:
        asked.pop(parameter, None)
    query = "&".join(filter(None, [asked.urlencode(), _days_query(days)]))
    return Subject(_title(name, match.kwargs), path, query, days, chosen)


def _all(person: User, _asked: QueryDict, _kwargs: dict[str, Any]) -> Selection:
    return of_all_teams(person)


def _team(person: User, asked: QueryDict, _kwargs: dict[str, Any]) -> Selection:
    team = str(asked.get("team", ""))
    return of_team(person, team) if team else of_all_teams(person)


def _by_query(person: User, asked: QueryDict, _kwargs: dict[str, Any]) -> Selection:
    return selection_of(person, asked)


_CHOOSERS: Final[dict[str, Callable[[User, QueryDict, dict[str, Any]], Selection]]] = {
    "desk": lambda person, _asked, _kwargs: own_selection(person),
    "agent": lambda person, _asked, kwargs: of_agent(person, str(kwargs["pk"])),
    "team": _team,
    "wall": _team,
    "organization": _all,
    "reports": _all,
    "plots": _by_query,
    "figure": _by_query,
}


def title_of(path: str) -> str:
    """What the page at `path` is called; the path itself of one that is no more."""
    try:
        match = resolve(path)
        return _title(match.url_name or "", match.kwargs)
    except (Resolver404, KeyError):
        return path


def _title(name: str, kwargs: dict[str, Any]) -> str:
    if name == "figure":
        return next(
            (str(one.label) for one in EXPLAINED if one.name == kwargs["name"]), _("Figures")
        )
    return {
        "desk": _("My desk"),
        "history": _("Call history"),
        "agent": _("Agent"),
        "team": _("Team"),
        "wall": _("Team"),
        "organization": _("Organisation"),
        "reports": _("Report of calls"),
        "plots": _("Plots"),
    }[name]


def _history(person: User, path: str, asked: QueryDict, period: Period | None) -> Subject:
    if period is not None:
        asked.update(_range_of(period))
    try:
        wanted = Wanted.of(person, asked, default_on_pages(sees_only_self(person)))
    except ValidationError as error:
        raise CannotBeReported(" ".join(error.messages)) from error
    days = period or wanted.found.asked_period
    return Subject(_title("history", {}), path, asked.urlencode(), days, wanted=wanted)


def _range_of(period: Period) -> dict[str, str]:
    """These very days, whenever the link is followed."""
    return {"period": RANGE, "from": period.first.isoformat(), "to": period.last.isoformat()}


def _days_query(period: Period) -> str:
    return "&".join(f"{name}={value}" for name, value in _range_of(period).items())
