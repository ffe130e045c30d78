"""Who is on a call now, who is free since when, and what today adds up to: the team's one look."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db.models import Max, QuerySet

from accounts.models import User
from calls.instants import day_start, now, to_ms, today
from calls.models import CallLog
from calls.running import RunningCall
from metrics.definitions import Sums
from metrics.services import sums_by


@dataclass(frozen=True)
class OnCall:
    """A running call on the wall."""

    running: RunningCall
    is_long: bool


@dataclass(frozen=True)
class Free:
    """Somebody without a call, and since when; None: no call today."""

    user: User
    since: dt.datetime | None
    idle_ms: int


@dataclass(frozen=True)
class Row:
    """One person's line in the comparison."""

    user: User
    sums: Sums
    on_call: bool


@dataclass(frozen=True)
class Wall:
    """Everything in the order of names, so that nothing jumps when a call starts or ends."""

    on_call: list[OnCall]
    free: list[Free]
    silent: list[Free]
    rows: list[Row]
    total: Sums


_NOBODY: Final = Sums()


def look_at(people: QuerySet[User]) -> Wall:
    """The wall of `people`, in four queries. Who left is shown while today has calls of theirs."""
    day = today()
    sums = sums_by("user", people, day, day)
    running = CallLog.objects.filter(user__in=people).active().select_related("contact")
    calls = list(running.order_by("start_time", "pk"))
    busy = {call.user_id for call in calls}
    ends = _last_ends(people, day)
    shown = [
        person
        for person in people.select_related("team")
        if person.is_active or person.pk in sums or person.pk in busy
    ]
    shown.sort(key=lambda person: (person.display_name.casefold(), person.pk))
    present = now()
    free = [
        _free(person, ends.get(person.pk), present) for person in shown if person.pk not in busy
    ]
    return Wall(
        on_call=_on_call(shown, calls, present),
        free=[person for person in free if person.since is not None],
        silent=[person for person in free if person.since is None],
        rows=[Row(person, sums.get(person.pk, _NOBODY), person.pk in busy) for person in shown],
        total=sum(sums.values(), Sums()),
    )


def _last_ends(people: QuerySet[User], day: dt.date) -> dict[int, dt.datetime]:
    """When each one's last call of today ended. A call that began before midnight may be it."""
    begin = day_start(day)
    calls = CallLog.objects.filter(
        user__in=people,
        start_time__gte=begin - dt.timedelta(seconds=settings.MAX_CALL_SECONDS),
        end_time__gte=begin,
    )
    return dict(calls.order_by().values_list("user").annotate(Max("end_time")))


def _free(person: User, since: dt.datetime | None, present: dt.datetime) -> Free:
    return Free(person, since, 0 if since is None else max(0, to_ms(present) - to_ms(since)))


def _on_call(people: list[User], calls: list[CallLog], present: dt.datetime) -> list[OnCall]:
    by_person: dict[int, list[CallLog]] = {}
    for call in calls:
        by_person.setdefault(call.user_id, []).append(call)
    return [
        _running(call, person, present)
        for person in people
        for call in by_person.get(person.pk, ())
    ]


def _running(call: CallLog, person: User, present: dt.datetime) -> OnCall:
    call.user = person
    elapsed = call.tracked_ms(present)
    shown = RunningCall(call, elapsed, person.amber_seconds, person.red_seconds)
    return OnCall(shown, is_long=shown.seconds >= settings.LONG_CALL_SECONDS)
