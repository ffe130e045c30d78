"""Whom a rule is about, and whom it tells: only people who work here and may see that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.db.models import QuerySet

from accounts import roles
from accounts.models import Team, User
from calls.models import CallLog, CallQuerySet
from notifications.models import Rule
from notifications.models.rules import Kind
from notifications.rules.kinds import parameters_of

# Who looks after what an alert about the installation is about.
_KEEPERS: Final = {Kind.PROVIDER_SILENT: roles.USE_ADMIN, Kind.LISTENER_DOWN: roles.USE_ADMIN}


@dataclass(frozen=True)
class Subject:
    """Whose calls a figure is made of: an agent's, a team's, or everybody's."""

    agent: User | None = None
    team: Team | None = None
    members: frozenset[int] | None = None  # None: everybody

    def has(self, user_id: int | None) -> bool:
        return self.members is None or user_id in self.members

    @property
    def name(self) -> str:
        """Tells it from others in the keys of occasions."""
        if self.agent is not None:
            return f"agent-{self.agent.pk}"
        return "all" if self.team is None else f"team-{self.team.pk}"


def subjects_of(rule: Rule) -> list[Subject]:
    """Those whose figure `rule` watches, each apart."""
    if rule.agent is not None:
        return [_alone(rule.agent)] if rule.agent.is_active else []
    if parameters_of(rule)["each"]:
        return [_alone(agent) for agent in agents_of(rule).select_related("team")]
    if rule.team is None:
        return [Subject()]
    members = agents_of(rule).values_list("pk", flat=True)
    return [Subject(team=rule.team, members=frozenset(members))]


_Any = TypeVar("_Any")
_Row = TypeVar("_Row", bound=tuple[Any, ...])


def apart(
    subjects: Iterable[Subject], rows: Iterable[_Row]
) -> Iterator[tuple[Subject, list[_Row]]]:
    """Each subject with its own of `rows`, which begin with the person's key; their order stays."""
    known = list(rows)
    of_person: dict[int | None, list[_Row]] = {}
    for row in known:
        of_person.setdefault(row[0], []).append(row)
    for subject in subjects:
        if subject.agent is not None:
            yield subject, of_person.get(subject.agent.pk, [])
        else:
            yield subject, [row for row in known if subject.has(row[0])]


def _alone(agent: User) -> Subject:
    return Subject(agent=agent, members=frozenset({agent.pk}))


def agents_of(rule: Rule) -> QuerySet[User]:
    """The people who work here and whom `rule` is about."""
    people = User.objects.filter(is_active=True).order_by("pk")
    if rule.agent_id is not None:
        return people.filter(pk=rule.agent_id)
    return people if rule.team_id is None else people.filter(team=rule.team_id)


def calls_of(rule: Rule) -> CallQuerySet:
    """The calls that `rule` is about; a team's are those of its members, as everywhere."""
    calls = CallLog.objects.order_by()
    if rule.agent_id is not None:
        return calls.filter(user=rule.agent_id)
    return calls if rule.team_id is None else calls.filter(user__team=rule.team_id)


class TooMany(Exception):
    """There are more rows than a preview looks through."""


def bounded(rows: QuerySet[Any, _Any], most: int) -> list[_Any]:
    """`rows`; TooMany where they are more than `most`."""
    found = list(rows[: most + 1])
    if len(found) > most:
        raise TooMany
    return found


def people_told(rule: Rule, agent: User | None, team: Team | None) -> list[User]:
    """The people who are told of what `rule` found of `agent`, of a whole `team`, or of neither."""
    people = set(rule.people.filter(is_active=True))
    if rule.tell_agent and agent is not None and agent.is_active:
        people.add(agent)
    if rule.tell_supervisors:
        led = team.pk if team is not None else agent.team_id if agent is not None else None
        people.update(User.objects.filter(is_active=True, supervised_teams=led) if led else ())
    if rule.tell_administrators:
        right = _KEEPERS.get(Kind(rule.kind), roles.MANAGE_UPKEEP)
        people.update(_who_may(right if rule.is_of_installation else roles.VIEW_ALL_CALLS))
    return sorted((p for p in people if _may_see(p, rule, agent, team)), key=lambda p: p.pk)


def _who_may(right: str) -> QuerySet[User]:
    return User.objects.with_perm(right)


def _may_see(person: User, rule: Rule, agent: User | None, team: Team | None) -> bool:
    if rule.is_of_installation:
        return person.has_perm(roles.USE_ADMIN)
    if agent is not None:
        return person.scope.sees_user(person, agent.pk, agent.team_id)
    return person.scope.everyone or (team is not None and team.pk in person.scope.team_ids)
