"""What the rules would have told in the last days of a demo, so that its pages are not empty."""

import datetime as dt
from typing import Final

from django.db import transaction

from calls.models import CallLog
from common.instants import now
from notifications.models import Alert, Notification, Rule
from notifications.models.rules import Kind
from notifications.rules import timers
from notifications.rules.audience import people_told
from notifications.rules.firing import Occasion, occasion_of
from notifications.rules.kinds import parameters_of

_LOOKED_BACK: Final = dt.timedelta(days=7)
_MAY_RUN: Final = dt.timedelta(hours=4)  # what began since then: the worker fires for that
_UNREAD: Final = dt.timedelta(hours=12)  # what is older has been read


@transaction.atomic
def seed() -> int:
    """Fires the standard rules about long calls for those of the last week that have ended; how
    many alerts came of it. Nobody is sent anything."""
    at = now()
    found = [
        (rule, one)
        for rule in Rule.objects.filter(kind=Kind.LONG_CALL).exclude(standard="")
        for one in timers.past(rule, at - _LOOKED_BACK, at - _MAY_RUN)
        if one.agent is not None
    ]
    keys = [one.call_id for _rule, one in found]
    calls = CallLog.objects.select_related("user__team").in_bulk(keys)
    for rule, one in sorted(found, key=lambda pair: pair[1].reached_at):
        _store(rule, one, calls[one.call_id], at)
    return len(found)


def _store(rule: Rule, found: Occasion, call: CallLog, at: dt.datetime) -> None:
    agent = call.user
    alert = Alert.objects.create(
        rule=rule,
        kind=rule.kind,
        occasion=occasion_of(rule, found.key),
        call=call,
        agent=agent,
        facts={"seconds": parameters_of(rule)["seconds"]},
        reached_at=found.reached_at,
        over_at=call.end_time,
    )
    told_at = found.reached_at + dt.timedelta(seconds=1)
    read_at = None if at - told_at < _UNREAD else told_at + dt.timedelta(minutes=5)
    Notification.objects.bulk_create(
        Notification(person=person, alert=alert, read_at=read_at)
        for person in people_told(rule, agent, agent.team if agent else None)
    )
    # Both columns are set by themselves when a row is made.
    Alert.objects.filter(pk=alert.pk).update(fired_at=told_at)
    Notification.objects.filter(alert=alert).update(created_at=told_at)
