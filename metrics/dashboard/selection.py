"""Whose figures a page shows: one agent's, one team's, or all that the viewer may see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Team, User, UserQuerySet
from common.periods import Period

NO_TEAM: Final = "none"  # ?team=none: the people without a team


@dataclass(frozen=True)
class Selection:
    """Some people, and how a URL says which: `agent=ID`, `team=ID`, `team=none` or nothing."""

    people: UserQuerySet
    agent: User | None = None
    team: Team | None = None
    without_team: bool = False

    @property
    def parameters(self) -> dict[str, str]:
        if self.agent is not None:
            return {"agent": str(self.agent.pk)}
        if self.without_team:
            return {"team": NO_TEAM}
        return {"team": str(self.team.pk)} if self.team is not None else {}

    @property
    def name(self) -> str:
        """Whom the figures are about, for people."""
        if self.agent is not None:
            return self.agent.display_name
        if self.without_team:
            return _("Without a team")
        return self.team.name if self.team is not None else _("All teams")

    def query(self, period: Period) -> str:
        """The same people and the same period, as a page about figures reads them."""
        return urlencode(self.parameters | period.parameters)

    def history_query(self, period: Period, **more: str) -> str:
        """The calls of these people and days, as the history page reads them."""
        whose = {"agent": self.agent.username} if self.agent is not None else self.parameters
        days = {"start_date": period.first.isoformat(), "end_date": period.last.isoformat()}
        return urlencode(whose | days | more)


def teams_of(viewer: User) -> list[Team]:
    """The teams whose people `viewer` may see, by name."""
    return list(Team.objects.all() if viewer.scope.everyone else viewer.scope.teams)


def selection_of(viewer: User, query: Mapping[str, str]) -> Selection:
    """Whom `query` asks for. Http404 for an agent or a team that is not the viewer's to see."""
    if query.get("agent"):
        return of_agent(viewer, query["agent"])
    if query.get("team"):
        return of_team(viewer, query["team"])
    if viewer.scope.everyone or viewer.scope.team_ids:
        return of_all_teams(viewer)
    return own_selection(viewer)


def of_all_teams(viewer: User) -> Selection:
    """Everybody for an administrator; for a supervisor the people of their own teams."""
    people = User.objects.visible_to(viewer)
    if viewer.scope.everyone:
        return Selection(people)
    return Selection(people.filter(team__in=viewer.scope.team_ids))


def own_selection(viewer: User) -> Selection:
    return Selection(User.objects.filter(pk=viewer.pk), agent=viewer)


def of_agent(viewer: User, key: str) -> Selection:
    people = User.objects.visible_to(viewer)
    agent = people.select_related("team").filter(pk=int(key)).first() if _is_key(key) else None
    if agent is None:
        raise Http404
    return Selection(people.filter(pk=agent.pk), agent=agent)


def of_team(viewer: User, key: str, teams: Iterable[Team] | None = None) -> Selection:
    """`teams` are those of teams_of(viewer), where somebody has them already."""
    people = User.objects.visible_to(viewer)
    if key == NO_TEAM and viewer.scope.everyone:
        return Selection(people.filter(team=None), without_team=True)
    teams = teams_of(viewer) if teams is None else teams
    found = [team for team in teams if str(team.pk) == key]
    if not found:
        raise Http404
    return Selection(people.filter(team=found[0]), team=found[0])


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
