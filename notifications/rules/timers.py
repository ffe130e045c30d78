"""What lasts too long while it lasts: a call, a hold, a pause, the work after a call.

A limit of a call is measured as its timer shows it: from the start as the ledger has it, less
pauses. The worker looks every second, with one statement by the indexes of what runs; what has been
learnt late is over its limit already and fires at once.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q

from accounts.models import User
from calls import timeline
from calls.models import CallEvent, CallLog, CallQuerySet
from common.databases.prepared_sql import Prepared
from common.instants import from_ms, now, to_ms
from notifications.models import Alert, Rule
from notifications.models.rules import Kind
from notifications.rules import firing
from notifications.rules.audience import bounded, calls_of
from notifications.rules.firing import Occasion
from notifications.rules.kinds import TIMERS, parameters_of

_MOST_FOLDED: Final = 2000  # ledgers that a preview reads


@dataclass(frozen=True)
class Running:
    """What the timers need to know of a call that runs, or whose person wraps up."""

    pk: int
    user_id: int | None
    team_id: int | None
    start_time: dt.datetime
    end_time: dt.datetime | None
    paused_ms: int
    paused_since: dt.datetime | None
    held_since: dt.datetime | None
    wrap_up_since: dt.datetime | None


_FIELDS: Final = (
    *("pk", "user_id", "user__team_id", "start_time", "end_time", "paused_ms"),
    *("paused_since", "held_since", "wrap_up_since"),
)
# Two statements in one: each has an index of its own, of the few rows that it is about.
_RUNNING: Final = Prepared(
    lambda: (
        CallLog.objects.active()
        .order_by()
        .values_list(*_FIELDS)
        .union(CallLog.objects.wrapping_up().order_by().values_list(*_FIELDS), all=True)
    )
)


def watch(at: dt.datetime | None = None) -> None:
    """Fires what has reached a limit by the instant `at` (now)."""
    rows = _RUNNING.values()
    if not rows:
        return
    at = at or now()
    running = [Running(*row) for row in rows]
    rules = Rule.objects.filter(enabled=True, kind__in=TIMERS).order_by("pk")
    due = {
        firing.occasion_of(rule, found.key): (rule, one, found)
        for rule, seconds in [(rule, parameters_of(rule)["seconds"]) for rule in rules]
        for one in running
        if _is_about(rule, one) and (found := _reached(rule, one, seconds, at)) is not None
    }
    if not due:
        return
    fired = set(Alert.objects.filter(occasion__in=due).values_list("occasion", flat=True))
    left = [one for name, one in due.items() if name not in fired]
    firing.do_each(left, lambda one: _fire(*one, at))


def _is_about(rule: Rule, one: Running) -> bool:
    if rule.agent_id is not None:
        return one.user_id == rule.agent_id
    return rule.team_id is None or one.team_id == rule.team_id


@dataclass(frozen=True)
class _Limit:
    """A limit that was reached: by which key, and when."""

    key: str
    reached_at: dt.datetime
    seconds: int


def _reached(rule: Rule, one: "Running | CallLog", seconds: int, at: dt.datetime) -> _Limit | None:
    begun = _BEGUN[Kind(rule.kind)](one)
    if begun is None:
        return None
    key, since = begun
    reached_at = since + dt.timedelta(seconds=seconds)
    stands_at = one.paused_since if rule.kind == Kind.LONG_CALL else None
    return _Limit(key, reached_at, seconds) if reached_at <= (stands_at or at) else None


_Begun = tuple[str, dt.datetime]  # the key, and since when it lasts


def _call_begun(one: "Running | CallLog") -> _Begun | None:
    if one.end_time is not None:
        return None
    return f"call:{one.pk}", one.start_time + dt.timedelta(milliseconds=one.paused_ms)


def _hold_begun(one: "Running | CallLog") -> _Begun | None:
    if one.end_time is not None or one.held_since is None:
        return None
    return f"hold:{one.pk}:{to_ms(one.held_since)}", one.held_since


def _pause_begun(one: "Running | CallLog") -> _Begun | None:
    if one.end_time is not None or one.paused_since is None:
        return None
    return f"pause:{one.pk}:{to_ms(one.paused_since)}", one.paused_since


def _wrap_up_begun(one: "Running | CallLog") -> _Begun | None:
    return None if one.wrap_up_since is None else (f"wrap-up:{one.pk}", one.wrap_up_since)


_BEGUN: Final[Mapping[Kind, Callable[["Running | CallLog"], _Begun | None]]] = {
    Kind.LONG_CALL: _call_begun,
    Kind.LONG_HOLD: _hold_begun,
    Kind.LONG_PAUSE: _pause_begun,
    Kind.LONG_WRAP_UP: _wrap_up_begun,
}


def _fire(rule: Rule, one: Running, limit: _Limit, at: dt.datetime) -> None:
    people = User.objects.select_related("team")
    agent = None if one.user_id is None else people.get(pk=one.user_id)
    found = Occasion(
        key=limit.key,
        reached_at=limit.reached_at,
        agent=agent,
        call_id=one.pk,
        facts={"seconds": limit.seconds},
    )

    def still(call: CallLog) -> bool:
        return call.user_id == one.user_id and _reached(rule, call, limit.seconds, at) is not None

    firing.fire(rule, found, lasting=True, still=still)


def end_what_is_over(at: dt.datetime | None = None) -> int:
    """Marks the alerts of what no longer lasts as over; how many."""
    at = at or now()
    lasting = Alert.objects.open().filter(kind__in=TIMERS).select_related("call")
    over = {alert.pk: ended for alert in lasting if (ended := _ended(alert, at)) is not None}
    for pk, ended in over.items():
        firing.end(Q(pk=pk), ended)
    return len(over)


def _ended(alert: Alert, at: dt.datetime) -> dt.datetime | None:
    """When what `alert` is about ended; None while it lasts."""
    call = alert.call
    if call is None:
        return at
    begun = _BEGUN[Kind(alert.kind)](call)
    if begun is None:
        ended = call.end_time if alert.kind == Kind.LONG_CALL else None
        return max(ended or at, alert.reached_at)
    return at if begun[1] > alert.reached_at else None  # it has ended, and begun again


def past(rule: Rule, since: dt.datetime, until: dt.datetime) -> list[Occasion]:
    """What `rule` would have found of the calls that began in [since, until), in order."""
    calls = calls_of(rule).started_between(since, until)
    found = [*_past_ended(rule, calls), *_past_lasting(rule, calls, until)]
    return sorted(found, key=lambda occasion: occasion.reached_at)


def _past_lasting(rule: Rule, calls: CallQuerySet, until: dt.datetime) -> Iterator[Occasion]:
    """What lasts at the instant `until`, and is over its limit."""
    lasting = calls.wrapping_up() if rule.kind == Kind.LONG_WRAP_UP else calls.active()
    for row in lasting.order_by().values_list(*_FIELDS)[:_MOST]:
        one = Running(*row)
        limit = _reached(rule, one, parameters_of(rule)["seconds"], until)
        if limit is not None:
            agent = None if one.user_id is None else User(pk=one.user_id)
            yield Occasion(limit.key, limit.reached_at, agent=agent, call_id=one.pk)


def _past_ended(rule: Rule, calls: CallQuerySet) -> list[Occasion]:
    limit: int = parameters_of(rule)["seconds"]
    length = _LENGTHS[Kind(rule.kind)]
    candidates = calls.filter(**{f"{length}__gte": limit}).order_by()
    most = _MOST_FOLDED if rule.kind in (Kind.LONG_HOLD, Kind.LONG_PAUSE) else _MOST
    rows = bounded(candidates.values_list("pk", "user_id", "start_time", "end_time"), most)
    if most == _MOST_FOLDED:
        return _past_intervals(rule, rows, limit)
    return [
        _past(pk, user_id, (end or start) if length == "wrap_up_seconds" else start, limit)
        for pk, user_id, start, end in rows
    ]


_MOST: Final = 20_000
_LENGTHS: Final[Mapping[Kind, str]] = {
    Kind.LONG_CALL: "duration_seconds",
    Kind.LONG_HOLD: "hold_seconds",
    Kind.LONG_PAUSE: "paused_seconds",
    Kind.LONG_WRAP_UP: "wrap_up_seconds",
}


def _past(pk: int, user_id: int | None, since: dt.datetime, limit: int) -> Occasion:
    reached_at = since + dt.timedelta(seconds=limit)
    agent = None if user_id is None else User(pk=user_id)
    return Occasion(key=f"{pk}:{to_ms(since)}", reached_at=reached_at, agent=agent, call_id=pk)


def _past_intervals(rule: Rule, rows: Sequence[Any], limit: int) -> list[Occasion]:
    """Each hold, or pause, of at least `limit` seconds that the ledgers of these calls have."""
    facts: dict[int, list[timeline.Event]] = {row[0]: [] for row in rows}
    for line in CallEvent.objects.filter(call__in=facts).order_by():
        facts[line.call_id].append(line.as_fact())
    found = []
    for pk, user_id, _start, _end in rows:
        state = timeline.fold(facts[pk])
        intervals = state.holds if rule.kind == Kind.LONG_HOLD else state.pauses
        found += [
            _past(pk, user_id, from_ms(begin), limit)
            for begin, end in intervals
            if end - begin >= limit * 1000
        ]
    return found
