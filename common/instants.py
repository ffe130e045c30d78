"""Instants in whole milliseconds, and the organisation's local days.

Every instant that is stored is UTC, cut to the millisecond, so that what a program reads back is
what it wrote and integer arithmetic is exact.
"""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

UTC = dt.UTC
# When a request had come in, in its environment; no header can have this name.
ARRIVED = "callmanager.arrived"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)


def now() -> dt.datetime:
    """The present instant, UTC, cut to the millisecond."""
    return cut(dt.datetime.now(UTC))


def arrival_of(request: HttpRequest) -> dt.datetime:
    """When `request` had come in, cut to the millisecond: what it waited for since then (a thread,
    a server that has just started) is no part of any call. Now, where the server does not say."""
    arrived: dt.datetime | None = request.META.get(ARRIVED)
    return now() if arrived is None else cut(arrived)


def cut(instant: dt.datetime) -> dt.datetime:
    """The aware `instant` in UTC, cut (not rounded) to the millisecond."""
    instant = instant.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def to_ms(instant: dt.datetime) -> int:
    """Milliseconds since 1970-01-01 UTC, floored."""
    return (instant - _EPOCH) // _MILLISECOND


def from_ms(milliseconds: int) -> dt.datetime:
    """The inverse of to_ms."""
    return _EPOCH + milliseconds * _MILLISECOND


def isoformat(instant: dt.datetime | None) -> str | None:
    """ISO 8601 with milliseconds and `Z`, as the API writes every instant."""
    if instant is None:
        return None
    return cut(instant).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def organisation_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def local_day(instant: dt.datetime) -> dt.date:
    """The organisation's calendar day that `instant` falls on."""
    return instant.astimezone(organisation_zone()).date()


def today() -> dt.date:
    return local_day(now())


def local_now() -> dt.datetime:
    """What the organisation's clocks show."""
    return now().astimezone(organisation_zone())


def at_local(day: dt.date, time: dt.time) -> dt.datetime:
    """The instant (UTC) at which the organisation's clocks first show `time` on the local `day`.

    A time that a clock change skips is taken with the offset before the gap.
    """
    return dt.datetime.combine(day, time, organisation_zone()).astimezone(UTC)


def day_start(day: dt.date) -> dt.datetime:
    """The instant (UTC) at which the local `day` begins.

    A day that a clock change shortens or lengthens has 23 or 25 hours between two of these. Where
    midnight itself is skipped, the day begins at the first instant that exists: midnight taken
    with the offset before the gap is that instant.
    """
    return at_local(day, dt.time.min)


def day_range(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The half-open range of instants [start, end) of the local days first..last, inclusive."""
    return day_start(first), day_start(last + dt.timedelta(days=1))


def local_instants(local: dt.datetime) -> list[dt.datetime]:
    """The instants (UTC), in order, at which the organisation's clocks show the naive `local`.

    One, mostly. None in an hour that is skipped, two in one that comes twice (PEP 495), and none
    at the ends of the calendar, where there is no such instant in UTC.
    """
    zone = organisation_zone()
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None and after is not None  # a zone always says
    if before < after:
        return []
    try:
        instants = [first.astimezone(UTC), second.astimezone(UTC)]
    except OverflowError:
        return []
    return instants if before > after else instants[:1]
