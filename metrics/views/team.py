"""The team's page: who is on a call now, and how people compare in a period."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Team
from accounts.requests import PageRequest
from common.htmx import render_page
from common.instants import local_now
from common.periods import TODAY, Period, named
from metrics.charts.confidence import spread_of
from metrics.dashboard.breadcrumbs import crumbs_of
from metrics.dashboard.comparison import MINIMUM
from metrics.dashboard.figures import figures_of, read_since
from metrics.dashboard.selection import Selection, of_all_teams, of_team, teams_of
from metrics.dashboard.tables import MOST_ROWS, SUM_COLUMNS, Column, table_of
from metrics.dashboard.wallboard import look_at
from metrics.rollups.shared_calls import shared_parts_of
from metrics.views.periods import with_period

NAME: Final = Column("name", gettext_lazy("Agent"), is_number=False)
TEAM: Final = Column("team", gettext_lazy("Team"), is_number=False)


@dataclass(frozen=True)
class Choice:
    """A team to look at; `value` is what the URL says, "" for all of them."""

    value: str
    name: str
    chosen: bool


@never_cache
@require_safe
@permission_required("calls.view_team_calls", raise_exception=True)
@with_period()
def team(request: PageRequest, period: Period) -> HttpResponse:
    """The teams one supervises, or one of them (`?team=`); for an administrator, any."""
    teams = teams_of(request.user)
    chosen = _chosen(request, teams)
    wanted = chosen.parameters.get("team", "")
    parts = shared_parts_of(chosen.people, read_since(period), period.last)
    figures = figures_of(chosen, period, parts)
    wall = look_at(chosen.people, period, parts, of_teams=not chosen.parameters)
    many_teams = len(teams) > 1 and not wanted
    columns = [NAME, *([TEAM] if many_teams else []), *SUM_COLUMNS]
    context: dict[str, Any] = {
        "period": period,
        "selection": chosen,
        "figures": figures,
        "crumbs": crumbs_of(request.user, period, chosen),
        "figures_query": chosen.query(period),
        "choices": _choices(teams, wanted),
        "many_teams": many_teams,
        "wall": wall,
        "table": table_of(wall.rows, columns, request.GET),
        "minimum": MINIMUM,
        "spread": spread_of(wall.rows) if len(wall.rows) <= MOST_ROWS else None,
    }
    return render_page(request, "metrics/team.html", "metrics/_team_live.html", context)


def _choices(teams: list[Team], wanted: str) -> list[Choice]:
    choices = [Choice(str(team.pk), team.name, str(team.pk) == wanted) for team in teams]
    return [Choice("", _("All teams"), not wanted), *choices] if len(teams) > 1 else []


@never_cache
@require_safe
@permission_required("calls.view_team_calls", raise_exception=True)
def wall(request: PageRequest) -> HttpResponse:
    """The same people for a screen on the wall: a tile each, that keeps its place."""
    chosen = _chosen(request)
    period = named(TODAY, local_now())
    context = {
        "selection": chosen,
        "wall": look_at(chosen.people, period, of_teams=not chosen.parameters),
        "many_teams": not chosen.parameters,
    }
    return render_page(request, "metrics/wall.html", "metrics/_wall_live.html", context)


def _chosen(request: PageRequest, teams: list[Team] | None = None) -> Selection:
    wanted = request.GET.get("team", "")
    return of_team(request.user, wanted, teams) if wanted else of_all_teams(request.user)
