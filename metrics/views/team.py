"""The team's page: who is on a call now, and how today compares."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import permission_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Team, User
from accounts.requests import PageRequest
from callmanager.htmx import render_page
from calls.instants import today
from calls.models import CallLog
from metrics.services import rows_between
from metrics.wall import look_at

NO_TEAM: Final = "none"  # ?team=none: the people without a team


@dataclass(frozen=True)
class Choice:
    """A team to look at; `value` is what the URL says, "" for all of them."""

    value: str
    name: str
    chosen: bool


@never_cache
@require_safe
@permission_required("calls.view_team_calls", raise_exception=True)
def team(request: PageRequest) -> HttpResponse:
    """The teams one supervises, or one of them (`?team=`); for an administrator, any."""
    teams = list(teams_of(request.user))
    wanted = request.GET.get("team", "")
    context = {
        "choices": _choices(teams, wanted),
        "many_teams": len(teams) > 1 and not wanted,
        "wall": look_at(_people(request.user, teams, wanted)),
        "today": today(),
        "long_seconds": settings.LONG_CALL_SECONDS,
    }
    return render_page(request, "metrics/team.html", "metrics/_team_live.html", context)


def teams_of(viewer: User) -> QuerySet[Team]:
    """The teams whose people `viewer` may see."""
    scope = viewer.scope
    return Team.objects.all() if scope.everyone else Team.objects.filter(pk__in=scope.team_ids)


def _choices(teams: list[Team], wanted: str) -> list[Choice]:
    choices = [Choice(str(team.pk), team.name, str(team.pk) == wanted) for team in teams]
    return [Choice("", _("All teams"), not wanted), *choices] if len(teams) > 1 else []


def _people(viewer: User, teams: list[Team], wanted: str) -> QuerySet[User]:
    """The people of the page. Http404 for a team that is not the viewer's to see."""
    people = User.objects.visible_to(viewer)
    if wanted == NO_TEAM and viewer.scope.everyone:
        return people.filter(team=None)
    if wanted:
        found = [team for team in teams if str(team.pk) == wanted]
        if not found:
            raise Http404
        return people.filter(team=found[0])
    if viewer.scope.everyone:
        # Of those without a team, only who makes calls belongs on a wall of callers.
        return people.filter(
            Q(team__isnull=False)
            | Q(pk__in=CallLog.objects.active().values("user"))
            | Q(pk__in=rows_between(today(), today()).values("user"))
        )
    return people.filter(team__in=teams)
