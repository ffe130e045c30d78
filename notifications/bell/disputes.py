"""Disputes of calls: whoever is to decide hears of them, and the agent of the decision."""

from django.db.models import QuerySet

from accounts import roles
from accounts.models import User
from calls.models import CallDispute
from notifications.bell.telling import tell
from notifications.models import Alert
from notifications.models.alerts import Happening


def opened(dispute: CallDispute) -> None:
    """Tells the supervisors of the agent's team; where there is none, the administrators."""
    agent = dispute.call.user
    alert = Alert.objects.create(
        kind=Happening.DISPUTE_OPENED,
        occasion=f"dispute:{dispute.pk}:opened",
        call=dispute.call,
        agent=agent,
        reached_at=dispute.opened_at,
    )
    tell(alert, _who_decide(agent, dispute.opened_by))


def decided(dispute: CallDispute) -> None:
    """Tells the agent who disputed the call, and nobody else needs to look any more."""
    at = dispute.decided_at
    assert at is not None
    Alert.objects.filter(occasion=f"dispute:{dispute.pk}:opened").open().update(over_at=at)
    alert = Alert.objects.create(
        kind=Happening.DISPUTE_DECIDED,
        occasion=f"dispute:{dispute.pk}:decided",
        call=dispute.call,
        agent=dispute.opened_by,
        facts={"state": dispute.state},
        reached_at=at,
        over_at=at,
    )
    tell(alert, [dispute.opened_by])


def _who_decide(agent: User | None, disputant: User) -> QuerySet[User] | set[User]:
    may = User.objects.with_perm(roles.CORRECT_CALLS)
    team = None if agent is None else agent.team_id
    led = set(may.filter(supervised_teams=team).exclude(pk=disputant.pk)) if team else set()
    return led or may.filter(pk__in=User.objects.with_perm(roles.VIEW_ALL_CALLS))
