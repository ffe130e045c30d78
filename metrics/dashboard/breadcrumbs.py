"""The way down: organisation, team, agent, and back up again with the period kept."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.roles import VIEW_ALL_CALLS, VIEW_TEAM_CALLS
from common.periods import Period
from metrics.dashboard.selection import NO_TEAM, Selection


@dataclass(frozen=True)
class Crumb:
    """A page above this one; `url` is "" for this page itself."""

    name: str
    url: str = ""


def crumbs_of(viewer: User, period: Period, chosen: Selection, last: str = "") -> list[Crumb]:
    """From the widest page that `viewer` may open down to the selection, or to `last` in it."""
    found = []
    if viewer.has_perm(VIEW_ALL_CALLS):
        found.append(Crumb(_("Organisation"), f"{reverse('organization')}?{period.query}"))
    team = chosen.agent.team if chosen.agent is not None else chosen.team
    if viewer.has_perm(VIEW_TEAM_CALLS):
        found += _team_crumbs(viewer, period, chosen, team)
    if chosen.agent is not None:
        url = reverse("agent", args=[chosen.agent.pk])
        found.append(Crumb(chosen.agent.display_name, f"{url}?{period.query}"))
    if last:
        return [*found, Crumb(last)]
    return [*found[:-1], Crumb(found[-1].name)] if found else []


def _team_crumbs(viewer: User, period: Period, chosen: Selection, team: Team | None) -> list[Crumb]:
    url = f"{reverse('team')}?{period.query}"
    if chosen.without_team:
        return [Crumb(_("Without a team"), f"{url}&team={NO_TEAM}")]
    if team is None or not (viewer.scope.everyone or team.pk in viewer.scope.team_ids):
        return [] if chosen.agent is not None else [Crumb(_("All teams"), url)]
    return [Crumb(team.name, f"{url}&team={team.pk}")]
