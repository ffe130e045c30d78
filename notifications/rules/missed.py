"""A missed call that nobody calls back.

Missed is an incoming call that nobody answered, none of the phones that rang. It is called back
once anybody calls that number, answered or not, or whoever called gets through. A call that hides
its number cannot be called back.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q

from accounts.models import User
from calls import timeline
from calls.models import CallLog, CallQuerySet
from calls.models.call_queries import ANSWERED
from common.instants import now
from notifications.models import Alert, Rule
from notifications.models.rules import Kind
from notifications.rules import firing
from notifications.rules.audience import calls_of
from notifications.rules.firing import Occasion
from notifications.rules.kinds import parameters_of

# What a day has passed over is news no more; after a night without a worker it still is.
_LATELY: Final = dt.timedelta(days=1)
_MOST: Final = 5000


@dataclass(frozen=True)
class _Missed:
    pk: int
    user_id: int | None
    line: str
    start: dt.datetime
    end: dt.datetime
    whole: str  # names the call that several phones may have rung for


_FIELDS: Final = (
    *("pk", "user_id", "phone_line", "start_time", "end_time", "account_id", "conversation"),
)


def watch(at: dt.datetime | None = None) -> None:
    """Fires what nobody has called back by the instant `at` (now), and ends what somebody has."""
    at = at or now()
    rules = Rule.objects.filter(enabled=True, kind=Kind.MISSED_CALL).with_scope()
    firing.do_each(rules, lambda rule: _look(rule, at))
    _end_called_back(at)


def _look(rule: Rule, at: dt.datetime) -> None:
    limit = dt.timedelta(minutes=parameters_of(rule)["minutes"])
    since = max(rule.watching_since, at - _LATELY) - limit
    for one in _not_called_back(_missed(calls_of(rule), since, at), limit, at):
        if one.end + limit >= rule.watching_since:
            firing.fire(rule, _occasion(one, limit), still=_is_missed)


def _is_missed(call: CallLog) -> bool:
    """Whether nobody had answered after all."""
    return call.status == timeline.NO_ANSWER


def _missed(calls: CallQuerySet, since: dt.datetime, until: dt.datetime) -> list[_Missed]:
    """One for each missed call that began in [since, until), oldest first."""
    missed = calls.started_between(since, until).filter(
        direction="inbound", status=timeline.NO_ANSWER
    )
    rows = missed.exclude(phone_line="").order_by("-start_time", "-pk")
    found: dict[str, _Missed] = {}
    for row in rows.values_list(*_FIELDS)[:_MOST]:
        one = _one(*row)
        known = found.get(one.whole)
        # The first that rang stands for all; who answered speaks for the call elsewhere.
        if known is None or one.pk < known.pk:
            found[one.whole] = one
    answered = _answered(found.values())
    return sorted((m for m in found.values() if m.whole not in answered), key=lambda m: m.start)


def _one(
    pk: int,
    user_id: int | None,
    line: str,
    start: dt.datetime,
    end: dt.datetime,
    account_id: int | None,
    conversation: str,
) -> _Missed:
    whole = _whole(account_id, conversation) if conversation else f"call-{pk}"
    return _Missed(pk, user_id, line, start, end, whole)


def _whole(account_id: int | None, conversation: str) -> str:
    digest = hashlib.sha256(f"{account_id} {conversation}".encode()).hexdigest()
    return digest[:32]


def _answered(missed: Iterable[_Missed]) -> set[str]:
    """Those of which another phone took the call."""
    keys = [one.pk for one in missed if not one.whole.startswith("call-")]
    conversations = CallLog.objects.filter(pk__in=keys).order_by().values("conversation")
    parts = CallLog.objects.filter(ANSWERED, conversation__in=conversations)
    parts = parts.exclude(conversation="").order_by()
    return {_whole(*row) for row in parts.values_list("account_id", "conversation")}


def _called(lines: Iterable[str], since: dt.datetime) -> Mapping[str, list[dt.datetime]]:
    """The instants at which each number was called, or got through, since then; in order."""
    reached = Q(direction="outbound") | (ANSWERED & Q(direction="inbound"))
    calls = CallLog.objects.filter(reached, phone_line__in=set(lines), start_time__gte=since)
    found: dict[str, list[dt.datetime]] = {}
    for line, start in calls.order_by("start_time").values_list("phone_line", "start_time"):
        found.setdefault(line, []).append(start)
    return found


def _back_at(one: _Missed, called: Mapping[str, list[dt.datetime]]) -> dt.datetime | None:
    return next((start for start in called.get(one.line, ()) if start > one.start), None)


def _not_called_back(
    missed: list[_Missed], limit: dt.timedelta, at: dt.datetime
) -> Iterator[_Missed]:
    """Those that were not called back within `limit`, and have not been until `at`."""
    due = [one for one in missed if one.end + limit <= at]
    if not due:
        return
    called = _called((one.line for one in due), due[0].start)
    yield from (one for one in due if _back_at(one, called) is None)


def _occasion(one: _Missed, limit: dt.timedelta) -> Occasion:
    people = User.objects.select_related("team")
    return Occasion(
        key=f"missed:{one.whole}",
        reached_at=one.end + limit,
        agent=None if one.user_id is None else people.get(pk=one.user_id),
        call_id=one.pk,
        facts={"minutes": limit // dt.timedelta(minutes=1)},
    )


def _end_called_back(at: dt.datetime) -> None:
    alerts = Alert.objects.open().filter(kind=Kind.MISSED_CALL, call__isnull=False)
    rows = alerts.values_list("pk", *(f"call__{name}" for name in _FIELDS))
    missed = {pk: _one(*row) for pk, *row in rows[:_MOST]}
    if not missed:
        return
    first = min(one.start for one in missed.values())
    called = _called((one.line for one in missed.values()), first)
    for pk, one in missed.items():
        if (back := _back_at(one, called)) is not None:
            firing.end(Q(pk=pk), max(back, one.end))


def past(rule: Rule, since: dt.datetime, until: dt.datetime) -> list[Occasion]:
    """The missed calls of [since, until) that were called back too late, or never."""
    limit = dt.timedelta(minutes=parameters_of(rule)["minutes"])
    missed = [one for one in _missed(calls_of(rule), since, until) if one.end + limit <= until]
    if not missed:
        return []
    called = _called((one.line for one in missed), missed[0].start)
    late = []
    for one in missed:
        back = _back_at(one, called)
        if back is None or back > one.end + limit:
            agent: Any = None if one.user_id is None else User(pk=one.user_id)
            late.append(
                Occasion(key=one.whole, reached_at=one.end + limit, agent=agent, call_id=one.pk)
            )
    return late
