"""When a rule would have fired: computed from the calls of the last days."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from accounts.models import User
from calls.models import CallLog
from common.databases.query_timeout import TookTooLong, patience
from common.instants import now
from notifications.models import Rule
from notifications.models.rules import Kind
from notifications.rules import figures, idle, missed, timers
from notifications.rules.audience import TooMany
from notifications.rules.firing import Occasion

DAYS: Final = 7
SHOWN: Final = 10
_PATIENCE_SECONDS: Final = 5

_Past = Callable[[Rule, dt.datetime, dt.datetime], list[Occasion]]
_PAST: Final[Mapping[str, _Past]] = {
    Kind.LONG_CALL: timers.past,
    Kind.LONG_HOLD: timers.past,
    Kind.LONG_PAUSE: timers.past,
    Kind.LONG_WRAP_UP: timers.past,
    Kind.LOW_SUCCESS: figures.past_low_success,
    Kind.UNUSUAL_AHT: figures.past_unusual_aht,
    Kind.NO_CALLS: idle.past,
    Kind.MISSED_CALL: missed.past,
}


@dataclass(frozen=True)
class Firing:
    """One that would have been: when, of whom, and the call where it is about one."""

    reached_at: dt.datetime
    agent: User | None
    team: str
    call: CallLog | None


@dataclass(frozen=True)
class Preview:
    """How often a rule would have fired in the last DAYS days, and the last SHOWN times of those.
    `days` of 0: its kind has no past to look at; `too_slow`: there were too many calls."""

    count: int = 0
    shown: Sequence[Firing] = ()
    days: int = DAYS
    too_slow: bool = False

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


def preview_of(rule: Rule, viewer: User, until: dt.datetime | None = None) -> Preview:
    """What `rule`, saved or not, would have found until now; calls as `viewer` may see them."""
    past = _PAST.get(rule.kind)
    if past is None:
        return Preview(days=0)
    until = until or now()
    try:
        with patience(_PATIENCE_SECONDS):
            found = past(rule, until - dt.timedelta(days=DAYS), until)
            fired = _cooled(rule, found)
            return Preview(len(fired), _shown(fired[-SHOWN:], viewer))
    except (TooMany, TookTooLong):
        return Preview(too_slow=True)


def _cooled(rule: Rule, found: Iterable[Occasion]) -> list[Occasion]:
    """Without those that the cool-down would have held back; `found` is in order."""
    cool = dt.timedelta(seconds=rule.cool_down_seconds)
    last: dict[object, dt.datetime] = {}
    fired = []
    for occasion in sorted(found, key=lambda one: one.reached_at):
        known = last.get(occasion.about)
        if known is None or not cool or occasion.reached_at - known >= cool:
            last[occasion.about] = occasion.reached_at
            fired.append(occasion)
    return fired


def _shown(fired: Sequence[Occasion], viewer: User) -> list[Firing]:
    """The newest first."""
    calls = CallLog.objects.visible_to(viewer).with_people()
    known = {call.pk: call for call in calls.filter(pk__in=[f.call_id for f in fired])}
    people = User.objects.in_bulk({f.agent.pk for f in fired if f.agent is not None})
    return [
        Firing(
            occasion.reached_at,
            None if occasion.agent is None else people.get(occasion.agent.pk),
            "" if occasion.team is None else occasion.team.name,
            known.get(occasion.call_id or 0),
        )
        for occasion in reversed(fired)
    ]
