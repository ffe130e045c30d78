"""Figures that fall, or leave what is usual: the success rate over the last calls, the AHT of an
hour.

An hour's AHT is compared with the same weekday and hour of the last weeks by robust statistics: the
median m of those AHTs and their median absolute deviation, scaled to a standard deviation, s =
1.4826 MAD. It is unusual beyond m ± 3.5 s: the modified z-score of Iglewicz and Hoaglin, "How to
Detect and Handle Outliers" (ASQC, 1993), with their limit. Calls that are all alike have an MAD of
0, so s is never taken for less than a twentieth of m: less than that matters to nobody.
"""

import datetime as dt
import statistics
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from calls import timeline
from calls.models import CallLog
from common.instants import UTC, now, organisation_zone, to_ms
from notifications.models import Rule
from notifications.models.rules import Kind
from notifications.rules import firing
from notifications.rules.audience import Subject, apart, bounded, calls_of, subjects_of
from notifications.rules.firing import Occasion
from notifications.rules.kinds import parameters_of

WEEKS: Final = 8
_LEAST_WEEKS: Final = 4  # with enough calls; fewer say nothing of what is usual
_FAR: Final = 3.5
_TO_DEVIATION: Final = 1.4826
_LEAST_SPREAD: Final = 0.05
_SETTLED: Final = dt.timedelta(minutes=5)  # an hour's last calls end after it
_LATELY: Final = dt.timedelta(days=7)  # older calls say nothing of how it goes now
_A_DAY: Final = dt.timedelta(days=1)
_HOUR: Final = dt.timedelta(hours=1)
_MOST: Final = 60_000


def watch(at: dt.datetime | None = None) -> None:
    """Fires what the figures are at the instant `at` (now)."""
    at = at or now()
    rules = Rule.objects.filter(enabled=True, kind__in=_LOOKS).with_scope()
    firing.do_each(rules, lambda rule: _LOOKS[Kind(rule.kind)](rule, at))


def _look_at_success(rule: Rule, at: dt.datetime) -> None:
    firing.fire_lasting(rule, list(low_success(rule, at)), at)


def _look_at_aht(rule: Rule, at: dt.datetime) -> None:
    for occasion in unusual_aht(rule, at):
        firing.fire(rule, occasion)


_LOOKS: Final = {Kind.LOW_SUCCESS: _look_at_success, Kind.UNUSUAL_AHT: _look_at_aht}


# --- Success rate -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ended:
    pk: int
    user_id: int
    end: dt.datetime
    status: str
    whole: tuple[Any, ...]  # the parts of one whole call have this in common


_ENDED: Final = ("pk", "user_id", "end_time", "status", "account_id", "conversation")


def _ended(row: Sequence[Any]) -> _Ended:
    pk, user_id, end, status, account_id, conversation = row
    return _Ended(pk, user_id, end, status, (account_id, conversation) if conversation else (pk,))


def low_success(rule: Rule, at: dt.datetime) -> Iterator[Occasion]:
    """Whose success rate over the last calls is below the limit, by calls that ended since the rule
    watches. Fewer calls than it asks for say nothing."""
    found = parameters_of(rule)
    for subject in subjects_of(rule):
        calls = _last_calls(subject, found["calls"], at)
        if len(calls) < found["calls"] or calls[-1].end < rule.watching_since:
            continue
        rate = _rate(calls)
        if rate < found["percent"]:
            last = calls[-1]
            yield Occasion(
                key=f"low:{last.pk}:{subject.name}",
                reached_at=last.end,
                agent=subject.agent,
                team=subject.team,
                facts={**_limits(found), "value": round(rate, 1)},
            )


def _limits(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: parameters[name] for name in ("percent", "calls")}


def _rate(calls: Sequence[_Ended]) -> float:
    return 100 * sum(call.status == timeline.COMPLETED for call in calls) / len(calls)


def _last_calls(subject: Subject, most: int, at: dt.datetime) -> list[_Ended]:
    """The last calls of `subject` by their start, oldest first; the parts of one call count once,
    with the best outcome. Each person's are asked for apart, by the index of a person's calls."""
    calls = CallLog.objects.counted().assigned().filter(start_time__gt=at - _LATELY)
    newest = calls.order_by("-start_time", "-pk")
    rows: list[tuple[Any, ...]] = []
    for member in [None] if subject.members is None else subject.members:
        own = newest if member is None else newest.filter(user=member)
        rows += own.values_list("start_time", *_ENDED)[: 2 * most]
    rows.sort(key=lambda row: row[:2])
    wholes: dict[tuple[Any, ...], _Ended] = {}
    for row in rows:
        _take(wholes, _ended(row[1:]))
    return list(wholes.values())[-most:]


def _take(wholes: dict[tuple[Any, ...], _Ended], call: _Ended) -> None:
    known = wholes.get(call.whole)
    if known is None or call.status == timeline.COMPLETED:
        wholes[call.whole] = call


