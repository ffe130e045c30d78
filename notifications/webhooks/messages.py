"""What an entry of the feed tells programs, made when it is told: nothing of it is kept.

So what was removed from the ledger is in no message any more, and the call is as it now stands.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import User
from calls.history.bodies import call_body, line_body
from calls.models import CallAlias, CallEvent, CallLog, Reader
from common.instants import isoformat, to_ms
from notifications.models import Alert, FeedEntry
from notifications.words import link_of, sentence_of


@dataclass(frozen=True)
class Message:
    """One event, as `/api/events` and webhooks have it."""

    number: int
    id: str  # the same however often it is sent, and of no other event
    kind: str
    at: str | None
    data: dict[str, Any]

    def body(self) -> dict[str, Any]:
        """As Standard Webhooks describe it."""
        return {"type": self.kind, "timestamp": self.at, "data": self.data}


def messages_of(entries: Iterable[FeedEntry], viewer: User | None = None) -> list[Message]:
    """What `viewer` may be told of the entries, in their order; None: the whole organisation.

    What was deleted, and what they may not see, is left out.
    """
    entries = list(entries)
    lines = _lines([entry.event_id for entry in entries if entry.event_id], viewer)
    alerts = _alerts([entry.alert_id for entry in entries if entry.alert_id], viewer)
    wanted = {line.call_id for line in lines.values()}
    wanted |= {alert.call_id for alert in alerts.values() if alert.call_id}
    calls = _calls(wanted, viewer)
    found = []
    for entry in entries:
        line, alert = lines.get(entry.event_id), alerts.get(entry.alert_id)
        if line is not None and line.call_id in calls:
            found.append(_of_line(entry, line, calls[line.call_id]))
        elif alert is not None:
            found.append(_of_alert(entry, alert, calls.get(alert.call_id), viewer))
    return found


def _lines(keys: list[int], viewer: User | None) -> dict[int | None, CallEvent]:
    lines = CallEvent.objects.filter(pk__in=keys).select_related("actor").order_by()
    if viewer is not None:
        lines = lines.read_by(Reader(viewer))
    return {line.pk: line for line in lines} if keys else {}


def _alerts(keys: list[int], viewer: User | None) -> dict[int | None, Alert]:
    """Those about calls, people and teams that the viewer may see; the installation's are for those
    who see everything."""
    alerts = Alert.objects.filter(pk__in=keys).select_related("agent", "team", "call").order_by()
    if viewer is not None and not viewer.scope.everyone:
        people = User.objects.visible_to(viewer)
        alerts = alerts.filter(
            Q(call__in=CallLog.objects.visible_to(viewer))
            | Q(call=None, agent__in=people)
            | Q(call=None, agent=None, team__in=viewer.scope.team_ids)
        )
    return {alert.pk: alert for alert in alerts} if keys else {}


def _calls(keys: set[int], viewer: User | None) -> dict[int | None, dict[str, Any]]:
    """What is told of each call."""
    if not keys:
        return {}
    calls = CallLog.objects.all() if viewer is None else CallLog.objects.visible_to(viewer)
    aliases: dict[int, list[str]] = defaultdict(list)
    for alias in CallAlias.objects.filter(call__in=keys).order_by("pk"):
        aliases[alias.call_id].append(str(alias.alias))
    return {
        call.pk: {"call": call_body(call), "aliases": aliases.get(call.pk, [])}
        for call in calls.filter(pk__in=keys).select_related("user", "contact").order_by()
    }


def _of_line(entry: FeedEntry, line: CallEvent, call: dict[str, Any]) -> Message:
    return Message(
        number=entry.number,
        id=f"evt_{entry.number}_{to_ms(line.received_at)}",
        kind=entry.kind,
        at=isoformat(line.occurred_at),
        data=call | {"event": line_body(line)},
    )


def _of_alert(
    entry: FeedEntry, alert: Alert, call: dict[str, Any] | None, viewer: User | None
) -> Message:
    told = {
        "id": alert.pk,
        "kind": alert.kind,
        "sentence": sentence_of(alert, viewer),
        "link": link_of(alert),
        "agent": alert.agent and alert.agent.username,
        "team": alert.team and alert.team.name,
        "subject": alert.subject,
        "reached_at": isoformat(alert.reached_at),
        "fired_at": isoformat(alert.fired_at),
        "over_at": isoformat(alert.over_at),
    }
    return Message(
        number=entry.number,
        id=f"evt_{entry.number}_{to_ms(alert.fired_at)}",
        kind=entry.kind,
        at=isoformat(alert.fired_at),
        data=(call or {"call": None, "aliases": []}) | {"alert": told},
    )
