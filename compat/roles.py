"""What the first system called the roles; its windows show some of their parts by them."""

from collections.abc import Iterable
from typing import Final

from accounts import roles
from accounts.models import User

AGENT: Final = "Agent"
TEAM_LEAD: Final = "TeamLead"
PROJECT_MANAGER: Final = "ProjectManager"
IT: Final = "TI"
NAMES: Final = (AGENT, TEAM_LEAD, PROJECT_MANAGER, IT)


def roles_of(people: Iterable[User]) -> dict[int, str]:
    """The role of each person by id: what they may see decides, in two queries for all of them."""
    everything = _may(roles.VIEW_ALL_CALLS)
    teams = _may(roles.VIEW_TEAM_CALLS)
    return {
        person.pk: _role(person.is_superuser, person.pk in everything, person.pk in teams)
        for person in people
    }


def _may(permission: str) -> set[int]:
    return set(User.objects.with_perm(permission).values_list("pk", flat=True))


def _role(is_superuser: bool, sees_all: bool, sees_teams: bool) -> str:
    """A superuser sets the site up; an administrator runs the organisation in it."""
    if is_superuser:
        return IT
    if sees_all:
        return PROJECT_MANAGER
    return TEAM_LEAD if sees_teams else AGENT