def past_low_success(rule: Rule, since: dt.datetime, until: dt.datetime) -> list[Occasion]:
    """When each subject's rate would have fallen below the limit in [since, until)."""
    found = parameters_of(rule)
    calls = calls_of(rule).counted().assigned().started_between(since - _A_DAY, until)
    rows = bounded(calls.order_by("start_time", "pk").values_list(*_ENDED), _MOST)
    ended = ((call.user_id, call) for call in map(_ended, rows))
    occasions: list[Occasion] = []
    for subject, own in apart(subjects_of(rule), ended):
        wholes: dict[tuple[Any, ...], _Ended] = {}
        for _user_id, call in own:
            _take(wholes, call)
        occasions += _falls(subject, wholes.values(), found, since)
    return sorted(occasions, key=lambda occasion: occasion.reached_at)


def _falls(
    subject: Subject, calls: Iterable[_Ended], found: dict[str, Any], since: dt.datetime
) -> Iterator[Occasion]:
    window: deque[_Ended] = deque(maxlen=found["calls"])
    was_low = False
    for call in calls:
        window.append(call)
        is_low = len(window) == found["calls"] and _rate(window) < found["percent"]
        if is_low and not was_low and call.end >= since:
            yield Occasion(
                key=f"low:{call.pk}:{subject.name}",
                reached_at=call.end,
                agent=subject.agent,
                team=subject.team,
                call_id=call.pk,
            )
        was_low = is_low


# --- AHT ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """What is usual, in seconds."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def usual_range(values: Sequence[float]) -> Range | None:
    """What is usual among `values`, by the formula above; None where they are too few."""
    if len(values) < _LEAST_WEEKS:
        return None
    middle = statistics.median(values)
    deviation = statistics.median(abs(value - middle) for value in values)
    spread = max(_TO_DEVIATION * deviation, _LEAST_SPREAD * middle)
    return Range(max(0.0, middle - _FAR * spread), middle + _FAR * spread)


@dataclass
class _Hour:
    calls: int = 0
    seconds: int = 0

    @property
    def aht(self) -> float:
        return self.seconds / self.calls


def unusual_aht(rule: Rule, at: dt.datetime) -> Iterator[Occasion]:
    """Whose AHT was unusual in the last local hour that is over, and whose calls have ended since;
    nothing of an hour in which the rule did not watch yet."""
    begin = _hour_of(at - _SETTLED) - _HOUR
    if begin + _HOUR < rule.watching_since:
        return
    calls = calls_of(rule).counted().assigned()
    rows: list[_Talk] = []
    for hour in (begin, *(_weeks_before(begin, weeks) for weeks in range(1, WEEKS + 1))):
        rows += calls.started_between(hour, hour + _HOUR).values_list(*_TALK)
    yield from _unusual(rule, rows, since=begin)


_TALK: Final = ("user_id", "start_time", "talk_seconds")
_Talk = tuple[int, dt.datetime, int]


def _unusual(rule: Rule, rows: Iterable[_Talk], since: dt.datetime) -> Iterator[Occasion]:
    """Each subject's unusual hours since then, by the calls of `rows`."""
    known = ((user_id, _hour_of(start), talk) for user_id, start, talk in rows)
    for subject, own in apart(subjects_of(rule), known):
        hours: dict[dt.datetime, _Hour] = {}
        for _user_id, begin, talk in own:
            hour = hours.setdefault(begin, _Hour())
            hour.calls += 1
            hour.seconds += talk
        for begin in sorted(hours):
            if begin >= since and (occasion := _judged(rule, subject, begin, hours)) is not None:
                yield occasion


def _hour_of(instant: dt.datetime) -> dt.datetime:
    """The beginning (UTC) of the local hour that `instant` lies in."""
    local = instant.astimezone(organisation_zone())
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def _weeks_before(begin: dt.datetime, weeks: int) -> dt.datetime:
    """The same local weekday and hour `weeks` ago."""
    local = begin.astimezone(organisation_zone())
    return (local - dt.timedelta(weeks=weeks)).astimezone(UTC)


def _judged(
    rule: Rule, subject: Subject, begin: dt.datetime, hours: dict[dt.datetime, _Hour]
) -> Occasion | None:
    least = parameters_of(rule)["calls"]
    hour = hours.get(begin, _Hour())
    if hour.calls < least:
        return None
    before = (hours.get(_weeks_before(begin, week), _Hour()) for week in range(1, WEEKS + 1))
    usual = usual_range([known.aht for known in before if known.calls >= least])
    if usual is None or usual.holds(hour.aht):
        return None
    lengths = {"aht": hour.aht, "low": usual.low, "high": usual.high}
    return Occasion(
        key=f"aht:{to_ms(begin)}:{subject.name}",
        reached_at=begin + _HOUR,
        agent=subject.agent,
        team=subject.team,
        facts={"calls": hour.calls, **{name: int(value) for name, value in lengths.items()}},
        over_at=begin + _HOUR,
    )


def past_unusual_aht(rule: Rule, since: dt.datetime, until: dt.datetime) -> list[Occasion]:
    """The hours of [since, until) whose AHT would have been unusual: those that are over."""
    first = since - dt.timedelta(weeks=WEEKS)
    calls = calls_of(rule).counted().assigned().started_between(first, until)
    rows = bounded(calls.order_by().values_list(*_TALK), _MOST)
    found = (one for one in _unusual(rule, rows, since) if one.reached_at + _SETTLED <= until)
    return sorted(found, key=lambda occasion: occasion.reached_at)
