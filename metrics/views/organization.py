"""The whole organisation's page: today's totals, a line a team, and the last weeks."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Team, User
from accounts.requests import PageRequest
from calls.models import CallLog
from common.htmx import render_page
from common.periods import Period
from metrics.charts.confidence import spread_of
from metrics.dashboard.comparison import MINIMUM
from metrics.dashboard.figures import figures_of, read_since
from metrics.dashboard.selection import NO_TEAM, of_all_teams
from metrics.dashboard.tables import SUM_COLUMNS, Column, table_of
from metrics.definitions import Sums
from metrics.rollups.daily import sums_by
from metrics.rollups.shared_calls import shared_parts_of
from metrics.views.periods import with_period

COLUMNS: Final = (
    Column("name", gettext_lazy("Team"), is_number=False),
    Column("people", gettext_lazy("People")),
    Column("on_call", gettext_lazy("On a call now")),
    *SUM_COLUMNS,
)


@dataclass(frozen=True)
class TeamRow:
    """One team's line; `value` is its name in the team page's URL."""

    value: str
    name: str
    people: int
    on_call: int
    sums: Sums

    @property
    def whose(self) -> str:
        """Their calls, as the history reads it."""
        return f"team={self.value}"


@never_cache
@require_safe
@permission_required("calls.view_all_calls", raise_exception=True)
@with_period()
def organization(request: PageRequest, period: Period) -> HttpResponse:
    chosen = of_all_teams(request.user)
    parts = shared_parts_of(chosen.people, read_since(period), period.last)
    sums = sums_by("user__team", chosen.people, period.first, period.last, parts)
    figures = figures_of(chosen, period, parts)
    rows = list(_rows(sums))
    context: dict[str, Any] = {
        "period": period,
        "selection": chosen,
        "figures": figures,
        "figures_query": chosen.query(period),
        "rows": rows,
        "sums": sums.total,
        "people": sum(row.people for row in rows),
        "on_call": sum(row.on_call for row in rows),
        "table": table_of(rows, COLUMNS, request.GET),
        "minimum": MINIMUM,
        "spread": spread_of(rows),
    }
    return render_page(
        request, "metrics/organization.html", "metrics/_organization_live.html", context
    )


def _rows(sums: dict[int | None, Sums]) -> list[TeamRow]:
    """A line a team by name, and at the end the people without one."""
    counts = _people_by_team()
    teams: list[tuple[int | None, str, str]] = [
        (team.pk, str(team.pk), team.name) for team in Team.objects.all()
    ]
    if any(counts.get(None, ())) or None in sums:
        teams.append((None, NO_TEAM, _("Without a team")))
    return [
        TeamRow(value, name, *counts.get(pk, (0, 0)), sums.get(pk, Sums()))
        for pk, value, name in teams
    ]


def _people_by_team() -> dict[int | None, tuple[int, int]]:
    """How many people each team has, and how many of them are on a call; one query."""
    on_call = Exists(CallLog.objects.filter(user=OuterRef("pk")).active())
    rows = User.objects.order_by().values_list("team")
    counted = rows.annotate(
        people=Count("pk", filter=Q(is_active=True)), on_call=Count("pk", filter=on_call)
    )
    return {team: (people, busy) for team, people, busy in counted}
