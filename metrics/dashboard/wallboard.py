"""Who is on a call now, who is free since when, and what today adds up to: the team's one look."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Max, OuterRef, Q, Subquery

from accounts.models import UserQuerySet
from accounts.people import FIELDS, Person
from calls.active_calls import RunningCall
from calls.models import CallLog
from common.instants import day_start, now, to_ms, today
from common.periods import Period
from common.text import name_key
from metrics.definitions import Sums
from metrics.rollups.daily import sums_by
from metrics.rollups.of_people import is_everybody
from metrics.rollups.shared_calls import SharedCallPart


@dataclass(frozen=True)
class OnCall:
    """A running call on the wall."""

    running: RunningCall
    is_long: bool


@dataclass(frozen=True)
class Free:
    """Somebody without a call, and since when; None: no call today.

    `wraps_up`: not ready yet, since then at work on what follows from the last call.
    """

    user: Person
    since: dt.datetime | None
    idle_ms: int
    wraps_up: bool = False

    @property
    def idle_seconds(self) -> int:
        return round(self.idle_ms / 1000)


@dataclass(frozen=True)
class WallboardRow:
    """One person's line in the comparison."""

    user: Person
    sums: Sums
    on_call: bool

    @property
    def name(self) -> str:
        return self.user.display_name

    @property
    def team(self) -> str:
        return self.user.team

    @property
    def whose(self) -> str:
        """Their calls, as the history reads it."""
        return urlencode({"agent": self.user.username})


@dataclass(frozen=True)
class Tile:
    """One person's place on the full screen, which stays where it is whatever the person does."""

    user: Person
    calls: list[OnCall]
    free: Free | None

    @property
    def call(self) -> OnCall:
        """The newest of several running calls."""
        return self.calls[-1]


@dataclass(frozen=True)
class Wall:
    """Everything at one instant (epoch ms), in the order of names, so that nothing jumps when a
    call starts or ends."""

    at_ms: int
    on_call: list[OnCall]
    wrapping_up: list[Free]
    free: list[Free]
    silent: list[Free]
    rows: list[WallboardRow]
    total: Sums

    @property
    def shown_calls(self) -> list[OnCall]:
        """What fits on a page: of very many calls the longest, still by name."""
        return _longest(self.on_call, lambda one: one.running.elapsed_ms)

    @property
    def shown_wrapping_up(self) -> list[Free]:
        return _longest(self.wrapping_up, lambda one: one.idle_ms)

    @property
    def shown_free(self) -> list[Free]:
        """Likewise those who have been free for longest."""
        return _longest(self.free, lambda one: one.idle_ms)

    @property
    def silent_names(self) -> str:
        """In the morning they are everybody."""
        return ", ".join(one.user.display_name for one in self.silent)

    @property
    def tiles(self) -> list[Tile]:
        """A tile a person; of very many people, only of those on a call."""
        calls: dict[int | None, list[OnCall]] = {}
        for shown in self.on_call:
            calls.setdefault(shown.running.call.user_id, []).append(shown)
        free = {one.user.pk: one for one in [*self.wrapping_up, *self.free, *self.silent]}
        tiles = [
            Tile(row.user, calls.get(row.user.pk, []), free.get(row.user.pk)) for row in self.rows
        ]
        return tiles if len(tiles) <= MOST_TILES else [tile for tile in tiles if tile.calls]


MOST_TILES: Final = 80
MOST_SHOWN: Final = 60  # calls, and free people, in the lists of the team's page
_NOBODY: Final = Sums()


def look_at(
    people: UserQuerySet,
    period: Period,
    parts: list[SharedCallPart] | None = None,
    *,
    of_teams: bool = False,
) -> Wall:
    """The wall of `people`, in four queries; its rows are about `period`, the rest about now.

    Who left is shown while the period has calls of theirs. `of_teams`: so is who is in no team.
    """
    sums = sums_by("user", people, period.first, period.last, parts)
    # What goes on now is little: all of it is quicker to have than to tell whose it is.
    own = Q() if is_everybody(people) else Q(user__in=people)
    running = CallLog.objects.filter(own).active_apart().with_people()
    calls = list(running.order_by("start_time", "pk"))
    busy = {call.user_id for call in calls}
    wrap_ups = dict(
        CallLog.objects.wrapping_up()
        .filter(own)
        .order_by("wrap_up_since")
        .values_list("user_id", "wrap_up_since")
    )
    last_ends: dict[int, dt.datetime | None] = {}
    known = []
    for *columns, last_end in people.annotate(last_end=_last_end()).values_list(
        *FIELDS, "last_end"
    ):
        known.append(Person.of(*columns))
        last_ends[known[-1].pk] = last_end
    shown = [
        person
        for person in known
        if person.pk in sums
        or person.pk in busy
        or (person.is_active and not (of_teams and person.team_id is None))
    ]
    shown.sort(key=lambda person: (name_key(person.display_name), person.pk))
    present = now()
    without = [person for person in shown if person.pk not in busy]
    free = [_free(one, last_ends[one.pk], present) for one in without if one.pk not in wrap_ups]
    return Wall(
        at_ms=to_ms(present),
        on_call=_on_call(shown, calls, present),
        wrapping_up=[
            _free(one, wrap_ups[one.pk], present, wraps_up=True)
            for one in without
            if one.pk in wrap_ups
        ],
        free=[person for person in free if person.since is not None],
        silent=[person for person in free if person.since is None],
        rows=[
            WallboardRow(person, sums.get(person.pk, _NOBODY), person.pk in busy)
            for person in shown
        ],
        total=sums.total,
    )


def _longest(people: list[Any], length: Callable[[Any], int]) -> list[Any]:
    """At most MOST_SHOWN of `people`, those with the greatest length, in the order given."""
    if len(people) <= MOST_SHOWN:
        return people
    least = sorted(map(length, people), reverse=True)[MOST_SHOWN - 1]
    return [one for one in people if length(one) >= least][:MOST_SHOWN]


def _last_end() -> Subquery:
    """When a person's last call of today ended. A call that began before midnight may be it."""
    begin = day_start(today())
    calls = CallLog.objects.filter(
        user=OuterRef("pk"),
        start_time__gte=begin - dt.timedelta(seconds=settings.MAX_CALL_SECONDS),
        end_time__gte=begin,
    )
    return Subquery(calls.order_by().values("user").annotate(last=Max("end_time")).values("last"))


def _free(
    person: Person, since: dt.datetime | None, present: dt.datetime, *, wraps_up: bool = False
) -> Free:
    idle = 0 if since is None else max(0, to_ms(present) - to_ms(since))
    return Free(person, since, idle, wraps_up)


def _on_call(people: Iterable[Person], calls: list[CallLog], present: dt.datetime) -> list[OnCall]:
    by_person: dict[int | None, list[CallLog]] = {}
    for call in calls:
        by_person.setdefault(call.user_id, []).append(call)
    return [_running(call, present) for person in people for call in by_person.get(person.pk, ())]


def _running(call: CallLog, present: dt.datetime) -> OnCall:
    elapsed = call.tracked_ms(present)
    shown = RunningCall(call, elapsed, call.amber_seconds, call.red_seconds)
    return OnCall(shown, is_long=shown.seconds >= settings.LONG_CALL_SECONDS)
