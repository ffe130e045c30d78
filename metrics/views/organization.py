"""The whole organisation's page: today's totals, a line a team, and the last weeks."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Team, User
from accounts.requests import PageRequest
from callmanager.htmx import render_page
from calls.instants import today
from calls.models import CallLog
from metrics.definitions import Sums
from metrics.services import sums_by
from metrics.trend import trend_of
from metrics.views.team import NO_TEAM


@dataclass(frozen=True)
class TeamRow:
    """One team's line; `value` is its name in the team page's URL."""

    value: str
    name: str
    people: int
    on_call: int
    sums: Sums


@never_cache
@require_safe
@permission_required("calls.view_all_calls", raise_exception=True)
def organization(request: PageRequest) -> HttpResponse:
    people = User.objects.visible_to(request.user)
    sums = sums_by("user__team", people, today(), today())
    rows = list(_rows(sums))
    context: dict[str, Any] = {
        "today": today(),
        "rows": rows,
        "sums": sum(sums.values(), Sums()),
        "people": sum(row.people for row in rows),
        "on_call": sum(row.on_call for row in rows),
        "trend": trend_of(people),
    }
    return render_page(
        request, "metrics/organization.html", "metrics/_organization_live.html", context
    )


def _rows(sums: dict[int | None, Sums]) -> list[TeamRow]:
    """A line a team by name, and at the end the people without one."""
    busy = _by_team(CallLog.objects.active().values_list("user__team"))
    people = _by_team(User.objects.filter(is_active=True).values_list("team"))
    teams: list[tuple[int | None, str, str]] = [
        (team.pk, str(team.pk), team.name) for team in Team.objects.all()
    ]
    if None in people or None in sums:
        teams.append((None, NO_TEAM, _("Without a team")))
    return [
        TeamRow(value, name, people.get(pk, 0), busy.get(pk, 0), sums.get(pk, Sums()))
        for pk, value, name in teams
    ]


def _by_team(rows: Any) -> dict[int | None, int]:
    """How many of `rows`, apart by their one column."""
    return dict(rows.annotate(Count("pk")).order_by())
