"""A rule fires: once for an occasion, however many workers find it at the same moment."""

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q

from accounts.models import Team, User
from calls.models import CallLog
from common.instants import now
from notifications.bell import tell
from notifications.deliveries.outbox import send_alert
from notifications.models import Alert, Rule
from notifications.rules.audience import people_told

logger = logging.getLogger(__name__)
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Occasion:
    """What a rule found. `key` names it among all that the rule may ever find; `about` names what
    the cool-down and the end of a lasting state are counted by: an agent, a team, or a `subject`
    of the installation's; none of them for the organisation."""

    key: str
    reached_at: dt.datetime
    agent: User | None = None
    team: Team | None = None
    subject: str = ""
    call_id: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    over_at: dt.datetime | None = None  # of what is over already, such as a figure of the past

    @property
    def about(self) -> tuple[int | None, int | None, str]:
        agent = None if self.agent is None else self.agent.pk
        team = None if self.team is None else self.team.pk
        return agent, team, self.subject


def occasion_of(rule: Rule, key: str) -> str:
    """The name of an occasion among those of all rules."""
    return f"{rule.pk}:{key}"


def fire(
    rule: Rule,
    found: Occasion,
    *,
    lasting: bool = False,
    still: Callable[[CallLog], bool] = lambda call: True,
) -> Alert | None:
    """Stores the alert and has it told, in one transaction; None if it is not to fire.

    Two who find the same wait for each other at the rule's row, and the second sees the first's
    alert; `Alert.occasion` is unique besides. `still` looks at the locked call once more: it may
    have ended, or have been held, since it was found. A `lasting` state fires once until it is
    over, whatever its key.
    """
    if _is_known(rule, found, lasting):
        return None
    with transaction.atomic():
        if found.call_id is not None:
            calls = CallLog.objects.select_for_update(of=("self",))
            call = calls.filter(pk=found.call_id).first()
            if call is None or not still(call):
                return None
        locked = Rule.objects.select_for_update().filter(pk=rule.pk, enabled=True).first()
        if locked is None or _is_known(locked, found, lasting):
            return None
        return _stored_and_told(locked, found)


def _is_known(rule: Rule, found: Occasion, lasting: bool) -> bool:
    """Whether it has fired, or its cool-down goes on."""
    own = Alert.objects.filter(rule=rule)
    if own.filter(occasion=occasion_of(rule, found.key)).exists():
        return True
    agent, team, subject = found.about
    same = own.filter(agent=agent, team=team, subject=subject)
    if lasting and same.open().filter(call=found.call_id).exists():
        return True
    cool = dt.timedelta(seconds=rule.cool_down_seconds)
    return bool(cool) and same.filter(fired_at__gt=now() - cool).exists()


def _stored_and_told(rule: Rule, found: Occasion) -> Alert:
    alert = Alert.objects.create(
        rule=rule,
        kind=rule.kind,
        occasion=occasion_of(rule, found.key),
        call_id=found.call_id,
        agent=found.agent,
        team=found.team,
        subject=found.subject,
        facts=dict(found.facts),
        reached_at=found.reached_at,
        over_at=found.over_at,
        quiet=rule.is_quiet(now()),
    )
    if not alert.quiet:
        people = people_told(rule, found.agent, found.team)
        tell(alert, people)
        send_alert(alert, people, rule.channels.filter(enabled=True))
    return alert


def fire_lasting(rule: Rule, found: Sequence[Occasion], at: dt.datetime) -> None:
    """Fires the states that `rule` now `found`, each once until it is over, and marks its open
    alerts as over whose state is not among them."""
    for occasion in found:
        fire(rule, occasion, lasting=True)
    going_on = {occasion.about for occasion in found}
    over = [
        alert.pk
        for alert in Alert.objects.filter(rule=rule).open()
        if (alert.agent_id, alert.team_id, alert.subject) not in going_on
    ]
    if over:
        end(Q(pk__in=over), at)


def end(about: Q, at: dt.datetime | None = None) -> int:
    """Marks the open alerts that match `about` as over."""
    return Alert.objects.filter(about).open().update(over_at=at or now())


def do_each(items: Iterable[_Item], do: Callable[[_Item], object]) -> None:
    """Does it for all: what fails for one is in the log, and raised once the others are through."""
    failed: Exception | None = None
    for item in items:
        try:
            do(item)
        except Exception as error:
            logger.exception("A rule could not be looked after: %s", item)
            failed = failed or error
    if failed is not None:
        raise failed
